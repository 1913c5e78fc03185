"""The HTML sheet: one file, all names as text, nothing allowed but its own script and style; a browser agrees."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from strategies import names

from vsenumba.data.matches import Match
from vsenumba.errors import InputError
from vsenumba.printable import printable
from vsenumba.sheets import Suggested, html, html_sheet, save_html_sheet

HOSTILE = [
    "<script>alert(1)</script>", "</bdi></article><img src=x onerror=alert(1)>", '"onmouseover="alert(1)', "' onload='",
    "javascript:alert(1)", "&lt;b&gt;", "&#60;", "</script><script>", "<!--", "]]>", "a\x00b\x1b[31m", "\u202egpj.exe",
    "\ud83d", "猫", "שלום", "x" * 500, "</title>", "{{7*7}}", "$x^2$",
]  # fmt: skip


class Page(HTMLParser):
    """What a reader of HTML makes of a page."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.cards = [], [], []
        self.sources, self.hidden = [], []
        self._in = None
        self.own = {"style": "", "script": "", "title": "", "output": ""}
        self.policy = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *one) for one in attrs]
        self._in = tag
        values = dict(attrs)
        if tag == "article":
            self.cards.append([])
            self.hidden.append("hidden" in values)
        if tag == "bdi":
            self.cards[-1].append("")
        if tag == "img":
            self.sources.append(values["src"])
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]

    def handle_endtag(self, tag):
        self._in = None

    def handle_data(self, data):
        if self._in == "bdi":
            self.cards[-1][-1] += data
        elif self._in in self.own:
            self.own[self._in] += data


def pictures(folder, n=3, side=64, noise=False):
    rng = np.random.default_rng(0)
    made = []
    for i in range(n):
        pixels = rng.integers(0, 256, (side, side, 3)) if noise else np.full((side, side, 3), 80 * i)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i}.png")
        made.append(folder / f"{i}.png")
    return made


def texts_of(one):
    return [printable(name) for name in (one.image, *(match.name for match in one.suggestions), *one.known)]


def page_of(suggested, path, title="Sheet"):
    save_html_sheet(suggested, path, title)
    return Page(path.read_text(encoding="utf-8"))


TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "h1", "form", "label", "input", "output", "main",
    "article", "img", "div", "h2", "bdi", "ol", "li", "data", "p", "footer", "script",
}  # fmt: skip


def check(page, suggested):
    assert page.cards == [texts_of(one) for one in suggested]
    assert set(page.tags) <= TAGS
    assert page.tags.count("script") == page.tags.count("style") == 1
    assert not any(
        name.startswith("on") or name in ("style", "href", "srcset", "srcdoc") for _, name, _ in page.attributes
    )
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.sources)


@given(st.lists(st.tuples(names, st.lists(names, max_size=2), st.lists(names, max_size=2)), max_size=3), names)
def test_all_names_come_back_as_text(tmp_path_factory, drawn, title):
    folder = tmp_path_factory.mktemp("sheet")
    suggested = [
        Suggested(folder / "none.png", image, known, [Match(name, 0.5) for name in labels])
        for image, known, labels in drawn
    ]
    page = page_of(suggested, folder / "sheet.html", title)
    check(page, suggested)
    assert page.own["title"] == printable(title)


def hostile(folder):
    (picture,) = pictures(folder, 1)
    return [Suggested(picture, name, [name, "fine"], [Match(name, -1e-9), Match(f"{name}!", 1e30)]) for name in HOSTILE]


def test_hostile_names_are_text(tmp_path):
    suggested = hostile(tmp_path)
    for title in HOSTILE:
        page = page_of(suggested, tmp_path / "sheet.html", title)
        check(page, suggested)


def test_only_its_own_script_and_style_are_allowed(tmp_path):
    page = page_of([], tmp_path / "sheet.html")
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.own[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in page.policy
    assert page.policy.startswith("default-src 'none'; img-src data:; ")
    assert "unsafe" not in page.policy
    assert not re.search(r"https?:|//[a-z]|@import|url\(", (tmp_path / "sheet.html").read_text())


def test_pictures_are_drawn_whole_and_bounded_in_bytes(tmp_path):
    smooth, noisy = tmp_path / "smooth", tmp_path / "noisy"
    for folder, noise in ((smooth, False), (noisy, True)):
        folder.mkdir()
        suggested = [Suggested(one, one.name, [], [Match("cat", 0.25)]) for one in pictures(folder, 4, 600, noise)]
        page = page_of(suggested, folder / "sheet.html")
        assert (folder / "sheet.html").stat().st_size < 6_000 + 15_500 * 4
    with Image.open(io.BytesIO(base64.b64decode(page.sources[0].split(",")[1]))) as picture:
        assert picture.size == (html.SIDE, html.SIDE)
    page = page_of([Suggested(smooth / "1.png", "1.png", [], [])], tmp_path / "sheet.html")
    with Image.open(io.BytesIO(base64.b64decode(page.sources[0].split(",")[1]))) as picture:
        assert np.abs(np.asarray(picture).astype(int) - 80).max() <= 2


def test_what_cannot_be_read_and_what_has_no_suggestions_is_said(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    (good,) = pictures(tmp_path, 1)
    sheet = tmp_path / "sheet.html"
    save_html_sheet([Suggested(tmp_path / "broken.jpg", "broken.jpg", [], [Match("cat", 2.0)])], sheet)
    assert '<div class="none">cannot be read</div>' in sheet.read_text()
    assert '<data value="2.0">2.000</data>' in sheet.read_text()
    assert "1 picture. " in sheet.read_text()
    save_html_sheet([Suggested(good, "good.png", [], [])], sheet)
    assert "<p>no suggestions</p>" in sheet.read_text()
    assert "cannot be read" not in sheet.read_text()


def test_the_same_pictures_give_the_same_bytes(tmp_path):
    suggested = [Suggested(one, one.name, ["dog"], [Match("cat", 0.1)]) for one in pictures(tmp_path)]
    assert save_html_sheet(suggested, tmp_path / "a.html") == save_html_sheet(suggested, tmp_path / "b.htm") == 3
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.htm").read_bytes()


def test_it_is_there_whole_or_not_at_all_and_nothing_waits_in_memory(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(html, "_card", lambda one: seen.append(one) or iter([]))

    def suggested():
        for i in range(3):
            yield i
            assert seen[-1] == i

    with pytest.raises(ZeroDivisionError), html_sheet(tmp_path / "sheet.html") as add:  # noqa: PT012
        for one in suggested():
            add(one)
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []
    for path, message in (("sheet.txt", "use a name ending in .html"), ("nowhere/sheet.html", "there is no folder")):
        with pytest.raises(InputError, match=message):
            save_html_sheet([], tmp_path / path)


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def opened(address, folder):
    """Return the page as a browser has it, and what it wrote to the console."""
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr",
            "--dump-dom", address,
        ],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    return Page(done.stdout.decode()), [line for line in done.stderr.decode().splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_a_browser_shows_it_without_a_word_on_the_console(tmp_path):
    suggested = hostile(tmp_path) + [
        Suggested(one, one.name, ["a fish"], [Match("black cat", 0.5), Match("vacation", 0.4)])
        for one in pictures(tmp_path)
    ]
    sheet = tmp_path / "a sheet & more.html"
    save_html_sheet(suggested, sheet, HOSTILE[0])
    page, console = opened(sheet.as_uri(), tmp_path)
    assert console == []
    check(page, suggested)
    assert page.own["title"] == HOSTILE[0]
    assert sum(page.hidden) == 0
    for wanted, n_shown in (
        ("CAT%20fis", 3),
        ("acat", 0),
        ("(%5B.*%5C-", 0),
        ("%", 22),
        ("ל", 1),
    ):
        page, console = opened(f"{sheet.as_uri()}#{wanted}", tmp_path)
        assert console == []
        assert page.hidden.count(False) == n_shown, wanted
        assert page.own["output"] == ("" if n_shown == 22 else f"{n_shown} of 22")
    # What else stood in the file would not run, and would be seen here.
    text = sheet.read_text(encoding="utf-8").replace("</main>", "</main><script>document.body.remove()</script>")
    sheet.write_text(text, encoding="utf-8")
    page, console = opened(sheet.as_uri(), tmp_path)
    assert len(page.cards) == 22
    assert "Content Security Policy" in "".join(console)

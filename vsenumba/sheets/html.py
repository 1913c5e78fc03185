"""Sheets of pictures with suggestions as one HTML file that needs no network and no other file."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from html import escape
from os import PathLike

from vsenumba.errors import InputError
from vsenumba.printable import printable
from vsenumba.sheets.policy import policy_digest
from vsenumba.sheets.suggested import Suggested
from vsenumba.sheets.thumbnails import jpeg_of, thumbnail_or_none
from vsenumba.storage import ending_of, open_output

ENDINGS = (".html", ".htm")
# Pixels of a thumbnail; browsers show it at about half this size, so it is sharp on any screen.
SIDE = 256

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1d20; --soft: #5c6470; --page: #f5f6f7; --card: #fff; --line: #d9dde2;
  --accent: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e9ec; --soft: #a0a8b3; --page: #15171a; --card: #1f2226;
  --line: #363b42; --accent: #7cb8f5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.4 system-ui, sans-serif; }
header { padding: 1rem 1.25rem .75rem; display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: baseline; }
h1 { margin: 0; font-size: 1.25rem; overflow-wrap: anywhere; flex: 1 1 14rem; }
label { color: var(--soft); }
input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 6px;
  padding: .3rem .6rem; width: 14rem; max-width: 100%; }
input:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(11.5rem, 1fr)); gap: .9rem;
  padding: .25rem 1.25rem 1.25rem; align-items: start; }
@media (max-width: 30rem) { header, main, footer { padding-left: .75rem; padding-right: .75rem; }
  main { gap: .6rem; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); } }
article { background: var(--card); border: 1px solid var(--line); border-radius: 8px; overflow: hidden;
  content-visibility: auto; contain-intrinsic-size: auto 22rem; }
article[hidden] { display: none; }
img, .none { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: #fff; }
.none { background: var(--page); color: var(--soft); display: grid; place-items: center; font-size: .85rem; }
h2 { margin: .5rem .7rem .25rem; font-size: .8rem; font-weight: 500; color: var(--soft); white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; }
ol { list-style: none; margin: 0; padding: 0 .7rem .5rem; }
li { display: flex; gap: .4rem; justify-content: space-between; }
li bdi { font-weight: 600; overflow-wrap: anywhere; }
data { color: var(--soft); font-variant-numeric: tabular-nums; }
p { margin: 0 .7rem .6rem; font-size: .85rem; color: var(--soft); overflow-wrap: anywhere; }
.known { font-style: italic; }
footer { padding: 0 1.25rem 1.25rem; color: var(--soft); font-size: .85rem; }
@media print { :root { --ink: #000; --soft: #444; --page: #fff; --card: #fff; --line: #bbb; }
  body { font-size: 10px; } form { display: none; }
  main { display: block; padding: 0; }
  article { display: inline-block; vertical-align: top; width: 23.5%; margin: 0 .6% .5rem; break-inside: avoid;
    content-visibility: visible; } }
"""
# The fragment of the address, after '#', is the filter, so that a filtered sheet can be linked.
_SCRIPT = r"""
"use strict";
const box = document.querySelector("input"), shown = document.querySelector("output");
const cards = Array.from(document.querySelectorAll("article"));
let texts = null;
// A Latin word matches only from its beginning: "cat" is not found in "communication".
function pattern(word) {
  const plain = word.replace(/[.*+?^${}()|[\]\\/]/gu, "\\$&");
  return new RegExp((/^[\p{Script=Latin}\p{N}]/u.test(word) ? "(?<![\\p{L}\\p{N}])" : "") + plain, "u");
}
function textOf(card) {
  return Array.from(card.querySelectorAll("bdi"), one => one.textContent).join("\n").toLowerCase();
}
function filter() {
  const words = box.value.normalize("NFC").toLowerCase().split(/\s+/u).filter(Boolean), wanted = words.map(pattern);
  if (wanted.length && texts === null) texts = cards.map(textOf);
  let n = 0;
  cards.forEach((card, i) => {
    card.hidden = !wanted.every(word => word.test(texts[i]));
    n += !card.hidden;
  });
  shown.textContent = n === cards.length ? "" : n + " of " + cards.length;
}
function fromAddress() {
  try { box.value = decodeURIComponent(location.hash.slice(1)); } catch { box.value = ""; }
  filter();
}
document.querySelector("form").addEventListener("submit", event => event.preventDefault());
box.addEventListener("input", filter);
addEventListener("hashchange", fromAddress);
fromAddress();
"""


def save_html_sheet(suggested: Iterable[Suggested], path: str | PathLike[str], title: str = "Suggested tags") -> int:
    """Write pictures with the tags suggested for them to one HTML file that works without a network.

    The file contains the thumbnails. Names are escaped, so that markup in them has no effect, and the file allows no
    script and no style except its own. A search box filters by tag and name. Pictures are written one at a time, so
    the limit is the number that a browser can show, some thousands.

    Parameters
    ----------
    suggested : iterable of Suggested
        The pictures, in the order in which to show them. A picture that cannot be read is shown by its name.
    path : str or path-like
        The file to write, ending in ``.html``.
    title : str
        The title of the sheet.

    Returns
    -------
    int
        The number of pictures.

    Raises
    ------
    InputError
        If the ending is not supported, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from vsenumba.data.matches import Match
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sheet = Path(folder, "sheet.html")
    ...     n = save_html_sheet([Suggested(Path(folder, "cat.jpg"), "cat.jpg", ["pet"], [Match("cat", 0.9)])], sheet)
    ...     text = sheet.read_text(encoding="utf-8")
    >>> n, "<bdi>cat</bdi>" in text
    (1, True)
    """
    n_pictures = 0
    with html_sheet(path, title) as add:
        for one in suggested:
            add(one)
            n_pictures += 1
    return n_pictures


@contextmanager
def html_sheet(path: str | PathLike[str], title: str = "Suggested tags") -> Iterator[Callable[[Suggested], None]]:
    """Yield a function that adds a picture to a sheet; the file appears if the block succeeds."""
    check_html_ending(path)
    n_pictures = 0
    with open_output(path) as file:

        def add(one: Suggested) -> None:
            nonlocal n_pictures
            n_pictures += 1
            file.write("\n".join(_card(one)).encode())

        file.write(_begin(title).encode())
        yield add
        file.write(_end(n_pictures).encode())


def check_html_ending(path: str | PathLike[str]) -> None:
    """Refuse a file name that does not end in .html or .htm."""
    if (ending := ending_of(path)) not in ENDINGS:
        raise InputError(f"the HTML sheet {str(path)!r} ends in {ending!r}; use a name ending in .html")


def _text(name: str) -> str:
    """Return a name escaped for HTML text and attributes."""
    return escape(printable(name))


def _begin(title: str) -> str:
    policy = (
        f"default-src 'none'; img-src data:; style-src {policy_digest(_STYLE)}; script-src {policy_digest(_SCRIPT)}"
    )
    policy += "; base-uri 'none'; form-action 'none'"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{_text(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>{_text(title)}</h1>
<form role="search"><label>Filter <input type="search" placeholder="tag or name" autocomplete="off"></label>
<output></output></form>
</header>
<main>
"""


def _end(n_pictures: int) -> str:
    pictures = "1 picture" if n_pictures == 1 else f"{n_pictures:,} pictures"
    return f"""</main>
<footer>{pictures}. Numbers are scores; compare them only within a picture.</footer>
<script>{_SCRIPT}</script>
</body>
</html>
"""


def _card(one: Suggested) -> Iterator[str]:
    name = _text(one.image)
    yield "<article>"
    pixels = thumbnail_or_none(one.picture, SIDE)
    if pixels is None:
        yield '<div class="none">cannot be read</div>'
    else:
        picture = base64.b64encode(jpeg_of(pixels)).decode()
        yield f'<img alt="" decoding="async" src="data:image/jpeg;base64,{picture}">'
    yield f'<h2 title="{name}"><bdi>{name}</bdi></h2>'
    if one.suggestions:
        yield "<ol>"
        for label, score in one.suggestions:
            yield f'<li><bdi>{_text(label)}</bdi><data value="{score!r}">{score:.3f}</data></li>'
        yield "</ol>"
    else:
        yield "<p>no suggestions</p>"
    if one.known:
        yield f'<p class="known">has {", ".join(f"<bdi>{_text(label)}</bdi>" for label in one.known)}</p>'
    yield "</article>\n"

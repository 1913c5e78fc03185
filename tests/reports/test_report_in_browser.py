"""The report in a browser, from the disk: no complaint, tables sort, points say their values, tables are copied."""

from __future__ import annotations

import csv
import io

import pytest
from browser import browser, needs_browser
from report_pages import hostile_set, small_model

import vsenumba as vse

pytestmark = needs_browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def path(folder):
    train, test = vse.leave_one_out(hostile_set(), rng=0)
    vse.write_report(small_model().fit(train), folder / "report.html", data=test)
    return folder / "report.html"


@pytest.fixture(scope="module")
def chromium(folder):
    with browser(folder / "profile") as page:
        yield page


@pytest.fixture
def page(chromium, path):
    chromium.open(path)
    yield chromium
    assert chromium.complaints == []
    # Nothing but the page itself is loaded.
    assert chromium.requests == [path.as_uri()]


COLUMN = "Array.from(document.querySelectorAll('#table-labels tbody tr'), row => row.cells[{}].textContent)"


def test_no_name_does_anything(page):
    assert page.run("document.querySelectorAll('script').length") == 2
    assert page.run("document.querySelectorAll('main img').length") == 0
    assert "<script>alert(1)</script>" in [name.strip() for name in page.run(COLUMN.format(0))]


def test_tables_sort_by_click_and_by_keyboard(page):
    before = page.run(COLUMN.format(2))
    page.run("document.querySelectorAll('#table-labels thead button')[2].click()")
    numbers = [int(text) for text in page.run(COLUMN.format(2))]
    assert numbers == sorted(map(int, before), reverse=True)
    assert page.run("document.querySelectorAll('#table-labels th')[2].ariaSort") == "descending"
    page.run("document.querySelectorAll('#table-labels thead button')[2].focus()")
    page.press("Enter")
    assert [int(text) for text in page.run(COLUMN.format(2))] == numbers[::-1]
    assert page.run("document.querySelectorAll('#table-labels th')[2].ariaSort") == "ascending"
    assert page.run("document.querySelectorAll('#table-labels [aria-sort]').length") == 1
    page.run("document.querySelectorAll('#table-labels thead button')[0].click()")
    names = page.run(COLUMN.format(0))
    assert names == page.run(f"{COLUMN.format(0)}.toSorted(names.compare)")


def test_what_is_not_defined_comes_last_either_way(page):
    page.run("document.querySelectorAll('#table-labels td[data-value]')[3].dataset.value = ''")
    for _ in range(2):
        page.run("document.querySelectorAll('#table-labels thead button')[3].click()")
        keys = page.run(
            "Array.from(document.querySelectorAll('#table-labels tbody tr'), r => r.cells[3].dataset.value)"
        )
        assert "" not in keys[:-1]


def test_tables_are_copied_in_the_order_that_is_shown(page):
    page.run("document.querySelectorAll('#table-labels thead button')[1].click()")
    shown = [name.strip() for name in page.run(COLUMN.format(0))]
    rows = list(csv.reader(io.StringIO(page.run("textOf('labels', 'csv')"))))
    assert [row[0].removeprefix("'") for row in rows[1:]] == [name.removeprefix("'") for name in shown]
    # What is copied goes to the clipboard, or where there is none, into a box to be copied from.
    for format in ("latex", "markdown", "csv"):
        page.run(f"""
            globalThis.got = null;
            Object.defineProperty(navigator, "clipboard", {{ configurable: true, value: {{
                writeText: async text => {{ globalThis.got = text; }} }} }});
            document.querySelector('[data-table=labels][data-format={format}]').click()""")
        assert page.run(f"got === textOf('labels', '{format}')")
        assert page.run("said.textContent").startswith("Copied as ")
    page.run("""
        Object.defineProperty(navigator, "clipboard", { configurable: true, value: undefined });
        document.querySelector('[data-table=labels][data-format=csv]').click()""")
    assert page.run("document.querySelector('textarea').value === textOf('labels', 'csv')")


def test_points_say_their_values(page):
    tips = "Array.from(document.querySelectorAll('svg.chart')[0].querySelectorAll('.point'), one => one.dataset.tip)"
    first = page.run(tips)[0]
    box = page.run("""(() => { const box = document.querySelector('.point .bar').getBoundingClientRect();
        return [box.left + box.width / 2, box.top + 2]; })()""")
    page.point(*box)
    assert page.run("tip.hidden ? '' : tip.textContent") == first
    assert page.run("document.querySelectorAll('.point.now').length") == 1
    page.run("document.querySelectorAll('svg.chart')[0].focus()")
    page.press("ArrowRight")
    page.press("ArrowRight")
    assert page.run("tip.textContent") == page.run(tips)[1]
    page.press("Escape")
    assert page.run("tip.hidden")


@pytest.mark.parametrize("width", [380, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_the_window_and_can_be_read(chromium, path, width, dark):
    chromium.open(path, width=width, dark=dark)
    assert chromium.run("document.documentElement.scrollWidth") <= width
    # Luminance of the text and of the card behind it, by the formula of the guidelines for contrast.
    contrast = chromium.run("""(() => {
        const light = color => {
            const [r, g, b] = color.match(/[\\d.]+/g).map(one => one / 255).map(
                one => one <= .03928 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4);
            return .2126 * r + .7152 * g + .0722 * b; };
        const card = light(getComputedStyle(document.querySelector("section")).backgroundColor);
        return ["section > p", "section h2", ".copy button", ".bullets, .subtitle", "svg text"].map(selector => {
            const style = getComputedStyle(document.querySelector(selector));
            const text = light(selector.startsWith("svg") ? style.fill : style.color);
            return (Math.max(text, card) + .05) / (Math.min(text, card) + .05); }); })()""")
    assert min(contrast) >= 4.5


def test_the_first_tab_leads_to_the_report(page):
    page.press("Tab")
    assert page.run("document.activeElement.className") == "skip"
    assert page.run("document.activeElement.getBoundingClientRect().left") >= 0
    page.press("Enter")
    assert page.run("location.hash") == "#main"

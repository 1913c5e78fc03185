"""Names in figures: nothing in them is read as markup, all of it can be shown, and long ones fit."""

from __future__ import annotations

import warnings
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsenumba.errors import InputError
from vsenumba.plotting import contact_sheet, convergence_figure, law_figure, save_figure
from vsenumba.plotting import letters as letters_module
from vsenumba.plotting.letters import shortened, width_of
from vsenumba.plotting.sheet import LETTERS
from vsenumba.training.history import History

# No formula, no control character that gets out, nothing that turns what follows round.
ODD = "$x^2$ and $\\notatex{$ \x1b[31mred\x00\u202e\ud83d _é"
VISIBLE = "$x^2$ and $\\notatex{$ \\x1b[31mred\\x00\\u202e\\ud83d _é"
# In no font that comes with matplotlib.
CAT = "猫"


def history():
    record = History()
    for epoch in (1, 2):
        record.append({"epoch": epoch, "seconds": 0.1 * epoch, "mrr": 0.2 * epoch, "trials": 9.0})
    return record


def figure_with(name):
    return {
        "convergence": lambda: convergence_figure({name: [history()]}, references={name: 0.3}, title=name),
        "law": lambda: law_figure([0.5, 0.5], [1, 1], name=name, references={name: [0.5, 0.5]}, title=name),
        "sheet": lambda: contact_sheet(np.zeros((1, 4, 4, 3), np.uint8), [f"{name[:12]}\n0.30"], name),
    }


KINDS = list(figure_with(""))


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_no_formula_and_has_no_control_characters(tmp_path, kind):
    """Between dollars, names were typeset as formulas or failed; an escape character made an SVG that none can read."""
    figure = figure_with(ODD)[kind]()
    for suffix in ("svg", "png", "pdf"):
        save_figure(figure, tmp_path / f"figure.{suffix}")
    # The file is the test's own.
    root = ElementTree.parse(tmp_path / "figure.svg").getroot()  # noqa: S314
    text = " ".join("".join(root.itertext()).split())
    assert VISIBLE[:12] in text
    assert kind == "sheet" or text.count(VISIBLE) >= 2
    assert VISIBLE in figure.get_suptitle()


@pytest.mark.parametrize("kind", KINDS)
def test_letters_without_a_font_are_named_once(tmp_path, kind):
    """matplotlib warns of every such letter, at every layout."""
    figure = figure_with(f"{CAT}の{CAT}")[kind]()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        save_figure(figure, tmp_path / "figure.png")
    (warning,) = caught
    assert f"instead of characters that no installed font has: の {CAT}; install" in str(warning.message)


def test_a_font_that_has_the_letters_is_taken_for_the_texts_that_need_it(tmp_path, monkeypatch):
    monkeypatch.setattr(letters_module, "FALLBACKS", ("There Is No Such Font", "STIXGeneral"))
    has, lacks = (letters_module._letters_of(_path(family)) for family in ("STIXGeneral", "DejaVu Sans"))
    lacking = min(letter for letter in has - lacks if letter.isprintable())
    figure = convergence_figure({"plain": [history()], f"odd {lacking}": [history()]})
    save_figure(figure, tmp_path / "figure.png")
    families = {text.get_text(): text.get_fontfamily() for text in figure.legends[0].get_texts()}
    assert families == {"plain": ["sans-serif"], f"odd {lacking}": ["sans-serif", "STIXGeneral"]}


def _path(family):
    from matplotlib.font_manager import findfont

    return str(findfont(family))


@given(st.text(), st.integers(3, 30))
def test_a_shortened_name_keeps_its_ends(name, width):
    short = shortened(name, width)
    assert width_of(short) <= width
    if width_of(name) <= width:
        assert short == name
    else:
        start, _, end = short.partition("…") if "…" not in name else ("", "", "")
        assert name.startswith(start)
        assert name.endswith(end)


def test_names_stand_below_the_pictures_that_they_are_of():
    """The sheets had no names, and what stood there lay on the picture or ran into the next."""
    names = ["noto/1f697", "archive/photographs/2004/summer/IMG_0231.jpg", "0123456789abcdef", CAT * 12]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = contact_sheet(
            np.zeros((12, 4, 4, 3), np.uint8), [f"{names[i % 4]}\n0.{i}0" for i in range(12)], "cars"
        )
    labels = [axes.get_xlabel() for axes in figure.axes]
    assert labels[0] == "noto/1f697\n0.00"
    assert labels[1].startswith("archive/")
    assert labels[1].endswith("0231.jpg\n0.10")
    assert "…" in labels[1]
    assert labels[2] == "0123456789abc\ndef\n0.20"
    assert all(width_of(line) <= LETTERS for label in labels for line in label.split("\n"))
    for axes in figure.axes[:12]:
        text, picture = axes.xaxis.label.get_window_extent(), axes.get_window_extent()
        assert text.y1 <= picture.y0
        assert abs((text.x0 + text.x1) - (picture.x0 + picture.x1)) < 2
    boxes = [axes.xaxis.label.get_window_extent() for axes in figure.axes[:10]]
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))


@pytest.mark.parametrize("n", [1, 3, 10, 11, 40])
def test_a_sheet_holds_its_title(n):
    """The sheet of one picture was narrower than its title."""
    figure = contact_sheet(np.zeros((n, 4, 4, 3), np.uint8), ["name\n0.30"] * n, "a query of many words " * 8)
    box = figure.get_tightbbox()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= figure.get_figwidth()
    assert box.y1 <= figure.get_figheight()


@pytest.mark.parametrize(("n", "lines"), [(0, []), (2, ["one"]), (1, ["one", "two"])])
def test_a_sheet_needs_a_line_for_each_picture(n, lines):
    with pytest.raises(InputError, match="a line for each of its pictures"):
        contact_sheet(np.zeros((n, 4, 4, 3), np.uint8), lines)

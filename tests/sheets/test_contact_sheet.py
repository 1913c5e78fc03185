"""The contact sheet: what stands below each picture, in the width that there is, and how many there are."""

from __future__ import annotations

import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from vsenumba.data.matches import Match
from vsenumba.errors import InputError
from vsenumba.sheets import Suggested, contact, contact_sheet, save_contact_sheet

LONG = "Donaudampfschifffahrtsgesellschaftskapitän"


def picture(folder, name="cat.png", colour=(200, 30, 40)):
    Image.fromarray(np.full((40, 80, 3), colour, np.uint8)).save(folder / name)
    return folder / name


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_each_picture_has_its_name_suggestions_with_scores_and_known_tags(tmp_path):
    cat = Suggested(picture(tmp_path), "cats/cat.png", ["pet", "animal"], [Match("cat", 0.876), Match("dog", -1.5)])
    plain = Suggested(tmp_path / "no.png", "no.png", [], [])
    figure = contact.draw_sheet([cat, plain], "A title")
    assert texts(figure) == [
        "A title", "cats/cat.png", "0.88", "cat", "-1.50", "dog", "has pet, animal",
        "cannot be read", "no.png", "no suggestions",
    ]  # fmt: skip
    styles = {text.get_text(): text.get_fontstyle() for text in figure.axes[0].texts}
    assert (styles["has pet, animal"], styles["cat"]) == ("italic", "normal")


def test_no_text_leaves_its_column(tmp_path):
    one = picture(tmp_path)
    rows = [
        Suggested(
            one, LONG * 3, ["a", LONG, "猫" * 30], [Match(LONG, 12345.678), Match("w" * 200, 0.1), Match("W", 1)]
        ),
        Suggested(one, "b", [f"tag {i}" for i in range(40)], [Match("ok", 0.5)]),
        Suggested(one, "c", ["x", "y"], [Match("\u202e\x1b", 0.5)]),
    ] * 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure = contact.draw_sheet(rows, "")
        renderer = FigureCanvasAgg(figure).get_renderer()
        boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    for text, box in zip(figure.axes[0].texts, boxes, strict=True):
        # The column that it begins or, being flush right, ends in.
        x = text.get_position()[0]
        column = round((x - (contact.SIDE if text.get_ha() == "right" else 0) - contact.GAP / 2) / contact.PITCH)
        left = contact.GAP / 2 + contact.PITCH * column
        assert box.x0 >= (left - 0.01) * contact.DPI, text
        assert box.x1 <= (left + contact.SIDE + 0.01) * contact.DPI, text
    overlapping = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if _overlap(a, b)]
    assert overlapping == []
    shown = texts(figure)
    assert any(re.fullmatch(r"Donau.*…pitän|Donau.*….*tän", text) for text in shown)
    assert any(re.fullmatch(r"has tag 0, tag 1, .*\n.*, \+ \d+", text) for text in shown)
    assert r"\u202e\x1b" in shown
    assert "has x, y" in shown
    figure_height = figure.get_size_inches()[1] * contact.DPI
    assert min(box.y0 for box in boxes) >= 0
    assert max(box.y1 for box in boxes) <= figure_height


def _overlap(a, b, slack=1.5):
    return min(a.x1, b.x1) - max(a.x0, b.x0) > slack and min(a.y1, b.y1) - max(a.y0, b.y0) > slack


def test_pictures_are_drawn_in_their_place_and_colours(tmp_path):
    suggested = [Suggested(picture(tmp_path, f"{i}.png", (250 - 40 * i, 40 * i, 90)), f"{i}", [], []) for i in range(6)]
    save_contact_sheet(suggested, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width == 1400
        pixels = np.asarray(sheet.convert("RGB"))
    y = round((contact.GAP / 2 + contact.SIDE / 2) * contact.DPI)
    for i in range(6):
        x = round((contact.GAP / 2 + contact.PITCH * i + contact.SIDE / 2) * contact.DPI)
        assert pixels[y, x].tolist() == pytest.approx([250 - 40 * i, 40 * i, 90], abs=2)
        # Twice as wide as high, it is drawn whole on white.
        assert pixels[y - 80, x].tolist() == [255, 255, 255]


def test_it_is_bounded_and_says_of_how_many(tmp_path, monkeypatch):
    monkeypatch.setattr(contact, "IN_A_FILE", {".svg": 7, ".png": 7, ".pdf": 8})
    monkeypatch.setattr(contact, "ON_A_PAGE", 3)
    one = Suggested(picture(tmp_path), "cat.png", [], [Match(f"tag{i}", -i) for i in range(40)])
    assert save_contact_sheet([one] * 5, tmp_path / "sheet.svg", "Title") == (5, 5)
    assert "pictures" not in _svg_text(tmp_path / "sheet.svg")
    assert save_contact_sheet((one for _ in range(1234)), tmp_path / "sheet.svg", "Title") == (7, 1234)
    text = _svg_text(tmp_path / "sheet.svg")
    assert "Title · the first 7 of 1,234 pictures" in text
    assert text.count("tag11") == 7
    assert "tag12" not in text
    assert save_contact_sheet([one] * 9, tmp_path / "sheet.pdf") == (8, 9)
    assert b"/Count 3" in (tmp_path / "sheet.pdf").read_bytes()
    assert save_contact_sheet([], tmp_path / "empty.png") == (0, 0)
    first = (tmp_path / "sheet.pdf").read_bytes()
    save_contact_sheet([one] * 9, tmp_path / "sheet.pdf")
    assert (tmp_path / "sheet.pdf").read_bytes() == first


def _svg_text(path):
    return " ".join(ElementTree.parse(path).getroot().itertext())  # noqa: S314  # it is the test's own


def test_letters_that_no_font_has_are_named_once(tmp_path):
    one = Suggested(picture(tmp_path), "猫.png", ["犬"], [Match("\U000f0000", 1.0)])
    for name in ("sheet.png", "sheet.pdf"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            save_contact_sheet([one] * 3, tmp_path / name)
        (warning,) = [one for one in caught if "letters" in str(one.message)]
        assert name in str(warning.message)


def test_what_cannot_be_written_is_named_and_nothing_is_left(tmp_path):
    one = Suggested(picture(tmp_path), "cat.png", [], [])
    with pytest.raises(InputError, match=r"use one of \.png, \.svg, \.pdf"):
        save_contact_sheet([one], tmp_path / "sheet.jpg")
    with pytest.raises(InputError, match="there is no folder"):
        save_contact_sheet([one], tmp_path / "nowhere" / "sheet.png")
    with pytest.raises(ZeroDivisionError), contact_sheet(tmp_path / "sheet.png") as add:
        add(1 / 0)
    assert [path.name for path in tmp_path.iterdir()] == ["cat.png"]

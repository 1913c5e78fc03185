"""Pieces of HTML for notebooks; `tests/notebook` has them in a notebook."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import vsenumba as vse
from vsenumba import html


@pytest.mark.parametrize("piece", ["text", "panel", "note", "cell", "head", "fact", "details", "name"])
def test_no_text_is_taken_for_html(piece):
    odd = '</table><script>"x"\x1b\u202e'
    shown = {
        "text": lambda: html.text(odd),
        "panel": lambda: html.panel(odd, ""),
        "note": lambda: html.panel("", odd),
        "cell": lambda: html.table([(odd,)]),
        "head": lambda: html.table([("x",)], (odd,)),
        "fact": lambda: html.facts({odd: odd}),
        "details": lambda: html.details(odd, html.Html("")),
        "name": lambda: html.counted_names([(odd, 1)]),
    }[piece]()
    assert "<script" not in shown
    assert "&lt;script&gt;&quot;x&quot;\\x1b\\u202e" in shown


def test_html_is_not_escaped_again_and_long_texts_are_cut():
    assert html.text(html.Html("<b>")) == "<b>"
    assert html.text("a" * 1000) == "a" * 119 + "…"


def test_tables_align_numbers_and_leave_out_nothing():
    shown = html.table([("a", 1234, True), ("b", None, np.float32(0.5)), ("c",)], ("x", "y", "z"))
    assert re.findall(r"align:(\w+)\">([^<]*)<", shown) == [
        ("left", "x"), ("right", "y"), ("right", "z"),
        ("left", "a"), ("right", "1,234"), ("left", "True"),
        ("left", "b"), ("left", ""), ("right", "0.5000"),
        ("left", "c"),
    ]  # fmt: skip
    assert html.table([], ("x",)) == ""
    assert ">y<" not in html.facts({"x": 1, "y": ""})


def points_of(shown):
    return [tuple(map(float, point.split(","))) for point in re.search('points="(.*?)"', shown)[1].split()]


def test_curves_rise_where_values_rise_and_stay_small():
    xs, ys = zip(*points_of(html.curve([1, math.nan, 3, math.inf, 5])), strict=True)
    assert xs == (2, 60, 118)
    assert ys == (14, 8, 2)
    assert points_of(html.curve([1, 1, 1]))[0][1] == 14
    many = points_of(html.curve(range(1001)))
    assert 2 < len(many) <= 61
    assert many[-1] == (118, 2)
    assert points_of(html.curve([0.5, 1], low=0, high=2))[0][1] == 11
    assert html.curve([1, math.nan]) == html.curve([]) == ""


def test_bars_stay_within_their_frame():
    assert [re.search(r"width:([\d.]+)%;background", html.bar(share))[1] for share in (-1, 0.25, 7)] == [
        "0.0", "25.0", "100.0",
    ]  # fmt: skip


def test_overviews_of_large_things_are_small():
    data = vse.synthetic(3000, 500, 9000, rng=0)
    train, test = vse.leave_one_out(data, rng=0)
    model = vse.PopularityAnnotator().fit(train)
    scores = vse.evaluate(model, test, exclude=train, by="label")
    for shown in (data, model, scores, scores.groups):
        assert len(shown._repr_html_()) < 15_000
    assert "the first 12 of" in scores._repr_html_()


def test_a_model_whose_parameters_cannot_be_used_is_shown():
    model = vse.ImageAnnotator(n_epochs=1, random_state=0).fit(vse.synthetic(20, 5, 60, rng=0))
    assert re.search(r"learning_rate.*?[\d.]+ \(depends on", model._repr_html_())
    model.loss = "no loss"
    assert "no loss" in model._repr_html_()
    assert "None (depends on" in model._repr_html_()


def test_models_mark_what_differs_from_the_defaults():
    shown, hidden = vse.EaseAnnotator(l2=np.float64(2.5))._repr_html_().split("<details>")
    assert "<strong>l2</strong>" in shown
    assert ">30.0<" in shown
    assert "max_neighbours" in hidden
    assert "4 parameters at their defaults" in hidden
    assert "<details>" not in vse.PopularityAnnotator()._repr_html_()
    assert vse.EaseAnnotator()._repr_mimebundle_()["text/plain"] == "EaseAnnotator()"


def test_empty_sets_have_overviews():
    for data in (vse.AnnotationSet.from_lists([]), vse.AnnotationSet.from_lists([[]])):
        assert "pairs" in data._repr_html_()
    assert vse.History()._repr_html_().count("<table") == 0
    assert repr(vse.History()) == "<History of 0 epochs>"


def test_sets_with_all_that_they_can_have():
    rows = np.ones((3, 2, 4), np.float32)
    captions = vse.CaptionSet.from_lists(
        [*rows], [["a"], ["b"], ["c"]], classes=np.array([0, 0, 1]), parts=["train", "<b>", "train"]
    )
    assert "&lt;b&gt;" in captions._repr_html_()
    assert "classes" in captions._repr_html_()
    data = vse.AnnotationSet.from_lists([["a", "b"], ["b"]]).with_features(np.ones((2, 3), np.uint8), "<i>")
    shown = data.with_absent(np.array([[0, 0], [1, 0]]))._repr_html_()
    assert "3 × uint8, &lt;i&gt;" in shown
    assert "verified absences" in shown

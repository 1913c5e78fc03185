"""``vsenumba plan``."""

from __future__ import annotations

import json

import pytest

from vsenumba.cli.plan import Bandwidth, Count, _time


def test_it_says_what_to_take_and_why(succeeds, folder):
    outcome = succeeds("plan", "tags.csv", "--factors", "4", "--workers", "2")
    header, alone, two, _, last = outcome.out.splitlines()
    assert header.split("  ")[0] == "where"
    assert alone.startswith("this machine")
    assert two.startswith("2 workers")
    assert last.startswith("recommended: this machine (2 workers: ")
    found = json.loads(succeeds("plan", "tags.csv", "--factors", "4", "--workers", "2", "--json").out)
    assert [one["where"] for one in found["estimates"]] == ["this machine", "2 workers"]
    assert found["chosen"] == "this machine"


def test_a_set_that_is_not_there_yet_is_made_up(succeeds):
    outcome = succeeds(
        "plan", "--images", "1e2", "--labels", "20", "--pairs", "5e2", "--factors", "4", "--inputs", "ids"
    )
    assert outcome.err == "synthetic data set: 100 images, 20 labels, 500 pairs\n"
    assert "4 workers" in outcome.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give a SET, or --images, --labels and --pairs; --images is missing"),
        (("--images", "5", "--pairs", "9"), "--labels is missing"),
        (("tags.csv", "--pairs", "9"), "SET and --pairs cannot be combined"),
        (("tags.csv", "--network", "10"), "'10' is not a bandwidth; use bits per second"),
        (("tags.csv", "--network", "0Gb"), "'0Gb' is not a bandwidth"),
        (("--images", "many"), "'many' is not a positive whole number"),
        (("--images", "1.5"), "'1.5' is not a positive whole number"),
    ],
)
def test_what_cannot_be_planned_is_refused(fails, words, message):
    assert message in fails("plan", *words, status=2)


def test_units_are_those_of_networks():
    read = Bandwidth().convert
    assert [read(text, None, None) for text in ("10Gb", "100Mb", "1GB", "2.5Gbit", "1Gb/s")] == [
        1.25e9, 1.25e7, 1e9, 3.125e8, 1.25e8,
    ]  # fmt: skip
    assert [Count().convert(text, None, None) for text in ("1e9", "1_000", "7")] == [10**9, 1000, 7]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0123456, "0.0123 s"), (119, "119 s"), (120, "2.0 minutes"), (9000, "2.5 hours"), (2e6, "23.1 days")],
)
def test_long_times_are_said_in_their_units(seconds, text):
    assert _time(seconds) == text

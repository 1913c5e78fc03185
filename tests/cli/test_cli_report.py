"""``vsenumba report`` and ``--report``: what is written, what is recorded for it, and what cannot be reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from report_pages import Page

import vsenumba as vse

FIT = ("--epochs", "1", "--factors", "4", "--sampler", "uniform")


def read(path):
    return Page(Path(path).read_text(encoding="utf-8"))


def command_in(page):
    return next(text for text in page.texts if text.startswith("vsenumba "))


def test_fit_writes_a_report_and_its_command(succeeds, folder):
    outcome = succeeds("fit", "tags.csv", "-o", "m.h5", *FIT, "--report", "fit.html", "--json")
    assert "saved fit.html" in outcome.err
    page = read("fit.html")
    measured = json.loads(outcome.out)["held_out"]["metrics"]
    assert page.tables["results"][1:] == [
        [name if "@" in name else name.upper(), f"{value:.4f}"] for name, value in measured.items()
    ]
    assert "labels" in page.tables
    typed = "vsenumba fit tags.csv -o m.h5 --epochs 1 --factors 4 --sampler uniform --report fit.html --json"
    assert command_in(page) == typed
    assert vse.load_model("m.h5").provenance_["command"] == typed


def test_compare_writes_a_report_that_its_folder_gives_too(succeeds, folder):
    words = ("compare", "tags.csv", "--out", "c", "--seeds", "1", "--epochs", "1", "--factors", "4", "--threads", "1")
    succeeds(*words, "--sampler", "uniform", "--sampler", "warp", "--report", "compare.html")
    page = read("compare.html")
    assert command_in(page).startswith("vsenumba compare tags.csv --out c ")
    assert json.loads(Path("c/comparison.json").read_text())["settings"]["command"] == command_in(page)
    succeeds("report", "c", "tags.csv", "-o", "again.html")
    assert read("again.html").tables["results"] == page.tables["results"]
    assert command_in(read("again.html")) == command_in(page)


def test_evaluate_writes_a_report(succeeds, folder):
    outcome = succeeds("evaluate", "model.h5", "tags.csv", "--report", "evaluate.html", "--json")
    mrr = json.loads(outcome.out)["metrics"]["mrr"]
    assert ["MRR", f"{mrr:.4f}"] in read("evaluate.html").tables["results"]


def test_report_says_what_it_wrote(succeeds, folder):
    for i, name in enumerate(("cat-1.jpg", "oak.jpg")):
        Image.new("RGB", (30, 40), (90 * i, 0, 0)).save(folder / "photos" / name)
    document = json.loads(
        succeeds("report", "model.h5", "tags.csv", "-o", "r.html", "--pictures", "photos", "--json").out
    )
    page = read("r.html")
    assert document == {"report": "r.html", "n_bytes": Path("r.html").stat().st_size, "sections": page.headings}
    assert "img" in page.tags


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("report", "model.h5", "-o", "r.txt"), "ends in '.txt'; name it .html"),
        (("report", "gone.h5", "-o", "r.html"), "gone.h5"),
        (("report", "tags.csv", "-o", "r.html"), "tags.csv"),
        (("report", "tags.h5", "-o", "r.html"), "a report is of what 'vsenumba compare' or 'vsenumba fit' wrote"),
        (("report", "words.h5", "-o", "r.html"), "see 'vsenumba words --help'"),
        (("report", "photos", "-o", "r.html"), "holds neither runs.h5 nor model.h5"),
        (("report", "runs.h5", "tags.csv", "-o", "r.html"), "is not the one that was compared on"),
        (("report", "model.h5", "gone.csv", "-o", "r.html"), "gone.csv"),
        (("report", "model.h5", "-o", "nowhere/r.html"), "cannot write nowhere/r.html"),
        (("fit", "tags.csv", "-o", "m.h5", "--report", "r.pdf"), "name it .html"),
        (("compare", "tags.csv", "--out", "c", "--report", "nowhere/r.html"), "cannot write nowhere/r.html"),
        (("evaluate", "model.h5", "--report", "r"), "name it .html"),
    ],
)
def test_what_cannot_be_reported(fails, words, message):
    assert message in fails(*words)

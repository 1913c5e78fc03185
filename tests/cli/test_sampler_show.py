"""``vsenumba sampler show``: every sampler's law as a picture and in numbers, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

import vsenumba as vse
from vsenumba.experiments import inspect_sampler
from vsenumba.samplers import SAMPLERS

QUICK = ["--draws", "60"]
# Of a new model; what the other tests of the command line compile too.
SMALL = ["--epochs", "1", "--factors", "4", *QUICK]


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_is_drawn_and_described(succeeds, folder, name):
    outcome = succeeds("sampler", "show", name, "--model", "all.h5", *QUICK)
    lines = outcome.out.splitlines()
    assert lines[0].split()[:2] == ["sampler", name]
    assert lines[1] == "image     cat-1.jpg, with 3 labels (cat, animal, pet); 5 labels can be negatives"
    assert lines[2].startswith("draws     60, ")
    assert lines[-1] == f"saved sampler-{name}.png"
    assert outcome.err == ""
    assert (folder / f"sampler-{name}.png").read_bytes().startswith(b"\x89PNG")
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_new_model_is_trained_with_the_sampler(fails, folder, monkeypatch, name):
    def fit(self, data, **settings):
        trained.append((self.get_params(), data.n_pairs))
        raise vse.InputError("that will do")

    trained = []
    monkeypatch.setattr(vse.ImageAnnotator, "fit", fit)
    monkeypatch.setattr("vsenumba.cli.sampler.show.note", lambda text: None)
    words = ["--set", "lam=0.2"] if name in ("rank", "adaptive") else []
    assert "that will do" in fails("sampler", "show", name, "tags.csv", "--seed", "3", "--epochs", "2", *words)
    ((parameters, n_pairs),) = trained
    sampler = SAMPLERS[name](lam=0.2) if words else SAMPLERS[name]()
    expected = {"sampler": sampler, "loss": "warp" if name == "warp" else "logistic", "n_epochs": 2, "n_factors": 64}
    expected |= {"inputs": "labels", "random_state": 3, "deterministic": True}
    assert {key: parameters[key] for key in expected} == expected
    assert n_pairs == 15


def test_the_numbers_of_a_sampler_are_those_of_the_library(succeeds, folder):
    words = ("sampler", "show", "popularity", "tags.csv", "--image", "oak.jpg", "-o", "f.svg", *SMALL)
    report = json.loads(succeeds(*words, "--set", "power=1", "--json").out)
    assert (folder / "f.svg").read_text().startswith("<?xml")
    data = vse.load_dataset("tags.csv")
    sampler = vse.PopularitySampler(power=1.0)
    model = vse.ImageAnnotator(
        n_factors=4, n_epochs=1, sampler=sampler, deterministic=True, random_state=0
    ).fit(data)  # fmt: skip
    row = data.image_ids.index(["oak.jpg"])[0]
    own = data.indices[data.indptr[row] : data.indptr[row + 1]]
    law = inspect_sampler(
        sampler,
        model.embed(data)[row],
        model.label_factors_,
        own,
        label_counts=data.label_counts,
        n_draws=60,
        rng=0,
    )
    top = int(np.argmax(law.law))
    assert report.pop("most_probable")[0] == {
        "label": data.label_names[int(law.labels[top])],
        "rank": top + 1,
        "probability": pytest.approx(law.law[top]),
        "share_of_draws": pytest.approx(law.counts[top] / 60),
    }
    assert report == {
        "sampler": "popularity",
        "parameters": {"power": 1.0},
        "set": "tags.csv",
        "model": None,
        "image": "oak.jpg",
        "own_labels": data.labels_of("oak.jpg"),
        "n_draws": 60,
        "n_given_up": 0,
        "skip_probability": pytest.approx(law.skip_probability),
        "p_value": pytest.approx(law.p_value),
        "total_variation": {"rank": pytest.approx(law.from_rank), "uniform": pytest.approx(law.from_uniform)},
        "violation_probability": {"margin_1": pytest.approx(law.violation), "margin_0": pytest.approx(law.misranked)},
        "gradient_weight": pytest.approx(law.gradient_weight),
        "figure": "f.svg",
    }


def test_a_samplers_figure_and_numbers_are_the_same_every_time(succeeds, folder):
    words = ("sampler", "show", "uniform", "tags.csv", *SMALL, "-o")
    first, again = succeeds(*words, "a.svg").out, succeeds(*words, "b.svg").out
    assert first.replace("a.svg", "b.svg") == again
    assert (folder / "a.svg").read_bytes() == (folder / "b.svg").read_bytes()


def test_the_figure_names_the_sampler_the_image_and_the_set(succeeds, folder):
    succeeds("sampler", "show", "warp", "--set", "margin=2", "--model", "all.h5", "tags.csv", "-o", "f.svg", *QUICK)
    text = (folder / "f.svg").read_text()
    assert ">warp (max_trials=30, margin=2.0)" in text
    assert "for cat-1.jpg of tags.csv, vectors of all.h5</text>" in text
    succeeds("sampler", "show", "uniform", "tags.csv", "-o", "f.svg", *SMALL)
    assert ">uniform for cat-1.jpg of tags.csv, after 1 epoch</text>" in (folder / "f.svg").read_text()


def test_the_image_of_a_sampler_is_by_default_the_first_of_a_median_number_of_labels(succeeds, folder):
    # 1, 8 and 2 labels, of 9; one without any is left out, and so is one with all.
    lists = {"none": "", "one": "a", "many": "abcdefgh", "two": "ab", "again": "bc", "all": "abcdefghi"}
    vse.AnnotationSet.from_lists([list(labels) for labels in lists.values()], image_ids=lists).save("s.h5")
    report = json.loads(succeeds("sampler", "show", "uniform", "./s.h5", "--json", *SMALL).out)
    assert (report["image"], report["own_labels"]) == ("two", ["a", "b"])


def test_a_sampler_that_draws_nothing_is_described_too(succeeds, folder):
    model = vse.ImageAnnotator(inputs="ids", n_factors=2, n_epochs=1, sampler="uniform", random_state=0)
    model.fit(vse.AnnotationSet.from_lists([["a", "b"], ["c"]]))
    model.tables_["label_factors"][:] = [[9, 0], [9, 0], [0, 0]]
    model.tables_["image_factors"][:] = [1, 0]
    model.save("m.h5")
    words = ("sampler", "show", "warp", "--model", "m.h5", "--image", "0", *QUICK)
    out = succeeds(*words).out
    assert "draws     60, 60 skipped (skip probability 1.000)\nresult    no label can be drawn\n" in out
    assert "nan" not in out
    report = json.loads(succeeds(*words, "--json").out)
    assert (report["p_value"], report["gradient_weight"], report["most_probable"]) == (None, None, [])


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("adaptve tags.csv", ["unknown sampler 'adaptve'; did you mean 'adaptive'?"]),
        ("adaptive tags.csv --set lma=1", ["unknown parameter of adaptive 'lma'; did you mean 'lam'?"]),
        ("uniform tags.csv --set lam=1", ["uniform has no parameters", "lam=1"]),
        ("adaptive tags.csv --set lam=0", ["lam must be a positive, finite fraction", "not 0.0"]),
        ("rank tags.csv --set lam=nan", ["lam must be a positive, finite fraction", "not nan"]),
        ("rank tags.csv --set lam=much", ["lam must be a number, not 'much'"]),
        ("popularity tags.csv --set power=9", ["power must be from 0 to 4, not 9.0"]),
        ("dynamic tags.csv --set n_candidates=2.5", ["n_candidates must be a whole number or none, not '2.5'"]),
        ("warp tags.csv --set max_trials=nan", ["max_trials must be a whole number or none, not 'nan'"]),
        ("warp tags.csv --set max_trials=0", ["max_trials must be a whole number of at least 1"]),
        ("uniform tags.csv --image cat-3.jpg", ["unknown image 'cat-3.jpg'", "'cat-1.jpg'"]),
        ("uniform ./bare.h5 --image none", ["cannot draw a negative for 'none': it has no label", "--image"]),
        ("uniform ./bare.h5 --image all", ["cannot draw a negative for 'all': it has every label", "--image"]),
        ("uniform ./bare.h5", ["every image of ./bare.h5 has either all labels or none"]),
        ("uniform single.csv", ["cannot train on single.csv: no image has two labels", "--inputs ids", "--model"]),
        ("uniform none.csv", ["there is no file none.csv"]),
        ("uniform --model none.h5", ["cannot read none.h5"]),
        (
            "uniform --model ease.h5",
            ["ease.h5 holds a model of images and labels (ease-annotator), not", "(image-annotator)"],
        ),
        ("uniform single.csv --model all.h5", ["single.csv has labels that all.h5 was not trained on", "'apple'"]),
        ("uniform --model model.h5 --image cat-3.jpg", ["unknown image 'cat-3.jpg'"]),
        ("uniform tags.csv -o no/f.png", ["there is no folder", "no"]),
        ("uniform tags.csv -o f.gif", ["'.gif'", ".png, .svg, .pdf"]),
        ("uniform tags.csv -o .", ["it is a folder"]),
    ],
)
def test_what_a_sampler_cannot_be_shown_with_is_one_line(fails, folder, words, parts):
    (folder / "single.csv").write_text("image,tag\na,apple\nb,banana\n")
    vse.AnnotationSet.from_lists([[], ["x", "y"]], image_ids=["none", "all"]).save("bare.h5")
    line = fails("sampler", "show", *words.split())
    assert [part for part in parts if part not in line] == []


@pytest.mark.parametrize(
    "words",
    [
        "uniform tags.csv --draws 0",
        "uniform tags.csv --epochs 0",
        "uniform tags.csv --set lam",
        "uniform tags.csv --set =1",
        "uniform tags.csv --set lam=",
        "uniform --model model.h5 --epochs 3",
        "uniform --model model.h5 --factors 3",
        "",
    ],
)
def test_wrong_usage_of_the_sampler_commands_is_status_2(fails, words):
    assert "Error: " in fails("sampler", "show", *words.split(), status=2)


def test_fit_takes_the_samplers_parameters_too(succeeds, fails, folder):
    words = ("fit", "tags.csv", "-o", "of-four.h5", "--epochs", "1", "--factors", "4", "--sampler", "adaptive")
    succeeds(*words, "--set", "n_candidates=4", "--set", "lam=0.1")
    assert vse.load_model("of-four.h5").sampler == vse.AdaptiveSampler(n_candidates=4, lam=0.1)
    assert "did you mean 'n_candidates'" in fails(*words, "--set", "candidates=4")
    assert "n_candidates must be a whole number of at least 1 or None, not 0" in fails(
        *words, "--set", "n_candidates=0"
    )
    # Of the default sampler too, which used to be refused.
    succeeds(*words[:-2], "--set", "n_candidates=4")
    assert vse.load_model("of-four.h5").sampler == vse.AdaptiveSampler(n_candidates=4, lam=0.1)

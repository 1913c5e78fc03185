"""The command line: what a newcomer types works."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click
import numba
import numpy as np
import pytest
from blas_threads import blas_threads
from command_line import SMALL, TAGS, in_a_process

import vsenumba as vse
from vsenumba import plotting
from vsenumba.cli import compare as compare_command
from vsenumba.cli import demo as demo_command
from vsenumba.training import History

# What a newcomer types.


def test_a_table_written_by_hand_is_fitted_evaluated_annotated_and_searched(succeeds, folder):
    fitted = succeeds("fit", "tags.csv", "-o", "m.h5", *SMALL)
    assert "(measured on 5 held-out pairs of 5 images, from 15 pairs in all)" in fitted.out
    assert "trained   1 epoch on all 6 images, 8 labels, 15 pairs" in fitted.out
    assert "saved     m.h5" in fitted.out
    # Every command it suggests works.
    suggested = [line.strip() for line in fitted.err.splitlines() if line.startswith("  vsenumba ")]
    assert [line.split()[1] for line in suggested] == ["evaluate", "annotate", "find"]
    evaluated, annotated, found = (succeeds(*shlex.split(line)[1:]) for line in suggested)
    assert evaluated.out.startswith(
        "measured on 5 held-out pairs of 5 images, from 15 pairs in all (the saved model was"
    )
    assert annotated.out.startswith("cat-1.jpg\nknown labels: ")
    assert found.out.splitlines()[0].split() == ["image", "score"]


def test_what_is_saved_knows_all_pairs_and_what_was_measured_did_not(succeeds, folder):
    """Found 2026-11: suggestions were labels that images have, since one of each was held out, to be measured."""
    fitted = json.loads(succeeds("fit", "tags.csv", "-o", "m.h5", "--json", *SMALL).out)
    assert (fitted["n_pairs"], fitted["held_out"]["n_pairs"], fitted["held_out"]["of_pairs"]) == (15, 5, 15)
    data, model = vse.load_dataset("tags.csv"), vse.load_model("m.h5")
    assert model.seen_.digest() == data.digest()
    for line in succeeds("annotate", "m.h5", "--all", "-n", "3").out.splitlines()[1:]:
        image, label, _ = line.split(",")
        assert label not in data.labels_of(image)
    found = json.loads(succeeds("find", "m.h5", "animal", "--json").out)["images"]
    assert not any("animal" in data.labels_of(one["name"]) for one in found)
    # What was measured is of a model that was not trained on the held-out pairs.
    train, test = vse.leave_one_out(data, rng=0)
    apart = vse.ImageAnnotator(n_epochs=1, n_factors=4, sampler="uniform", random_state=0).fit(train)
    scores = vse.evaluate(apart, test, exclude=train, metrics=("mrr",))
    assert fitted["held_out"]["metrics"]["mrr"] == pytest.approx(scores.mean["mrr"], abs=0.2)


def test_evaluate_says_what_fit_measured(succeeds, fails, folder):
    words = ("fit", "tags.csv", "-o", "m.h5", "--metric", "map", "--metric", "recall@2")
    fitted = json.loads(succeeds(*words, "--json", *SMALL).out)
    for source in ([], ["tags.csv"], ["tags.h5"]):
        assert json.loads(succeeds("evaluate", "m.h5", *source, "--json").out) == fitted["held_out"]
    assert list(fitted["held_out"]["metrics"]) == ["map", "recall@2"]
    assert list(json.loads(succeeds("evaluate", "m.h5", "--metric", "map", "--json").out)["metrics"]) == ["map"]
    assert "mrr was not measured when m.h5 was trained, only map, recall@2" in fails(
        "evaluate", "m.h5", "--metric", "mrr"
    )
    # Of a part of the set it has learnt from all pairs too, but not these were measured.
    (folder / "part.csv").write_text("".join(f"{line}\n" for line in TAGS.splitlines()[:4]))
    assert "was trained on every pair of the data set" in fails("evaluate", "m.h5", "part.csv")


def test_a_model_that_learns_more_is_no_longer_what_was_measured(succeeds, folder):
    succeeds("fit", "tags.csv", "-o", "m.h5", *SMALL)
    model = vse.load_model("m.h5")
    assert "measured" in model.provenance_
    assert "measured" not in model.partial_fit([["cat", "pet"]]).provenance_


def test_fit_learns_from_all_pairs_where_nothing_is_to_be_held_out(succeeds, fails, folder):
    report = json.loads(succeeds("fit", "tags.csv", "-o", "m.h5", "--hold-out", "none", "--json", *SMALL).out)
    assert (report["n_pairs"], report["held_out"]) == (15, None)
    assert "m.h5 was trained on every pair of the data set" in fails("evaluate", "m.h5", "tags.csv")
    assert "no quality was measured when m.h5 was trained" in fails("evaluate", "m.h5")


def test_fit_says_so_where_no_label_can_be_spared(succeeds, folder):
    (folder / "single.csv").write_text("image,tag\na,cat\nb,dog\n")
    outcome = succeeds("fit", "single.csv", "-o", "m.h5", "--inputs", "ids", *SMALL)
    assert "quality is not measured" in outcome.err
    assert "quality" not in outcome.out


def test_fit_leaves_something_to_learn_from_where_no_image_has_three_labels(succeeds, folder):
    (folder / "two.csv").write_text("image,tag\na,cat\na,pet\nb,dog\nb,pet\nc,cat\nc,dog\nd,dog\nd,pet\n")
    outcome = succeeds("fit", "two.csv", "-o", "m.h5", *SMALL)
    assert "no image has more than two labels" in outcome.err
    assert "measured on 2 held-out pairs of 2 images, from 8 pairs in all" in outcome.out


def test_fit_stops_early_and_keeps_the_best_epoch(succeeds, folder):
    words = ("fit", "tags.csv", "-o", "m.h5", "--sampler", "uniform", "--factors", "4", "--epochs", "50")
    assert "kept      epoch " in succeeds(*words, "--patience", "2").out
    report = json.loads(succeeds(*words, "--patience", "2", "--json").out)
    assert report["n_epochs"] == report["best_epoch"] < 50
    # The rates are those of the schedule that was measured.
    assert vse.load_model("m.h5").history_[-1]["learning_rate"] > 0.01


def test_fit_passes_every_option_on(succeeds, folder):
    words = "--inputs ids --loss hinge --optimiser sgd --learning-rate 0.05 --schedule linear --l2 0 --negatives 2"
    succeeds("fit", "tags.csv", "-o", "m.h5", *words.split(), "--seed", "7", "--threads", "1", *SMALL)
    model = vse.load_model("m.h5")
    expected = {
        "inputs": "ids", "loss": "hinge", "optimiser": "sgd", "learning_rate": 0.05, "schedule": "linear", "l2": 0.0,
        "n_negatives": 2, "random_state": 7, "n_epochs": 1, "n_factors": 4, "sampler": "uniform",
    }  # fmt: skip
    assert {name: getattr(model, name) for name in expected} == expected
    assert (model.provenance_["device"], model.provenance_["n_threads"]) == ("cpu", 1)


def test_fit_has_the_defaults_of_the_model(succeeds, folder):
    succeeds("fit", "tags.csv", "-o", "m.h5", "--sampler", "uniform", "--threads", "1")
    assert vse.load_model("m.h5").get_params() == vse.ImageAnnotator(sampler="uniform", random_state=0).get_params()
    assert "[default: 64" in succeeds("fit", "--help").out


def test_what_is_not_defined_is_said_to_be_so(succeeds, folder):
    """Found 2026-11: AUC is not defined where each label is held out or known; the model could not be saved."""
    (folder / "all.csv").write_text("image,tag\n" + "".join(f"{i},a\n{i},b\n{i},c\n" for i in range(6)) + "6,a\n")
    assert (
        "mrr 1.000, recall@5 1.000, recall@10 1.000, auc undefined"
        in succeeds("fit", "all.csv", "-o", "m.h5", "--inputs", "ids", *SMALL).out
    )
    assert json.loads(succeeds("evaluate", "m.h5", "--json").out)["metrics"]["auc"] is None
    assert ["auc", "undefined"] in [line.split() for line in succeeds("evaluate", "m.h5").out.splitlines()]
    pairs = "".join(f"{i},a\n{i},b\n" for i in range(5)) + "5,a\n5,c\n6,a\n"
    (folder / "train.csv").write_text(f"image,tag\n{pairs}")
    succeeds("fit", "train.csv", "-o", "m.h5", "--hold-out", "none", *SMALL)
    outcome = succeeds("evaluate", "m.h5", "all.csv", "--metric", "auc")
    assert outcome.out.split()[-2:] == ["auc", "undefined"]


def test_evaluate_leaves_out_what_is_new_to_the_model_and_says_so(folder):
    (folder / "new.csv").write_text(TAGS + "cat-1.jpg,whiskers\nnew.jpg,cat\nnew.jpg,pet\n")
    outcome = in_a_process("evaluate", "model.h5", "new.csv")
    assert outcome.status == 0
    assert "5 unseen pairs of 5 images" in outcome.out
    assert outcome.err.splitlines() == [
        "warning: skipped 1 of 18 pair(s) in new.csv: the model does not know 1 label(s), 'whiskers'",
        "warning: skipped 2 pairs of 1 unknown image in new.csv: unknown image 'new.jpg'; did you mean 'rose.jpg' or "
        "'fern.jpg' or 'oak.jpg'?",
    ]


def test_evaluate_refuses_what_it_cannot_test(fails, folder):
    (folder / "images.csv").write_text("image,tag\nnew.jpg,cat\n")
    (folder / "labels.csv").write_text("image,tag\ncat-1.jpg,new\n")
    assert "knows no image of images.csv" in fails("evaluate", "model.h5", "images.csv")
    assert "knows no label of labels.csv" in fails("evaluate", "model.h5", "labels.csv")


def test_annotate_suggests_labels_for_known_and_for_new_images(succeeds, folder):
    words = ("annotate", "model.h5", "rose.jpg", "--labels", "cat, animal", "-n", "2")
    known, new = json.loads(succeeds(*words, "--json").out)
    model = vse.load_model("model.h5")
    assert known["known"] == model.seen_.labels_of("rose.jpg")
    assert [tuple(one.values()) for one in known["suggestions"]] == model.annotate(["rose.jpg"], n=2)[0]
    assert (new["image"], new["known"], len(new["suggestions"])) == (None, ["cat", "animal"], 2)
    assert not {"cat", "animal"} & {one["name"] for one in new["suggestions"]}
    text = succeeds(*words).out
    assert text.startswith("rose.jpg\nknown labels: ")
    assert "\nnew image\nknown labels: cat, animal\n" in text


@pytest.mark.parametrize("model", ["model.h5", "ease.h5"])
def test_annotate_and_find_work_with_every_kind_of_model(succeeds, folder, model):
    assert succeeds("annotate", model, "--labels", "cat").out.startswith("new image\nknown labels: cat\n")
    found = json.loads(succeeds("find", model, "plant", "--include-known", "-n", "6", "--json").out)
    assert {one["name"] for one in found["images"]} == set(vse.load_dataset("tags.csv").image_ids)


@pytest.mark.parametrize("words", [["annotate", "model.h5", "--all"], ["find", "model.h5", "cat"]])
def test_threads_are_limited_while_suggestions_are_computed(succeeds, folder, monkeypatch, words):
    heard = []

    def score_block(self, *given):
        heard.append({*blas_threads()})
        return original(self, *given)

    original = vse.ImageAnnotator.score_block
    monkeypatch.setattr(vse.ImageAnnotator, "score_block", score_block)
    succeeds(*words, "--threads", "1")
    assert heard == [{1}]


def test_labels_with_commas_and_quotes_can_be_given(succeeds, folder):
    """Found 2026-11: a label with a comma could not be given to --labels, which took it for two."""
    rows = [f'{image},"{label}"\n' for image in "abc" for label in ("New York, NY", 'a 5"" disk', "city", image)]
    (folder / "odd.csv").write_text("image,tag\n" + "".join(rows))
    succeeds("fit", "odd.csv", "-o", "m.h5", "--separator", "none", *SMALL)
    for given, known in (
        ('"New York, NY",city', ["New York, NY", "city"]),
        ('city, "New York, NY" ', ["city", "New York, NY"]),
        ('a 5" disk,city', ['a 5" disk', "city"]),
    ):
        (new,) = json.loads(succeeds("annotate", "m.h5", "--labels", given, "--json").out)
        assert new["known"] == known
        assert not {one["name"] for one in new["suggestions"]} & set(known)


@pytest.mark.parametrize("given", ["cat\ndog", "cat,\rdog"])
def test_labels_on_several_lines_are_wrong_usage(run, folder, given):
    """Found 2026-11: "internal error: Error: new-line character seen in unquoted field"."""
    outcome = run("annotate", "model.h5", "--labels", given)
    assert outcome.status == 2
    assert "--labels expects comma-separated labels on one line" in outcome.err


def test_annotate_all_is_a_table_of_every_image(succeeds, folder):
    lines = succeeds("annotate", "model.h5", "--all", "-n", 2).out.splitlines()
    assert lines[0] == "image,label,score"
    images = [line.split(",")[0] for line in lines[1:]]
    assert sorted(set(images)) == sorted(vse.load_dataset(folder / "tags.csv").image_ids)
    assert len(images) == 2 * len(set(images))


@pytest.mark.filterwarnings("ignore:.* have no label", "ignore:no labels are suggested")
def test_there_may_be_nothing_left_to_suggest_or_to_find(succeeds, folder):
    """And of a picture without tags nothing is known, which was put as "there is no other label" (found 2026-11)."""
    (folder / "full.csv").write_text("image,tag\na,cat\na,pet\na,dog\nb,cat\nb,pet\nc,cat\nd,\n")
    succeeds("fit", "full.csv", "-o", "m.h5", "--hold-out", "none", *SMALL)
    assert "the image has every label" in succeeds("annotate", "m.h5", "a").out
    assert succeeds("annotate", "m.h5", "d").out.splitlines()[-1] == "no suggestions"
    (folder / "full.csv").write_text("image,tag\na,cat\na,pet\na,dog\nb,cat\nb,pet\n")
    succeeds("fit", "full.csv", "-o", "m.h5", "--hold-out", "none", *SMALL)
    assert "every image already has the label 'cat'" in succeeds("find", "m.h5", "cat").out


def test_export_writes_arrays_without_pickle(succeeds, folder):
    model = vse.load_model("model.h5")
    for what, names, factors in (
        ("labels", model.label_names_, model.label_factors_),
        ("images", model.image_ids_, model.embed(model.seen_)),
    ):
        succeeds("export", "model.h5", "-o", "e.npz", "--what", what)
        with np.load("e.npz", allow_pickle=False) as archive:
            assert archive["names"].tolist() == list(names)
            np.testing.assert_array_equal(archive["factors"], factors)


def test_export_writes_the_text_format_of_word2vec(succeeds, folder):
    (folder / "blank.csv").write_text(TAGS + "cat-1.jpg,black cat\ncat-2.jpg,black cat\n")
    succeeds("fit", "blank.csv", "-o", "m.h5", *SMALL)
    succeeds("export", "m.h5", "-o", "e.vec")
    head, *lines = (folder / "e.vec").read_text().splitlines()
    model = vse.load_model("m.h5")
    assert head == f"{len(model.label_names_)} 4"
    words = [line.split(" ") for line in lines]
    assert [word for word, *_ in words] == [name.replace(" ", "_") for name in model.label_names_]
    np.testing.assert_array_equal(np.array([row for _, *row in words], np.float32), model.label_factors_)


def test_export_warns_of_names_that_become_the_same(tmp_path):
    from vsenumba.data.vector_files import write_vectors

    with pytest.warns(UserWarning, match="'black_cat'"):
        write_vectors(tmp_path / "e.txt", vse.Vocabulary(["black cat", "black_cat"], "label"), np.ones((2, 1), "f4"))


def test_plot_merges_files_and_names_what_stands_in_both(succeeds, folder, monkeypatch):
    (folder / "other.h5").write_bytes((folder / "runs.h5").read_bytes())
    drawn = {}

    def figure(histories, **settings):
        drawn.update(names=list(histories), **settings)
        return original(histories, **settings)

    original = plotting.convergence_figure
    monkeypatch.setattr("vsenumba.plotting.convergence_figure", figure)
    succeeds("plot", "runs.h5", "other.h5", "-o", "f.svg", "--metric", "recall@5")
    assert (drawn["names"], drawn["metric"]) == (["uniform (runs)", "uniform (other)"], "recall@5")
    assert drawn["references"] == {"EASE (runs)": 0.4, "EASE (other)": 0.4}
    assert (folder / "f.svg").read_text().startswith("<?xml")


def test_data_import_prunes_and_says_what_was_left_out(succeeds, folder):
    outcome = succeeds("data", "import", "tags.csv", "-o", "t.h5", "--min-labels-per-image", "2")
    assert outcome.out == "saved t.h5: 5 images, 8 labels, 14 pairs\ndropped: 1 image, 0 labels, 1 pair\n"
    assert vse.load_dataset("t.h5").n_pairs == 14


def test_data_import_takes_columns(succeeds, folder):
    (folder / "odd.csv").write_text("who;what;when\na;cat;1\n")
    succeeds("data", "import", "odd.csv", "-o", "t.h5", "--image-column", "who", "--label-column", "what")
    assert vse.load_dataset("t.h5").labels_of("a") == ["cat"]


WIDE = "image,cat,dog,tree\n" + "".join(
    f"{image},0.9,{0.8 * (i % 3 > 0)},{i % 4 / 2}\n"
    for i, image in enumerate(["cat-1.jpg", "cat-2.jpg", "dog.jpg", "rose.jpg", "oak.jpg", "fern.jpg"])
)


@pytest.mark.parametrize(
    "words",
    [
        ("data", "info", "wide.csv"),
        ("data", "split", "wide.csv", "--out", "parts"),
        ("data", "import", "wide.csv", "-o", "w.h5"),
        ("fit", "wide.csv", "-o", "w.h5", *SMALL),
        ("evaluate", "model.h5", "wide.csv"),
        ("compare", "wide.csv", "--out", "c", "--sampler", "uniform", "--epochs", "1"),
        ("sampler", "show", "uniform", "wide.csv", "-o", "law.png"),
    ],
)
def test_every_command_that_takes_a_set_takes_how_it_is_read(run, folder, words):
    (folder / "wide.csv").write_text(WIDE)
    asked = run(*words)
    assert asked.status == 1
    assert "--threshold" in asked.err
    told = run(*words, "--threshold", "0.5", "--format", "one-hot", "--image-column", "image")
    assert told.status == 0, told.err


def test_data_info_describes_a_set(succeeds, folder):
    facts = json.loads(succeeds("data", "info", "tags.csv", "--json").out)
    assert (facts["n_images"], facts["n_labels"], facts["n_pairs"]) == (6, 8, 15)
    assert facts["labels_per_image"] == {"min": 1, "median": 3, "max": 3}
    assert facts["frequent"][0] == {"label": "animal", "n_images": 3}
    assert facts["sha256"] == vse.load_dataset("tags.h5").digest()
    assert "most frequent" in succeeds("data", "info", "tags.csv").out


def test_data_info_describes_sets_with_nothing_in_them(succeeds, folder):
    for shape in ((0, 0), (2, 3)):
        vse.AnnotationSet.from_csr(np.zeros(shape, bool)).save("empty.h5")
        assert "pairs           0" in succeeds("data", "info", "empty.h5").out
        assert json.loads(succeeds("data", "info", "empty.h5", "--json").out)["n_images"] == shape[0]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ([], ["test.h5", "train.h5"]),
        (["--method", "holdout", "--fraction", "0.3"], ["test.h5", "train.h5"]),
        (["--method", "kfold", "--folds", "2"], ["test-1.h5", "test-2.h5", "train-1.h5", "train-2.h5"]),
    ],
)
def test_data_split_divides_all_pairs(succeeds, folder, words, names):
    succeeds("data", "split", "tags.csv", "--out", "deep/parts", *words)
    parts = {path.name: vse.load_dataset(path) for path in Path("deep/parts").iterdir()}
    assert sorted(parts) == names
    for train, test in zip(names[len(names) // 2 :], names[: len(names) // 2], strict=True):
        assert parts[train].n_pairs + parts[test].n_pairs == 15


def test_data_synth_has_the_size_asked_for(succeeds, folder):
    succeeds("data", "synth", "-o", "s.h5", "--images", "30", "--labels", "10", "--pairs", "90")
    data = vse.load_dataset("s.h5")
    assert (*data.shape, data.n_pairs) == (30, 10, 90)


def test_compare_writes_everything_and_prints_a_table(succeeds, folder):
    vse.synthetic(60, 12, 240, rng=0).save("s.h5")
    words = (
        "compare",
        "s.h5",
        "--out",
        "cmp",
        "--sampler",
        "uniform",
        "--seeds",
        "2",
        "--epochs",
        "2",
        "--factors",
        "4",
    )
    outcome = succeeds(*words)
    assert sorted(path.name for path in Path("cmp").iterdir()) == sorted(compare_command.FILES)
    document = json.loads(Path("cmp/comparison.json").read_text())
    assert list(document["samplers"]) == ["uniform"]
    assert len(document["samplers"]["uniform"]["runs"]) == 2
    lines = outcome.out.splitlines()
    assert lines[0].split()[:9] == ["sampler", "loss", "best", "MRR", "s", "to", "best", "s", "to"]
    assert lines[0].split()[10:] == ["M", "steps/s"]
    assert lines[1].split()[:2] == ["uniform", "logistic"]
    assert "popularity ranking" in outcome.out
    assert "EASE" in outcome.out
    assert max(map(len, lines)) <= 100
    for line in outcome.err.splitlines():
        if line.startswith("  vsenumba "):
            succeeds(*shlex.split(line)[1:])
    again = json.loads(succeeds(*words, "--json", "--force").out)
    assert again["settings"].pop("command") == document["settings"].pop("command") + " --json --force"
    assert again["settings"] == document["settings"]


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="takes minutes without the compiler")
def test_demo_shows_what_it_is_for(succeeds, folder, monkeypatch):
    # One sampler: how six are compared is the business of `compare`.
    def only_uniform(data, source, out, settings, **how):
        return original(data, source, out, settings | {"samplers": ["uniform"], "n_factors": 4, "n_epochs": 1}, **how)

    original = compare_command.run_and_write
    monkeypatch.setattr(demo_command, "run_and_write", only_uniform)
    outcome = succeeds("demo", "--quick")
    assert outcome.out.count("    suggested ") == 3
    assert "Best matches for 'animal'" in outcome.out
    assert sorted(path.name for path in Path("vsenumba-demo").iterdir()) == sorted(compare_command.FILES)
    suggested = [shlex.split(line)[1:] for line in outcome.err.splitlines() if line.startswith("  vsenumba ")]
    assert [words[0] for words in suggested] == ["annotate", "find", "plot", "fit"]
    for words in suggested[:-1]:
        succeeds(*words)
    # Its own folder is there to be written again.
    document = json.loads(succeeds("demo", "--quick", "--json").out)
    assert len(document["pictures"]) == 3
    data = vse.load_dataset("openclipart")
    for picture in document["pictures"]:
        assert picture["known"] == data.labels_of(picture["image"])
        assert not {one["name"] for one in picture["suggestions"]} & set(picture["known"])


def test_every_cell_of_the_table_says_something():
    """Two columns asked who had reached WARP's best, and said "-" of nearly all."""
    from vsenumba.cli.comparison_table import comparison_table

    def history(*values):
        history = History()
        for i, value in enumerate(values):
            record = {"epoch": i + 1, "seconds": i + 1.0, "steps": 1e6 * (i + 1), "mrr": value, "validation_mrr": value}
            history.append(record)
        return history

    curves = {
        "uniform": [history(0.1, 0.2), history(0.1, 0.3)],
        "warp": [history(0.2, 0.5), history(0.2, 0.5)],
        "dynamic": [history(0.1, 0.5), history(0.1, 0.4)],
        "adaptive": [history(0.6, 0.6), history(0.6, 0.6)],
    }
    runs = [vse.Run(name, "logistic", seed, one) for name, both in curves.items() for seed, one in enumerate(both)]
    settings = {"metric": "mrr", "n_seeds": 2, "data": {"n_test_pairs": 7}}
    lines = click.unstyle(comparison_table(vse.Comparison(runs, {}, settings))).splitlines()
    rows = {line.split()[0]: line.split()[4:] for line in lines[1:5]}
    # The lowest best is uniform's .2, of its first seed.
    assert lines[0].split()[-9:] == ["s", "to", "best", "s", "to", "0.200", "speed-up", "M", "steps/s"]
    assert rows["uniform"] == ["2.000", "2.000", "0.5x", "1.00"]
    assert rows["warp"] == ["2.000", "1.000", "1.0x", "1.00"]
    assert rows["dynamic"] == ["2.000", "2.000", "0.5x", "1.00"]
    assert rows["adaptive"] == ["1.000", "1.000", "1.0x", "1.00"]
    assert "s to 0.200: training time to this MRR, which every run reached." in lines
    alone = vse.Comparison([run for run in runs if run.sampler != "warp"], {}, settings)
    assert "speed-up" not in comparison_table(alone)

"""The command line: what a newcomer types works, what goes wrong is one line, and help tells the truth."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import click
import h5py
import numba
import numpy as np
import pytest
import scipy.sparse as sp
from click.shell_completion import ShellComplete

import vsenumba as vse
from vsenumba.cli import compare as compare_command
from vsenumba.cli import demo as demo_command
from vsenumba.cli.app import cli
from vsenumba.cli.output import as_json_text, counted, table
from vsenumba.errors import unknown_name
from vsenumba.training import History

# What every other test module compiles too, and little of it.
SMALL = ["--epochs", "1", "--factors", "4", "--sampler", "uniform"]
TAGS = "image,tag\n" + "".join(
    f"{image},{tag}\n"
    for image, tags in {
        "cat-1.jpg": "cat animal pet",
        "cat-2.jpg": "cat animal",
        "dog.jpg": "dog animal pet",
        "rose.jpg": "flower plant garden",
        "oak.jpg": "tree plant garden",
        "fern.jpg": "plant",
    }.items()
    for tag in tags.split()
)


class Outcome(NamedTuple):
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys):
    def run(*words):
        with pytest.raises(SystemExit) as stop:
            cli.main([str(word) for word in words], prog_name="vsenumba")
        return Outcome(int(stop.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def succeeds(run):
    def succeeds(*words):
        outcome = run(*words)
        assert outcome.status == 0, outcome.err
        return outcome

    return succeeds


@pytest.fixture
def fails(run, folder):
    """Run a command that must fail with one line, print no result and leave nothing behind."""

    def fails(*words, status=1):
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        outcome = run(*words)
        after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert outcome.status == status
        assert outcome.out == ""
        assert before == after
        if status == 1:
            assert outcome.err.startswith("error: ")
            assert outcome.err.count("\n") == 1
        return outcome.err

    return fails


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A folder of the files that commands take; made once."""
    folder = tmp_path_factory.mktemp("originals")
    (folder / "tags.csv").write_text(TAGS)
    data = vse.load_dataset(folder / "tags.csv")
    data.save(folder / "tags.h5")
    train, _ = vse.leave_one_out(data, rng=0)
    vse.ImageAnnotator(n_factors=4, n_epochs=1, sampler="uniform", random_state=0).fit(train).save(folder / "model.h5")
    vse.ImageAnnotator(n_factors=4, n_epochs=1, sampler="uniform", random_state=0).fit(data).save(folder / "all.h5")
    vse.EaseAnnotator().fit(train).save(folder / "ease.h5")
    history = History()
    for epoch in (1, 2):
        values = {"mrr": 0.5 * epoch, "recall@5": 0.5, "validation_mrr": 0.5}
        history.append({"epoch": epoch, "seconds": 0.1 * epoch, "steps": 10 * epoch, "trials": 1.0} | values)
    runs = [vse.Run("uniform", "logistic", 0, history)]
    references = {"EASE": {"mrr": 0.6, "recall@5": 0.4}}
    vse.Comparison(runs, references, {"metric": "mrr"}).save(folder / "runs.h5")
    return folder


@pytest.fixture
def folder(originals, tmp_path, monkeypatch):
    """Return the current folder, with copies of the files."""
    for path in originals.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commands(group=cli, words=()):
    """Yield every command with the words that lead to it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))


def examples(command):
    return [line.strip() for line in command.epilog.splitlines() if line.strip().startswith("vsenumba ")]


COMMANDS = dict(commands())
EXAMPLES = [example for command in COMMANDS.values() for example in examples(command)]


# What a newcomer types.


def test_a_table_written_by_hand_is_fitted_evaluated_annotated_and_searched(succeeds, folder):
    fitted = succeeds("fit", "tags.csv", "-o", "m.h5", *SMALL)
    assert "held out  5 pairs of 5 images: mrr " in fitted.out
    assert "saved     m.h5" in fitted.out
    # Every command it suggests works.
    suggested = [line.strip() for line in fitted.err.splitlines() if line.startswith("  vsenumba ")]
    assert [line.split()[1] for line in suggested] == ["evaluate", "annotate", "find"]
    evaluated, annotated, found = (succeeds(*shlex.split(line)[1:]) for line in suggested)
    assert "5 pairs of 5 images that the model has not seen" in evaluated.out
    assert annotated.out.startswith("cat-1.jpg\nhas: ")
    assert found.out.splitlines()[0].split() == ["image", "score"]


def test_fit_and_evaluate_agree_on_the_held_out_pairs(succeeds, folder):
    fitted = json.loads(succeeds("fit", "tags.csv", "-o", "m.h5", "--json", *SMALL).out)
    evaluated = json.loads(succeeds("evaluate", "m.h5", "tags.csv", "--json").out)
    assert evaluated == fitted["held_out"]
    assert evaluated["n_images"] == evaluated["n_pairs"] == 5
    assert fitted["n_pairs"] == 10


def test_fit_learns_from_all_pairs_where_nothing_is_to_be_held_out(succeeds, fails, folder):
    report = json.loads(succeeds("fit", "tags.csv", "-o", "m.h5", "--hold-out", "none", "--json", *SMALL).out)
    assert (report["n_pairs"], report["held_out"]) == (15, None)
    assert "seen every pair of tags.csv" in fails("evaluate", "m.h5", "tags.csv")


def test_fit_says_so_where_no_label_can_be_spared(succeeds, folder):
    (folder / "single.csv").write_text("image,tag\na,cat\nb,dog\n")
    outcome = succeeds("fit", "single.csv", "-o", "m.h5", "--inputs", "ids", *SMALL)
    assert "no label can be spared" in outcome.err
    assert "held out" not in outcome.out


def test_fit_leaves_something_to_learn_from_where_no_image_has_three_labels(succeeds, folder):
    (folder / "two.csv").write_text("image,tag\na,cat\na,pet\nb,dog\nb,pet\nc,cat\nc,dog\nd,dog\nd,pet\n")
    outcome = succeeds("fit", "two.csv", "-o", "m.h5", *SMALL)
    assert "no image has three labels" in outcome.err
    assert "held out  2 pairs of 2 images" in outcome.out


def test_fit_stops_early_and_keeps_the_best_epoch(succeeds, folder):
    words = ("fit", "tags.csv", "-o", "m.h5", "--sampler", "uniform", "--factors", "4", "--epochs", "50")
    assert "kept      epoch " in succeeds(*words, "--patience", "2").out
    report = json.loads(succeeds(*words, "--patience", "2", "--json").out)
    assert report["n_epochs"] <= report["best_epoch"] + 2


def test_fit_passes_every_option_on(succeeds, folder):
    words = "--inputs ids --loss hinge --optimiser sgd --learning-rate 0.05 --schedule linear --l2 0 --negatives 2"
    succeeds("fit", "tags.csv", "-o", "m.h5", *words.split(), "--seed", "7", "--threads", "1", *SMALL)
    model = vse.load_model("m.h5")
    expected = {
        "inputs": "ids", "loss": "hinge", "optimiser": "sgd", "learning_rate": 0.05, "schedule": "linear", "l2": 0.0,
        "n_negatives": 2, "random_state": 7, "n_threads": 1, "n_epochs": 1, "n_factors": 4, "sampler": "uniform",
    }  # fmt: skip
    assert {name: getattr(model, name) for name in expected} == expected


def test_fit_has_the_defaults_of_the_model(succeeds, folder):
    succeeds("fit", "tags.csv", "-o", "m.h5", "--sampler", "uniform", "--threads", "1")
    assert (
        vse.load_model("m.h5").get_params()
        == vse.ImageAnnotator(sampler="uniform", n_threads=1, random_state=0).get_params()
    )
    assert "[default: 64" in succeeds("fit", "--help").out


def test_evaluate_leaves_out_what_is_new_to_the_model_and_says_so(folder):
    (folder / "new.csv").write_text(TAGS + "cat-1.jpg,whiskers\nnew.jpg,cat\nnew.jpg,pet\n")
    outcome = in_a_process("evaluate", "model.h5", "new.csv")
    assert outcome.status == 0
    assert "5 pairs of 5 images" in outcome.out
    assert outcome.err.splitlines() == [
        "warning: 2 pairs left out: the image is new to the model",
        "warning: 1 pair left out: the label is new to the model",
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
    assert text.startswith("rose.jpg\nhas: ")
    assert "\nnew image\nhas: cat, animal\n" in text


@pytest.mark.parametrize("model", ["model.h5", "ease.h5"])
def test_annotate_and_find_work_with_every_kind_of_model(succeeds, folder, model):
    assert succeeds("annotate", model, "--labels", "cat").out.startswith("new image\nhas: cat\n")
    found = json.loads(succeeds("find", model, "plant", "--include-known", "-n", "6", "--json").out)
    assert {one["name"] for one in found["images"]} == set(vse.load_dataset("tags.csv").image_ids)


def test_annotate_all_is_a_table_of_every_image(succeeds, folder):
    lines = succeeds("annotate", "model.h5", "--all", "-n", 2).out.splitlines()
    assert lines[0] == "image,label,score"
    images = [line.split(",")[0] for line in lines[1:]]
    assert sorted(set(images)) == sorted(vse.load_dataset(folder / "tags.csv").image_ids)
    assert len(images) == 2 * len(set(images))


def test_there_may_be_nothing_left_to_suggest_or_to_find(succeeds, folder):
    (folder / "full.csv").write_text("image,tag\na,cat\na,pet\nb,cat\nb,pet\n")
    succeeds("fit", "full.csv", "-o", "m.h5", "--hold-out", "none", *SMALL)
    assert "there is no other label" in succeeds("annotate", "m.h5", "a").out
    assert "every image has the label 'cat'" in succeeds("find", "m.h5", "cat").out


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
    from vsenumba.models.export import export_factors

    with pytest.warns(UserWarning, match="'black_cat'"):
        export_factors(tmp_path / "e.txt", vse.Vocabulary(["black cat", "black_cat"], "label"), np.ones((2, 1), "f4"))


def test_plot_merges_files_and_names_what_stands_in_both(succeeds, folder, monkeypatch):
    (folder / "other.h5").write_bytes((folder / "runs.h5").read_bytes())
    drawn = {}

    def figure(histories, **settings):
        drawn.update(names=list(histories), **settings)
        return original(histories, **settings)

    original = vse.convergence_figure
    monkeypatch.setattr("vsenumba.plotting.convergence_figure", figure)
    succeeds("plot", "runs.h5", "other.h5", "-o", "f.svg", "--metric", "recall@5")
    assert (drawn["names"], drawn["metric"]) == (["uniform (runs)", "uniform (other)"], "recall@5")
    assert drawn["references"] == {"EASE (runs)": 0.4, "EASE (other)": 0.4}
    assert (folder / "f.svg").read_text().startswith("<?xml")


def test_data_import_prunes_and_says_what_was_left_out(succeeds, folder):
    outcome = succeeds("data", "import", "tags.csv", "-o", "t.h5", "--min-labels-per-image", "2")
    assert outcome.out == "saved t.h5: 5 images, 8 labels, 14 pairs\nleft out: 1 image, 0 labels, 1 pair\n"
    assert vse.load_dataset("t.h5").n_pairs == 14


def test_data_import_takes_columns(succeeds, folder):
    (folder / "odd.csv").write_text("who;what;when\na;cat;1\n")
    succeeds("data", "import", "odd.csv", "-o", "t.h5", "--image-column", "who", "--label-column", "what")
    assert vse.load_dataset("t.h5").labels_of("a") == ["cat"]


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


def test_info_names_what_a_fault_report_needs(succeeds):
    facts = json.loads(succeeds("info", "--json").out)
    assert {"vsenumba", "numba", "numpy", "python", "threads", "threading_layer", "cache", "cache_folder"} <= set(facts)
    assert facts["vsenumba"] == vse.__version__
    assert facts["data_sets"] == ["openclipart"]
    assert "threading layer" in succeeds("info").out


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
    assert lines[0].split() == ["sampler", "loss", "best", "MRR", "seconds", "M", "steps/s"]
    assert lines[1].split()[:2] == ["uniform", "logistic"]
    assert "popularity ranking" in outcome.out
    assert "EASE" in outcome.out
    assert max(map(len, lines)) <= 100
    for line in outcome.err.splitlines():
        if line.startswith("  vsenumba "):
            succeeds(*shlex.split(line)[1:])
    again = json.loads(succeeds(*words, "--json").out)
    assert again["settings"] == document["settings"]


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="takes minutes without the compiler")
def test_demo_shows_what_it_is_for(succeeds, folder, monkeypatch):
    # One sampler: how six are compared is the business of `compare`.
    def only_uniform(data, source, out, settings):
        return original(data, source, out, settings | {"samplers": ["uniform"], "n_factors": 4, "n_epochs": 1})

    original = compare_command.run_and_write
    monkeypatch.setattr(demo_command, "run_and_write", only_uniform)
    outcome = succeeds("demo", "--quick")
    assert outcome.out.count("    suggested ") == 3
    assert "Pictures without the label 'animal'" in outcome.out
    assert sorted(path.name for path in Path("vsenumba-demo").iterdir()) == sorted(compare_command.FILES)
    suggested = [shlex.split(line)[1:] for line in outcome.err.splitlines() if line.startswith("  vsenumba ")]
    assert [words[0] for words in suggested] == ["annotate", "find", "plot", "fit"]
    for words in suggested[:-1]:
        succeeds(*words)
    document = json.loads(succeeds("demo", "--quick", "--out", "again", "--json").out)
    assert len(document["pictures"]) == 3
    assert all(one["hidden"] for one in document["pictures"])


def test_the_table_says_who_reached_warp():
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
    assert lines[0].split()[-5:] == ["to", "WARP", "speed-up", "M", "steps/s"]
    assert rows["uniform"] == ["2.000", "-", "-", "1.00"]
    assert rows["warp"] == ["2.000", "2.000", "1.0x", "1.00"]
    assert rows["dynamic"] == ["2.000", "2.000", "(1/2)", "1.0x", "1.00"]
    assert rows["adaptive"] == ["1.000", "1.000", "2.0x", "1.00"]


# What goes wrong.


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("fit none.csv -o m.h5", ["there is no file none.csv"]),
        ("fit openclipar -o m.h5", ["unknown data set 'openclipar'", "did you mean 'openclipart'?"]),
        ("fit tags.csv -o no/m.h5", ["there is no folder", "no"]),
        ("fit tags.csv -o .", ["it is a folder"]),
        ("fit tags.csv -o m.h5 --sampler adaptve", ["unknown sampler 'adaptve'", "'adaptive'"]),
        ("fit tags.csv -o m.h5 --loss hing", ["unknown loss 'hing'", "'hinge'"]),
        ("fit tags.csv -o m.h5 --learning-rate -1", ["learning_rate must be positive"]),
        ("fit tags.h5 -o tags.h5", ["it is the file that is read"]),
        ("data import tags.csv -o ./tags.csv", ["it is the file that is read"]),
        ("fit model.h5 -o m.h5", ["'model'", "expected is 'annotation-set'"]),
        ("fit runs.h5 -o m.h5", ["'runs'", "expected is 'annotation-set'"]),
        ("evaluate model.h5 none.h5", ["there is no file none.h5"]),
        ("evaluate none.h5 tags.csv", ["cannot read none.h5"]),
        ("evaluate tags.h5 tags.csv", ["'annotation-set'", "expected is 'model'"]),
        ("evaluate tags.csv tags.csv", ["tags.csv: not a vsenumba file"]),
        ("evaluate model.h5 tags.csv --metric mr", ["unknown metric 'mr'", "'mrr'"]),
        ("evaluate model.h5 tags.csv --metric recall", ["the k of metric 'recall'"]),
        ("evaluate all.h5 tags.csv", ["has seen every pair of tags.csv", "data split"]),
        ("annotate model.h5 cat-3.jpg", ["unknown image 'cat-3.jpg'", "did you mean", "'cat-1.jpg'"]),
        ("annotate model.h5 --labels catt", ["unknown label 'catt'", "'cat'"]),
        ("find model.h5 anima", ["unknown label 'anima'; did you mean 'animal'?"]),
        ("plot runs.h5 -o f.png --metric recall@6", ["unknown metric of these runs 'recall@6'", "'recall@5'"]),
        ("plot runs.h5 -o f.gif", ["'.gif'", ".png, .svg, .pdf"]),
        ("plot model.h5 -o f.png", ["'model'", "expected is 'runs'"]),
        ("export model.h5 -o e.csv", [".npz, .txt, .vec"]),
        ("export ease.h5 -o e.npz", ["without vectors"]),
        ("data info none", ["unknown data set 'none'"]),
        ("data import tags.csv -o t.h5 --label-column labl", ["'labl' is not among the columns"]),
        ("data import tags.csv -o t.h5 --min-images-per-label 9", ["nothing is left"]),
        ("data split tags.csv --out tags.h5", ["cannot make the folder tags.h5"]),
        ("data split tags.csv --out p --method holdout --fraction 2", ["fraction must lie between 0 and 1"]),
        ("data synth -o s.h5 --images 5 --labels 2 --pairs 100", ["n_pairs must lie between"]),
        ("compare tags.csv --out c --sampler warpp", ["unknown sampler 'warpp'", "'warp'"]),
        ("compare tags.csv --out tags.h5", ["cannot make the folder tags.h5"]),
    ],
)
def test_bad_input_is_one_line(fails, words, parts):
    line = fails(*words.split())
    assert [part for part in parts if part not in line] == []


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ["the file is empty"]),
        (b"image,size\na,3\n", ["no label column", "image, size"]),
        (b"image,tag\na,cat\nb\n", ["line 3", "1 field(s) where the header has 2"]),
        (b"image,tag\na,cat\n,dog\n", ["line 3", "the image is empty"]),
        (b"image,tag\na,c\xff\n", ["line 2", "not UTF-8"]),
        (b"\x89HDF\r\n\x1a\n and nothing more", ["damaged"]),
        (b"PK\x03\x04 and nothing more", ["cannot be read as an .npz file"]),
        (b"\x00\x01\x02\x03", ["not a format that is understood"]),
    ],
)
def test_a_bad_set_is_one_line(fails, folder, content, parts):
    (folder / "bad").write_bytes(content)
    line = fails("fit", "./bad", "-o", "m.h5")
    assert [part for part in ["bad", *parts] if part not in line] == []


def test_a_transposed_matrix_is_one_line(fails, succeeds, folder):
    matrix = vse.load_dataset("tags.csv").to_csr()
    sp.save_npz("m.npz", matrix)
    sp.save_npz("t.npz", matrix.T.tocsr())
    succeeds("fit", "m.npz", "-o", "m.h5", *SMALL)
    assert "did you pass the transpose?" in fails("evaluate", "m.h5", "t.npz")


@pytest.mark.parametrize("name", ["model.h5", "tags.h5", "runs.h5"])
def test_a_damaged_or_foreign_native_file_is_one_line(fails, folder, name):
    words = {
        "model.h5": ("annotate", "bad.h5", "oak.jpg"),
        "tags.h5": ("data", "info", "./bad.h5"),
        "runs.h5": ("plot", "bad.h5", "-o", "f.png"),
    }[name]
    whole = (folder / name).read_bytes()
    (folder / "bad.h5").write_bytes(whole[: len(whole) // 2])
    assert "damaged" in fails(*words)
    (folder / "bad.h5").write_bytes(whole)
    with h5py.File("bad.h5", "r+") as file:
        file.attrs["encoding-version"] = np.bytes_("99")
    assert "newer vsenumba" in fails(*words)
    with h5py.File("bad.h5", "w") as file:
        file["x"] = 1
    assert "not one that vsenumba wrote" in fails(*words)


def test_nothing_is_written_when_training_diverges(fails, folder):
    words = ("--optimiser", "sgd", "--learning-rate", "1e30", "--l2", "1", *SMALL)
    with np.errstate(all="ignore"):  # of the same loops without compilation
        line = fails("fit", "tags.csv", "-o", "model.h5", *words)
    assert "training diverged" in line


def test_the_last_checkpoint_stays_when_training_is_interrupted(run, folder, monkeypatch):
    def interrupted(self, model, record):
        if record["epoch"] == 3:
            raise KeyboardInterrupt
        return False

    monkeypatch.setattr("vsenumba.training.ProgressBar.after_epoch", interrupted)
    words = ("--sampler", "uniform", "--factors", "4", "--epochs", "9", "--checkpoint-every", "2")
    outcome = run("fit", "tags.csv", "-o", "m.h5", *words)
    assert outcome == (130, "", "interrupted\n")
    assert len(vse.load_model("m.h5").history_) == 2
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize(
    "words",
    [
        "nothing",
        "fit",
        "fit tags.csv",
        "fit tags.csv -o m.h5 --threads 0",
        "fit tags.csv -o m.h5 --threads two",
        "fit tags.csv -o m.h5 --epochs 0",
        "fit tags.csv -o m.h5 --hold-out some",
        "fit tags.csv -o m.h5 --hold-out none --patience 3",
        "annotate model.h5",
        "annotate model.h5 --labels ,",
        "annotate model.h5 --all rose.jpg",
        "compare tags.csv --out c --epochs 3 --time-budget 1",
        "compare tags.csv --out c --time-budget 0",
        "data nothing",
        "find model.h5 cat -n 0",
        "plot -o f.png",
    ],
)
def test_wrong_usage_is_status_2(fails, words):
    assert "Error: " in fails(*words.split(), status=2)


def test_an_unknown_command_is_answered_with_the_nearest(run):
    assert "did you mean 'annotate' or" in run("anotate").err
    assert "did you mean 'split'?" in run("data", "spilt").err


def test_a_fault_of_ours_is_one_line_and_a_traceback_only_on_request(run, folder, monkeypatch):
    def broken(*arguments, **settings):
        raise ZeroDivisionError("half\na line")

    monkeypatch.setattr("vsenumba.data.load_dataset", broken)
    outcome = run("data", "info", "tags.csv")
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert outcome.err.startswith("internal error: ZeroDivisionError: half a line; run again with 'vsenumba --debug")
    with pytest.raises(ZeroDivisionError):
        cli.main(["--debug", "data", "info", "tags.csv"])


def test_what_the_system_refuses_is_one_line(run, folder, monkeypatch):
    errors = iter(
        [OSError(28, "No space left on device"), PermissionError(13, "Permission denied", "x"), MemoryError()]
    )

    def broken(*arguments, **settings):
        raise next(errors)

    monkeypatch.setattr("vsenumba.data.load_dataset", broken)
    assert run("data", "info", "x") == (1, "", "error: No space left on device\n")
    assert run("data", "info", "x") == (1, "", "error: x: Permission denied\n")
    assert run("data", "info", "x").err.startswith("error: out of memory")


# Help.


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(succeeds, words):
    outcome = succeeds(*words, "--help")
    assert "Example" in outcome.out
    assert f"vsenumba {words[0]}" in outcome.out
    assert outcome.err == ""
    assert succeeds(*words, "-h") == outcome


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_line_of_help_on_every_command_and_option(words):
    command = COMMANDS[words]
    # The groups cut what is longer.
    assert len(command.get_short_help_str(64)) < 64
    assert not command.get_short_help_str(64).endswith("...")
    assert all(option.help for option in command.params if isinstance(option, click.Option))


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_use_what_exists(example):
    _, *words = shlex.split(example)
    command = cli
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), words.pop(0))
    # A command keeps the help option of its first context.
    command.make_context("vsenumba", words, parent=click.Context(cli, help_option_names=["-h", "--help"]))


def test_examples_run(succeeds, folder):
    vse.ImageAnnotator(n_factors=4, n_epochs=1, sampler="uniform", random_state=0).fit(
        vse.leave_one_out(vse.load_dataset("openclipart"), rng=0)[0]
    ).save("clipart.h5")
    # These take many epochs of several samplers, and have tests of their own.
    for example in EXAMPLES:
        name, *words = shlex.split(example)[1:]
        Path("model.h5").write_bytes(Path("clipart.h5").read_bytes())
        if name not in ("demo", "compare"):
            succeeds(name, *words, *(SMALL if name == "fit" else []))


def test_the_start_of_the_help_runs(succeeds, folder):
    for example in examples(cli):
        words = shlex.split(example.split("   ")[0])[1:]
        if words[0] != "demo":
            succeeds(*words, *(SMALL if words[0] == "fit" else []))


def test_names_are_completed(folder):
    completion = ShellComplete(cli, {}, "vsenumba", "_VSENUMBA_COMPLETE")
    found = [item.value for item in completion.get_completions(["fit", "tags.csv", "--sampler"], "ad")]
    assert found == ["adaptive"]


# A process of its own: what no test within this one can see.


# Found in any folder, be the package installed or not.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(vse.__file__).parents[1])}


def in_a_process(*words, stdout=subprocess.PIPE, **variables):
    done = subprocess.run(
        [sys.executable, "-m", "vsenumba", *words],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
        env=ENVIRONMENT | variables,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def test_help_is_quick_to_come_for_it_loads_nothing_large():
    code = (
        "import sys\n"
        "sys.argv = ['vsenumba', '--help']\n"
        "from vsenumba.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'numba', 'numpy', 'scipy', 'h5py', 'matplotlib', 'rich'} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert done.stderr == "[]\n"
    assert "Start here" in done.stdout


def test_a_process_ends_with_the_status_and_one_line(folder):
    assert in_a_process("--version") == (0, f"vsenumba, version {vse.__version__}\n", "")
    status, out, err = in_a_process("find", "model.h5", "catt")
    assert (status, out, err) == (1, "", "error: unknown label 'catt'; did you mean 'cat'?\n")


def test_too_many_threads_are_one_warning(folder):
    outcome = in_a_process("evaluate", "model.h5", "tags.csv", "--threads", "4000")
    assert outcome.status == 0
    assert outcome.err.startswith("warning: n_threads=4000 reduced to the ")
    assert outcome.err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_behind_stdout_is_one_line(folder):
    with Path("/dev/full").open("w") as full:
        outcome = in_a_process("data", "list", stdout=full)
    assert (outcome.status, outcome.err) == (1, "error: No space left on device\n")


@pytest.mark.skipif(os.name != "posix", reason="pipes of another kind")
def test_a_reader_that_leaves_early_is_no_error(folder):
    reader, writer = os.pipe()
    os.close(reader)
    outcome = in_a_process("data", "list", stdout=writer)
    os.close(writer)
    assert (outcome.status, outcome.err) == (1, "")


def test_letters_that_a_terminal_lacks_do_not_stop_the_output(folder):
    (folder / "odd.csv").write_text("image,tag\nkatze,schön\nkatze,猫\n", encoding="utf-8")
    outcome = in_a_process("data", "info", "odd.csv", PYTHONIOENCODING="ascii")
    assert outcome.status == 0
    assert "sch\\xf6n" in outcome.out


# The printing itself.


def test_tables_are_aligned_whatever_the_script():
    lines = click.unstyle(table(["name", "n"], [["猫", "1"], ["cat", "20"]], "lr")).splitlines()
    assert lines == ["name   n", "猫     1", "cat   20"]


def test_the_nearest_of_very_many_names_are_found():
    names = [f"photos/{i:06d}-small.jpg" for i in range(30_000)]
    for typed in ("photos/012345-smal.jpg", "photo/012345-small.jpg", "photos/012345_small.jpg"):
        assert "'photos/012345-small.jpg'" in str(unknown_name("image", typed, names))
    assert "there are 30,000 to choose from, such as 'photos/000000" in str(unknown_name("image", "q", names))


def test_json_has_no_nan():
    assert json.loads(as_json_text({"a": [1.5, float("nan")], "b": (float("inf"), None)})) == {
        "a": [1.5, None],
        "b": [None, None],
    }


def test_counts_have_their_plural():
    assert [counted(n, "image") for n in (0, 1, 2000)] == ["0 images", "1 image", "2,000 images"]

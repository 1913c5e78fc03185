"""The command line: what goes wrong is one line and a status, and leaves nothing half-written."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.sparse as sp
from command_line import ENVIRONMENT, SMALL, in_a_process

import vsenumba as vse
from vsenumba.cli.app import cli
from vsenumba.errors import InputError

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
        ("fit tags.h5 -o tags.h5", ["it is also an input file"]),
        ("data import tags.csv -o ./tags.csv", ["it is also an input file"]),
        ("fit model.h5 -o m.h5", ["'model'", "expected 'annotation-set'"]),
        ("fit runs.h5 -o m.h5", ["'runs'", "expected 'annotation-set'"]),
        ("evaluate model.h5 none.h5", ["there is no file none.h5"]),
        ("evaluate none.h5 tags.csv", ["cannot read none.h5"]),
        ("evaluate tags.h5 tags.csv", ["'annotation-set'", "expected 'model'"]),
        ("evaluate tags.csv tags.csv", ["tags.csv: not a vsenumba file"]),
        ("evaluate model.h5 tags.csv --metric mr", ["unknown metric 'mr'", "'mrr'"]),
        ("evaluate model.h5 tags.csv --metric recall", ["the k of metric 'recall'"]),
        ("evaluate model.h5 tags.csv --metric pps@5", ["unknown metric 'pps@5'", "'psp@5'"]),
        ("evaluate model.h5 tags.csv --by label --metric coverage@5", ["needs a metric of single labels"]),
        ("evaluate all.h5 tags.csv", ["was trained on every pair of the data set", "data split"]),
        ("annotate model.h5 cat-3.jpg", ["unknown image 'cat-3.jpg'", "did you mean", "'cat-1.jpg'"]),
        ("annotate model.h5 --labels catt", ["unknown label 'catt'", "'cat'"]),
        ("find model.h5 anima", ["unknown label 'anima'; did you mean 'animal'?"]),
        ("plot runs.h5 -o f.png --metric recall@6", ["unknown metric of these runs 'recall@6'", "'recall@5'"]),
        ("plot runs.h5 -o f.gif", ["'.gif'", ".png, .svg, .pdf"]),
        ("plot model.h5 -o f.png", ["'model'", "expected 'runs'"]),
        ("export model.h5 -o e.csv", [".npz, .txt, .vec"]),
        ("export ease.h5 -o e.npz", ["has no vectors to export"]),
        # Found 2026-11: HDF5 under the name of another format.
        (
            "data import tags.csv -o set.csv",
            ["cannot write set.csv: the file is HDF5, not .csv; choose a name ending in .h5"],
        ),
        ("fit tags.csv -o m.pkl", ["the file is HDF5, not .pkl"]),
        (
            "export model.h5 -o e.npz --what captions",
            ["is a model of images and labels and has no vectors of captions; use --what labels or images"],
        ),
        ("data info none", ["unknown data set 'none'"]),
        ("data import tags.csv -o t.h5 --label-column labl", ["'labl' is not among the columns"]),
        ("data import tags.csv -o t.h5 --min-images-per-label 9", ["nothing is left"]),
        ("data split tags.csv --out tags.h5", ["cannot create the folder tags.h5"]),
        ("data split tags.csv --out p --method holdout --fraction 2", ["fraction must lie between 0 and 1"]),
        ("data synth -o s.h5 --images 5 --labels 2 --pairs 100", ["n_pairs must lie between"]),
        ("compare tags.csv --out c --sampler warpp", ["unknown sampler 'warpp'", "'warp'"]),
        ("compare tags.csv --out tags.h5", ["cannot create the folder tags.h5"]),
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
        (b"image,tag\na,cat\nb\n", ["line 3", "1 field(s), but the header has 2"]),
        (b"image,tag\na,cat\n,dog\n", ["line 3", "the image is empty"]),
        (b"image,tag\na,c\xff\n", ["line 2", "not UTF-8"]),
        (b"\x89HDF\r\n\x1a\n and nothing more", ["damaged"]),
        (b"PK\x03\x04 and nothing more", ["cannot be read as an .npz file"]),
        (b"\x00\x01\x02\x03", ["not in a supported format"]),
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
    assert "transpose the matrix" in fails("evaluate", "m.h5", "t.npz")


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
    assert "that vsenumba did not write" in fails(*words)


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
    again = "Continue with: vsenumba fit tags.csv -o m.h5 --checkpoint-every 2 --resume"
    assert outcome == (130, "", f"interrupted after epoch 3; epoch 2 is saved in m.h5. {again}\n")
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
        # Found 2026-11: options that were ignored.
        "export model.h5 -o e.vec --data tags.csv",
        "fit tags.csv -o m.h5 --hold-out none --metric mrr",
        "data split tags.csv --out p --fraction 0.5",
        "data split tags.csv --out p --method holdout --folds 3",
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
    assert outcome.err.startswith(
        "internal error: ZeroDivisionError: half a line. Please report it, with the output of 'vsenumba --debug"
    )
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


# A process of its own: what no test within this one can see.


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
    assert outcome.err.startswith("warning: n_threads=4000 is reduced to ")
    assert outcome.err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
def test_a_full_disk_behind_stdout_is_one_line(folder):
    with Path("/dev/full").open("w") as full:
        for words in (("data", "list"), ("--help",), ("--version",)):
            outcome = in_a_process(*words, stdout=full)
            assert (outcome.status, outcome.err) == (1, "error: No space left on device\n")


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_output_to_a_stream_that_is_closed_goes_nowhere(folder):
    """Found 2026-11: "internal error: AttributeError: 'NoneType' object"."""
    for redirection in (">&-", ">&- 2>&-"):
        command = f"{shlex.quote(sys.executable)} -m vsenumba annotate model.h5 --all {redirection}"
        done = subprocess.run(
            ["/bin/sh", "-c", command], capture_output=True, check=False, env=ENVIRONMENT, timeout=300
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX pipes")
def test_a_reader_that_leaves_early_is_no_error(folder):
    reader, writer = os.pipe()
    os.close(reader)
    outcome = in_a_process("data", "list", stdout=writer)
    os.close(writer)
    assert (outcome.status, outcome.err) == (1, "")


def test_files_of_an_earlier_run_in_a_folder_are_replaced_by_force_alone(fails, succeeds, folder):
    """Another comparison into the same folder replaced the first, which had taken hours, without a word."""
    compare = ("compare", "tags.csv", *SMALL, "--seeds", "1", "--out", "c")
    split = ("data", "split", "tags.csv", "--out", "parts")
    for words, name in ((compare, "runs.h5"), (split, "train.h5")):
        place = folder / words[-1]
        place.mkdir()
        (place / "notes.txt").write_text("of no concern")
        succeeds(*words)
        line = fails(*words)
        assert line.startswith(f"error: {words[-1]} already contains ")
        assert name in line
        assert "choose another folder with --out, or overwrite with --force" in line
        (place / name).write_bytes(b"of an earlier run")
        succeeds(*words, "--force")
        assert (place / name).stat().st_size > 100


def test_the_demo_replaces_its_own_folder_alone(fails, folder, monkeypatch):
    from vsenumba.cli import demo

    def asked(data, source, out, settings, *, force):
        raise InputError(f"force is {force}")

    monkeypatch.setattr(demo, "run_and_write", asked)
    assert "force is True" in fails("demo", "--json")
    assert "force is False" in fails("demo", "--json", "--out", "comparison")
    assert "force is True" in fails("demo", "--json", "--out", "comparison", "--force")


def test_a_file_that_is_named_is_replaced(succeeds, folder):
    for words in (
        ("data", "import", "tags.csv", "-o", "out.h5"),
        ("data", "synth", "-o", "out.h5", "--images", "9", "--labels", "4", "--pairs", "20"),
        ("export", "model.h5", "-o", "out.npz"),
        ("plot", "runs.h5", "-o", "out.png"),
        ("sampler", "show", "uniform", "tags.csv", "--epochs", "1", "-o", "out.svg"),
    ):
        output = folder / words[words.index("-o") + 1]
        output.write_bytes(b"old")
        succeeds(*words)
        assert output.stat().st_size > 100

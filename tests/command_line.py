"""What the tests of the command line share: running it, the files it takes, its commands and examples."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pytest
from PIL import Image

import vsenumba as vse
from vsenumba.cli.app import cli
from vsenumba.data import Ragged
from vsenumba.training import History

# What every other test module compiles too, and little of it.
SMALL = ["--epochs", "1", "--factors", "4", "--sampler", "uniform"]
TINY = {"n_factors": 4, "word_factors": 3, "min_count": 1, "batch_size": 4, "n_threads": 1}
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
NOTES = (
    "the cat and the dog saw a hen\nthe oak and the elm saw a fir\n"
    "man and king saw woman and queen\nthe river has water and the king has a dog\n"
)


class Outcome(NamedTuple):
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


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


def caption_set():
    """Return pictures of four things by two vendors, with thumbnails, in parts."""
    rng = np.random.default_rng(0)
    things = ["a red car", "a blue car", "a red fish", "a blue fish"]
    return vse.CaptionSet(
        Ragged.of([rng.normal(size=(2, 6)) for _ in range(8)], "image"),
        things,
        np.arange(8) % 4,
        np.arange(4),
        image_ids=[f"{vendor}/1f69{7 + i}" for vendor in ("noto", "twemoji") for i in range(4)],
        parts=["train", "train", "test", "test"] * 2,
        thumbnails=rng.integers(0, 255, (8, 8, 8, 3)).astype(np.uint8),
    )


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
    (folder / "ids.txt").write_text("".join(f"{image}\n" for image in data.image_ids))
    np.save(folder / "vectors.npy", np.random.default_rng(0).normal(size=(data.n_images, 3)).astype(np.float16))
    (folder / "photos").mkdir()
    for i, name in enumerate(("cat-1.jpg", "cat-2.jpg", "dog.jpg", "new.jpg")):
        Image.fromarray(np.full((30, 40, 3), 60 * i, np.uint8)).save(folder / "photos" / name)
    (folder / "notes.txt").write_text(NOTES)
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").write_text(NOTES)
    (folder / "EN-SIMLEX-999.txt").write_text("cat\tdog\t9\ncat\toak\t1\n")
    (folder / "questions-words.txt").write_text(": family\nman king woman queen\n")
    text = [line.split() for line in NOTES.splitlines()]
    vse.WordEmbedder(n_factors=4, n_epochs=1, n_threads=1, random_state=0).fit(text).save(folder / "words.h5")
    pictures = caption_set()
    pictures.save(folder / "pictures.h5")
    vse.CrossModalRetriever(n_epochs=1, random_state=0, **TINY).fit(pictures).save(folder / "retriever.h5")
    (folder / "f30k_precomp").mkdir()
    regions = np.random.default_rng(0).normal(size=(4, 3, 6)).astype(np.float32)
    for part in ("train", "dev", "test"):
        np.save(folder / "f30k_precomp" / f"{part}_ims.npy", regions)
        (folder / "f30k_precomp" / f"{part}_caps.txt").write_text("a cat\nthe cat\na dog\nthe dog\n" * 2)
    np.save(folder / "regions.npy", np.tile(regions, (3, 1, 1)))
    sentences = [{"raw": "a cat and a dog"}, {"tokens": ["a", "cat"]}]
    images = [{"filename": f"{i}.jpg", "split": "train", "sentences": sentences} for i in range(12)]
    (folder / "dataset_flickr8k.json").write_text(json.dumps({"images": images}))
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
    shutil.copytree(originals, tmp_path, dirs_exist_ok=True)
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

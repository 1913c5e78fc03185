"""Training that is interrupted says what is saved, and goes on with --resume as if it had never stopped."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path

import numpy as np
import pytest

import vsenumba as vse

WORDS = ["words", "fit", "notes.txt", "-o", "new.h5", "--min-count", "1", "--threads", "1"]
PICTURES = ["retrieval", "fit", "pictures.h5", "-o", "new.h5", "--part", "train", "--threads", "1"]
NEW = {
    "words": ["--factors", "4", "--epochs", "5", "--sampler", "uniform", "--set", "window=2", "--seed", "3"],
    "retrieval": [
        "--factors",
        "4",
        "--epochs",
        "5",
        "--word-factors",
        "3",
        "--min-count",
        "1",
        "--set",
        "batch_size=4",
    ],
}
COMMANDS = {"words": WORDS, "retrieval": PICTURES}


@pytest.fixture(autouse=True)
def interruptible():
    """Have Ctrl-C interrupt, which a shell makes those processes ignore that it starts in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def interrupted(run, folder, monkeypatch):
    """Run a command and interrupt it when an epoch has ended."""

    def interrupted(epoch, *words, by=signal.SIGINT):
        class Interrupting(vse.training.ProgressBar):
            def start(self, model, n_epochs):
                if epoch == 0:
                    signal.raise_signal(by)

            def after_epoch(self, model, record):
                if record["epoch"] == epoch:
                    signal.raise_signal(by)
                return False

            def during_epoch(self, model, done):
                pass

            def finish(self, model):
                pass

        with monkeypatch.context() as patch:
            patch.setattr("vsenumba.training.ProgressBar", Interrupting)
            outcome = run(*words)
        assert outcome.status == 130
        assert outcome.out == ""
        return [line for line in outcome.err.splitlines() if not line.startswith("note: ")]

    return interrupted


@pytest.mark.parametrize("kind", COMMANDS)
def test_it_goes_on_as_if_it_had_never_stopped(interrupted, succeeds, kind):
    """Ctrl-C lost all, without a word of --checkpoint-every; only `retrieval fit` had --resume."""
    command = COMMANDS[kind]
    succeeds(*command, *NEW[kind])
    straight = vse.load_model("new.h5")
    said = interrupted(3, *command, *NEW[kind], "--checkpoint-every", "2")
    again = ["vsenumba", *command[:-2], "--checkpoint-every", "2", *command[-2:], "--resume"]
    assert said == [f"interrupted after epoch 3; epoch 2 is saved in new.h5. Continue with: {' '.join(again)}"]
    # Once more, before there is another checkpoint.
    said = interrupted(3, *again[1:])
    assert said == [f"interrupted after epoch 3; epoch 2 is saved in new.h5. Continue with: {' '.join(again)}"]
    succeeds(*again[1:])
    resumed = vse.load_model("new.h5")
    assert resumed.get_params() == straight.get_params()
    assert resumed.history_["loss"].tolist() == straight.history_["loss"].tolist()
    for name, table in straight.tables_.items():
        assert np.array_equal(resumed.tables_[name], table), name


@pytest.mark.parametrize("kind", COMMANDS)
def test_where_nothing_is_saved_it_says_how_to_save(interrupted, kind):
    before = set(Path().iterdir())
    for epoch, options, said in (
        (0, (), "interrupted in the first epoch"),
        (2, (), "interrupted after epoch 2"),
        (2, ("--checkpoint-every", "3"), "interrupted after epoch 2"),
    ):
        assert interrupted(epoch, *COMMANDS[kind], *NEW[kind], *options) == [
            f"{said}; nothing was saved. To be able to continue, train with --checkpoint-every N"
        ]
    assert set(Path().iterdir()) == before


@pytest.mark.parametrize("kind", COMMANDS)
def test_what_a_checkpoint_says_cannot_be_said_again(interrupted, fails, kind):
    """`retrieval fit --resume --factors 8` went on with the factors of the checkpoint, without a word."""
    interrupted(1, *COMMANDS[kind], *NEW[kind], "--checkpoint-every", "1")
    for option in (["--factors", "8"], ["--epochs", "9"], ["--seed", "1"], ["--set", "learning_rate=1"]):
        message = f"{option[0]} cannot be combined with --resume; the checkpoint stores this setting"
        assert message in fails(*COMMANDS[kind], "--resume", *option, status=2)
    if kind == "retrieval":
        assert "--words cannot be combined with" in fails(*PICTURES, "--resume", "--words", "words.h5", status=2)


@pytest.mark.parametrize("kind", COMMANDS)
def test_what_is_no_checkpoint_is_not_resumed(interrupted, fails, succeeds, kind):
    command = COMMANDS[kind]
    assert "nothing to resume: new.h5 does not exist; leave out --resume to start a training" in fails(
        *command, "--resume"
    )
    succeeds(*command, *NEW[kind], "--checkpoint-every", "1")
    assert "nothing to resume: all 5 epochs of new.h5 are done" in fails(*command, "--resume")
    vse.load_model("new.h5").set_params(n_epochs=6).save("new.h5")
    assert "new.h5 is not a checkpoint: its training ended after epoch 5" in fails(*command, "--resume")
    Path("new.h5").write_bytes(Path("model.h5").read_bytes())
    assert "holds a model of images and labels" in fails(*command, "--resume")


def test_other_text_is_not_gone_on_with(interrupted, fails):
    interrupted(1, *WORDS, *NEW["words"], "--checkpoint-every", "1")
    other = [word.replace("notes.txt", "more.txt") for word in WORDS]
    Path("more.txt").write_text(Path("notes.txt").read_text() * 2)
    assert "resume needs the data that training began with" in fails(*other, "--resume")


def test_a_kept_corpus_is_gone_on_with(interrupted, succeeds):
    interrupted(1, *WORDS, *NEW["words"], "--checkpoint-every", "1", "--corpus", "text.h5")
    outcome = succeeds("words", "fit", "text.h5", "-o", "new.h5", "--threads", "1", "--resume")
    assert outcome.out.startswith("read     33 words of text")
    assert len(vse.load_model("new.h5").history_) == 5


def test_a_termination_interrupts_like_a_key(interrupted):
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        (said,) = interrupted(2, *WORDS, *NEW["words"], "--checkpoint-every", "1", by=signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    assert said.startswith(
        "interrupted after epoch 2; epoch 2 is saved in new.h5. Continue with: vsenumba words fit notes.txt"
    )
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


FIT = ["fit", "tags.csv", "-o", "new.h5", "--threads", "1", "--patience", "9"]
# By vectors alone the best of the five epochs is the last.
NEW_FIT = ["--factors", "4", "--epochs", "5", "--sampler", "uniform", "--seed", "6", "--set", "max_neighbours=0"]


@pytest.mark.parametrize("at", [3, 5, 8])
def test_fit_goes_on_in_measuring_and_in_learning_from_all(run, succeeds, fails, at, monkeypatch):
    """`fit` had no --resume; its training is two: measuring, of epochs 1 to 5 here, and learning from all pairs."""
    succeeds(*FIT, *NEW_FIT)
    straight = vse.load_model("new.h5")
    bars = []

    # Told of the epochs of both trainings.
    class Counting(vse.training.ProgressBar):
        def start(self, model, n_epochs):
            pass

        def after_epoch(self, model, record):
            bars.append(record["epoch"])
            if len(bars) == at:
                signal.raise_signal(signal.SIGINT)
            return False

        def during_epoch(self, model, done):
            pass

        def finish(self, model):
            pass

    with monkeypatch.context() as patch:
        patch.setattr("vsenumba.training.ProgressBar", Counting)
        outcome = run(*FIT, *NEW_FIT, "--checkpoint-every", "1")
    assert outcome.status == 130
    again = shlex.split(outcome.err.split("Continue with: ")[1])
    assert again[-1] == "--resume"
    succeeds(*again[1:])
    resumed = vse.load_model("new.h5")
    assert resumed.provenance_["measured"] == straight.provenance_["measured"]
    # The command that began the training, not the one that resumed it.
    assert resumed.provenance_["command"] == shlex.join(["vsenumba", *FIT, *NEW_FIT, "--checkpoint-every", "1"])
    for name, table in straight.tables_.items():
        assert np.array_equal(resumed.tables_[name], table)
    assert "nothing to resume" in fails(*again[1:]) or "no checkpoint" in fails(*again[1:])

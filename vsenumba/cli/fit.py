"""``vsenumba fit``: train a model and save it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import options
from vsenumba.cli.measured import held_out_pairs, values_of
from vsenumba.cli.output import command_line, counted, note, say, say_json, size_of, suggest
from vsenumba.cli.report_option import check_report, report_option, save_report
from vsenumba.cli.resuming import checkpoint_in, checkpoint_option, interruptible, resume_option
from vsenumba.cli.settings import parameters_of, refuse_given_twice, set_option
from vsenumba.errors import InputError

# One of so many images is held out, where images are.
_OF_IMAGES = 10

# From so many pairs on, solving for weights between labels takes long enough to be said.
_MANY_PAIRS = 200_000

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vsenumba.data import AnnotationSet
    from vsenumba.models import ImageAnnotator


@click.command(
    epilog=options.examples(
        "vsenumba fit openclipart -o model.h5",
        "vsenumba fit tags.csv -o model.h5 --epochs 100 --patience 5",
        "vsenumba fit tags.csv -o model.h5 --set sampler.lam=0.05 --set l2=0.01",
    )
)
@options.set_argument
@options.output_option("MODEL.h5")
@options.model_options(
    "ImageAnnotator",
    inputs="--inputs",
    sampler="--sampler",
    loss="--loss",
    optimiser="--optimiser",
    n_factors="--factors",
    n_epochs="--epochs",
    learning_rate="--learning-rate",
    schedule="--schedule",
    l2="--l2",
    n_negatives="--negatives",
)
@set_option
@click.option(
    "--hold-out",
    type=click.Choice(["one", "images", "none"]),
    help="What to measure on, before the model learns from all: one label of every image with two or more; a tenth of "
    "the images, with all their labels; or nothing. By default 'images' where features alone stand for an image, "
    "and 'one' otherwise.",
)
@options.metrics_option("What to measure on them; give it several times.")
@click.option(
    "--patience", type=options.POSITIVE, help="Stop after so many epochs without a better MRR, keep the best."
)
@checkpoint_option
@resume_option
@options.seed_option
@options.threads_option
@options.device_option
@options.scheduler_option
@report_option
@options.json_option
def command(
    source: str,
    output: Path,
    settings: tuple[tuple[str, str], ...],
    hold_out: str | None,
    metrics: tuple[str, ...],
    patience: int | None,
    checkpoint_every: int | None,
    resume: bool,
    seed: int,
    threads: int | None,
    device: str,
    scheduler: str | None,
    report: Path | None,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Train a model on the pairs of a set.

    SET is a set's name or a file, see 'vsenumba data --help'. One label of every image with two or more is held out,
    and where these labels rank says how good a model is that has not seen them. The model that is saved then learns
    from all pairs, in as many epochs; with '--hold-out none' nothing is measured, which takes half the time.

    With '--inputs features' or '--inputs labels+features' the model looks at the pictures of a set that 'vsenumba data
    pictures' made, and can be asked about pictures that nobody tagged.

    With --scheduler the workers of a cluster train; each must run one task at a time and have this package.

    With --checkpoint-every, training that was interrupted goes on with --resume and the same SET and --hold-out; what
    the model is, its checkpoint knows.
    """
    from sklearn.base import clone

    from vsenumba.experiments import Delivery, RecordedCommand
    from vsenumba.models import ImageAnnotator
    from vsenumba.models.seen_pictures import check_has_features
    from vsenumba.training import Checkpoint, EarlyStopping, ProgressBar
    from vsenumba.training.annotation.inputs import as_inputs
    from vsenumba.training.annotation.inputs.labels import MOST_WEIGHED_PAIRS

    if patience and hold_out == "none":
        raise click.UsageError("--patience needs held-out pairs, which '--hold-out none' leaves none of")
    if options.is_given("metrics") and hold_out == "none":
        raise click.UsageError("--metric needs held-out pairs, which '--hold-out none' leaves none of")
    if resume:
        measures = hold_out != "none"
        is_last = lambda model: "measured" in model.provenance_ or not measures  # noqa: E731
        model = checkpoint_in(output, ImageAnnotator, is_last=is_last).set_params(n_threads=threads, device=device)
        # It divides the pairs too.
        seed = model.random_state if isinstance(model.random_state, int) else seed
    else:
        model = ImageAnnotator(**parameters, n_threads=threads, device=device, random_state=seed)
        refuse_given_twice(settings)
        model.set_params(**parameters_of([model], settings))
    options.check_native_output(output, source)
    check_report(report, source, output)
    client = options.client_of(scheduler)
    data = options.load_set(source)
    if data.features is not None and not model.uses_features:
        note("the set has features, which the model does not look at; '--inputs labels+features' has it do so")
    check_has_features(data, model.inputs)
    most = math.inf if model.max_neighbours else MOST_WEIGHED_PAIRS
    if not resume and model.chosen("max_neighbours") and _MANY_PAIRS < data.n_pairs <= most:
        note("weights between labels are solved for before the first epoch; '--set max_neighbours=0' leaves them out")
    if hold_out is None:
        hold_out = "images" if [part.name for part in as_inputs(model.inputs).parts] == ["features"] else "one"
    train, test = _divided(data, hold_out, model.inputs, seed)
    if patience and test is None:
        raise InputError("--patience needs held-out pairs, and there are none")
    saving = Checkpoint(output, checkpoint_every) if checkpoint_every else None
    # A checkpoint knows the command that began the training.
    typed = RecordedCommand((model.provenance_.get("command") if resume else None) or command_line())
    saves = [typed, *([saving] if saving else [])]
    measured = model.provenance_.get("measured") if resume else None
    measured_model = None
    if test is not None and measured is None:
        stopping = [EarlyStopping("mrr", patience)] if patience else []
        following = [*stopping, *saves, ProgressBar("measuring")]
        with interruptible(model, output, saving):
            learn = model.resume if resume else model.fit
            learn(train, validation=test, callbacks=following, client=client)
        measured = _measured(model, data, test, metrics, client)
        measured_model, model, resume = model, clone(model), False
    # Of a checkpoint the last epoch may have been the last that is wanted.
    if not (resume and measured and len(model.history_) >= measured["n_epochs"]):
        delivery = [Delivery(measured["n_epochs"], measured)] if measured else []
        with interruptible(model, output, saving):
            learn = model.resume if resume else model.fit
            learn(data, callbacks=[*delivery, *saves, ProgressBar()], client=client)
    model.save(output)
    save_report(report, output, data=data, measured_model=measured_model, n_threads=threads)
    facts = _facts(model, measured, measured["n_epochs"] if measured and patience else None)
    if as_json:
        say_json({"model": str(output), **facts})
        return
    _show(facts, size_of(data))
    say(f"saved     {output}")
    suggest(*_next_commands(output, data, tested=measured is not None))


def _divided(
    data: AnnotationSet, hold_out: str, inputs: str | Sequence[str], seed: int
) -> tuple[AnnotationSet, AnnotationSet | None]:
    """Return the pairs to train on and to test on; what can be learnt from goes before what can be tested."""
    from vsenumba.data import holdout, leave_one_out
    from vsenumba.models.learnable import why_nothing_can_be_learnt

    why = why_nothing_can_be_learnt(data, inputs)
    if why is not None:
        raise InputError(f"there is nothing to learn from: {why}")
    if hold_out == "none":
        return data, None
    if hold_out == "images":
        return _divided_images(data, seed)
    train, test = leave_one_out(data, rng=seed)
    if why_nothing_can_be_learnt(train, inputs) is not None:
        # Images with two labels: to hold out one of each would leave nothing to learn from.
        n_two = int((data.labels_per_image >= 2).sum())
        note("images have two labels at most: one is held out of half of them, the others are learnt from")
        train, test = holdout(data, max(n_two // 2, 1) / data.n_pairs, rng=seed)
    if test.n_pairs == 0 or why_nothing_can_be_learnt(train, inputs) is not None:
        note("nothing is measured: a label that was held out would leave nothing to learn from")
        return data, None
    return train, test


def _divided_images(data: AnnotationSet, seed: int) -> tuple[AnnotationSet, AnnotationSet | None]:
    """Return the images to train on and to test on: a tenth of those that have labels."""
    import numpy as np

    with_labels = np.random.default_rng(seed).permutation(np.flatnonzero(data.labels_per_image))
    held_out = np.zeros(data.n_images, dtype=bool)
    held_out[with_labels[: len(with_labels) // _OF_IMAGES]] = True
    if not held_out.any():
        note(f"nothing is measured: of {counted(len(with_labels), 'image')} none can be spared")
        return data, None
    note(
        f"measured is how the tags of {counted(int(held_out.sum()), 'picture')} rank that are held out whole, as for "
        "pictures to come; values of '--hold-out one' are not to be compared with these"
    )
    return data.select_images(~held_out), data.select_images(held_out)


def _measured(
    model: ImageAnnotator, data: AnnotationSet, test: AnnotationSet, metrics: tuple[str, ...], client: Any
) -> dict[str, Any]:
    """Return where the held-out labels rank for a model that was trained without them."""
    from vsenumba.evaluation import evaluate
    from vsenumba.experiments import measurement

    scores = evaluate(model, test, exclude=model.seen_, metrics=metrics, n_threads=model.n_threads, client=client)
    n_epochs = model.best_epoch_ or len(model.history_)
    return measurement(data, scores.n_images, test.n_pairs, scores.mean, n_epochs)


def _facts(model: ImageAnnotator, measured: dict[str, Any] | None, best_epoch: int | None) -> dict[str, Any]:
    seen, last = model.seen_, model.history_[-1]
    return {
        "n_images": seen.n_images,
        "n_labels": seen.n_labels,
        "n_pairs": seen.n_pairs,
        "n_epochs": len(model.history_),
        "best_epoch": best_epoch,
        "held_out": measured,
        "n_weights": 0 if model.pairs_ is None else model.pairs_.weights.nnz,
        **{name: last[name] for name in ("seconds", "steps", "skipped", "loss")},
    }


def _show(facts: dict[str, Any], size: str) -> None:
    measured = facts["held_out"]
    if measured is not None:
        say(f"measured  {held_out_pairs(measured)}: {values_of(measured)}")
    if facts["best_epoch"] is not None:
        say(f"kept      epoch {facts['best_epoch']}, the best on the held-out pairs, which flatters it a little")
    say(
        f"trained   {counted(facts['n_epochs'], 'epoch')} on {'all of ' * (measured is not None)}{size}, in "
        f"{facts['seconds']:.2f} s, loss {facts['loss']:.4f}"
    )
    if facts["n_weights"]:
        say(f"weighed   {counted(facts['n_weights'], 'weight')} between labels, beside their vectors")
    if facts["skipped"]:
        steps = counted(facts["skipped"], "step")
        say(f"skipped   {steps} an epoch: no negative was found, or the image has no other label to be known by")


def _next_commands(output: Path, data: AnnotationSet, *, tested: bool) -> list[list[str]]:
    image = data.image_ids[int(data.labels_per_image.argmax())]
    label = data.label_names[int(data.label_counts.argmax())]
    commands = [["vsenumba", "annotate", str(output), image], ["vsenumba", "find", str(output), label]]
    return [["vsenumba", "evaluate", str(output)], *commands] if tested else commands

"""``vsenumba fit``: train a model and save it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import options
from vsenumba.cli.measured import held_out_pairs, values_of
from vsenumba.cli.output import command_line, note, say, say_json, size_of, suggest
from vsenumba.cli.report_option import check_report, report_option, save_report
from vsenumba.cli.resuming import checkpoint_in, checkpoint_option, interruptible, resume_option
from vsenumba.cli.settings import parameters_of, refuse_given_twice, set_option
from vsenumba.errors import InputError
from vsenumba.printable import counted

# One in this many images is held out with '--hold-out images'.
_OF_IMAGES = 10

# With more pairs, solving for label weights takes long enough to mention.
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
    help="Test data: one label of every image that has several ('one'), a tenth of the images with all their labels "
    "('images'), or none.  [default: images with '--inputs features', else one]",
)
@options.metrics_option("Metric to measure on the held-out pairs.")
@click.option(
    "--patience",
    type=options.POSITIVE,
    help="Stop after N epochs without a better MRR on the held-out pairs, and keep the best epoch.",
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
    """Train a model on the image-label pairs of a data set.

    SET is the name of a data set or a file; see 'vsenumba data --help'.

    The command trains twice. The first model is trained without the held-out pairs and measured on them. The second
    model is trained on all pairs, for as many epochs, and saved. With '--hold-out none' the command skips the first
    training, which halves the time.

    With '--inputs features' or '--inputs labels+features' the model uses the image features that 'vsenumba data
    pictures' computes. Such a model can suggest labels for pictures that have none.

    With --scheduler, the workers of a Dask cluster train the model. Every worker needs this package and must run one
    task at a time.

    If you interrupt a training with --checkpoint-every, continue it with --resume and the same SET and --hold-out. The
    checkpoint stores all other settings of the model.
    """
    from sklearn.base import clone

    from vsenumba.data import DATASETS
    from vsenumba.experiments import Delivery, RecordedCommand
    from vsenumba.models import ImageAnnotator
    from vsenumba.models.seen_pictures import check_has_features
    from vsenumba.training import Checkpoint, EarlyStopping, ProgressBar
    from vsenumba.training.annotation.inputs import as_inputs
    from vsenumba.training.annotation.inputs.labels import MOST_WEIGHED_PAIRS

    if patience and hold_out == "none":
        raise click.UsageError("--patience needs held-out pairs; it cannot be used with '--hold-out none'")
    if options.is_given("metrics") and hold_out == "none":
        raise click.UsageError("--metric needs held-out pairs; it cannot be used with '--hold-out none'")
    if resume:
        measures = hold_out != "none"
        is_last = lambda model: "measured" in model.provenance_ or not measures  # noqa: E731
        model = checkpoint_in(output, ImageAnnotator, is_last=is_last).set_params(n_threads=threads, device=device)
        # The seed also determines the held-out pairs.
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
        note(
            "note: the data set has image features, but the model ignores them; use them with --inputs labels+features"
        )
    check_has_features(data, model.inputs)
    most = math.inf if model.max_neighbours else MOST_WEIGHED_PAIRS
    if not resume and model.chosen("max_neighbours") and _MANY_PAIRS < data.n_pairs <= most:
        note("note: computing label weights before the first epoch; skip them with '--set max_neighbours=0'")
    if hold_out is None:
        hold_out = "images" if [part.name for part in as_inputs(model.inputs).parts] == ["features"] else "one"
    train, test = _divided(data, hold_out, model.inputs, seed)
    if patience and test is None:
        raise InputError("--patience needs held-out pairs, but no pair could be held out; leave out --patience")
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
    # The checkpoint may already be at the last wanted epoch.
    if not (resume and measured and len(model.history_) >= measured["n_epochs"]):
        delivery = [Delivery(measured["n_epochs"], measured)] if measured else []
        with interruptible(model, output, saving):
            learn = model.resume if resume else model.fit
            learn(data, callbacks=[*delivery, *saves, ProgressBar()], client=client)
    if source in DATASETS:
        # For the model card.
        model.provenance_["data"] = source
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
    """Return the pairs to train on and to test on; training comes first if there are few pairs."""
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
        # If images have at most two labels, holding out one label of each leaves nothing to learn from.
        n_two = int((data.labels_per_image >= 2).sum())
        note("note: no image has more than two labels, so only half of the images with two have one held out")
        train, test = holdout(data, max(n_two // 2, 1) / data.n_pairs, rng=seed)
    if test.n_pairs == 0 or why_nothing_can_be_learnt(train, inputs) is not None:
        note("note: too few pairs to hold any out; quality is not measured")
        return data, None
    return train, test


def _divided_images(data: AnnotationSet, seed: int) -> tuple[AnnotationSet, AnnotationSet | None]:
    """Return the images to train on and to test on; the test images are a tenth of the labelled ones."""
    import numpy as np

    with_labels = np.random.default_rng(seed).permutation(np.flatnonzero(data.labels_per_image))
    held_out = np.zeros(data.n_images, dtype=bool)
    held_out[with_labels[: len(with_labels) // _OF_IMAGES]] = True
    if not held_out.any():
        note(
            f"note: {counted(len(with_labels), 'labelled image')} are too few to hold any out; quality is not measured"
        )
        return data, None
    note(
        f"note: {counted(int(held_out.sum()), 'image')} held out with all their labels, to measure quality on new "
        "images; do not compare the values with those of '--hold-out one'"
    )
    return data.select_images(~held_out), data.select_images(held_out)


def _measured(
    model: ImageAnnotator, data: AnnotationSet, test: AnnotationSet, metrics: tuple[str, ...], client: Any
) -> dict[str, Any]:
    """Return how well a model ranks the held-out labels."""
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
        say(f"quality   {values_of(measured)} ({held_out_pairs(measured)})")
    if facts["best_epoch"] is not None:
        say(f"kept      epoch {facts['best_epoch']}, chosen on the held-out pairs; the quality is slightly optimistic")
    say(
        f"trained   {counted(facts['n_epochs'], 'epoch')} on {'all ' * (measured is not None)}{size} in "
        f"{facts['seconds']:.2f} s, loss {facts['loss']:.4f}"
    )
    if facts["n_weights"]:
        say(f"weights   {facts['n_weights']:,} between labels, in addition to the vectors")
    if facts["skipped"]:
        steps = counted(facts["skipped"], "step")
        say(f"skipped   {steps} per epoch: no negative was found, or the image has only one label")


def _next_commands(output: Path, data: AnnotationSet, *, tested: bool) -> list[list[str]]:
    image = data.image_ids[int(data.labels_per_image.argmax())]
    label = data.label_names[int(data.label_counts.argmax())]
    commands = [["vsenumba", "annotate", str(output), image], ["vsenumba", "find", str(output), label]]
    return [["vsenumba", "evaluate", str(output)], *commands] if tested else commands

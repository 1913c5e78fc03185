"""``vsenumba retrieval fit``: learn a space of images and captions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import options
from vsenumba.cli.output import counted, note, say, say_json, suggest
from vsenumba.cli.retrieval.parts import part_of
from vsenumba.errors import InputError

if TYPE_CHECKING:
    from vsenumba.training import Callback

POOLING = options.Member("pooling", "vsenumba.poolings", "POOLINGS")
OBJECTIVE = options.Member("objective", "vsenumba.objectives", "OBJECTIVES")
PROJECTION = options.Member("projection", "vsenumba.training.captions.projections", "PROJECTIONS")

model_option = functools.partial(options.parameter_option, "CrossModalRetriever")


@click.command(
    epilog=options.examples(
        "vsenumba retrieval fit pictures.h5 -o retriever.h5",
        "vsenumba retrieval fit pictures.h5 -o retriever.h5 --objective lseh --image-pooling adpool --epochs 30",
    )
)
@options.set_argument
@options.output_option("MODEL.h5")
@click.option("--part", help="The part to train on.  [train, or all where there are no parts]")
@click.option("--validation", help="The part to choose the best epoch by.  [val or dev, where there is one]")
@model_option("--image-projection", type=PROJECTION, help="How the images' rows are projected.")
@model_option("--image-pooling", type=POOLING, help="How an image's rows become one vector.")
@model_option("--caption-pooling", type=POOLING, help="How a caption's words become one vector.")
@model_option("--objective", type=OBJECTIVE, help="What batches are trained on.")
@model_option("--factors", "n_factors", type=options.POSITIVE, help="Dimensions of the space.")
@model_option("--word-factors", type=options.POSITIVE, help="Dimensions of the words' vectors.")
@model_option("--min-count", type=options.POSITIVE, help="Rarer words count as one unknown word.")
@model_option("--epochs", "n_epochs", type=options.POSITIVE, help="Passes over all matching pairs.")
@model_option("--batch-size", type=options.POSITIVE, help="Pairs in a batch.")
@model_option("--learning-rate", type=float, help="The highest rate.")
@model_option("--schedule", type=options.SCHEDULE, help="How the rate changes.")
@model_option("--warmup-epochs", type=click.IntRange(min=0), help="First epochs in which all negatives count.")
@model_option("--row-dropout", type=float, help="The share of regions and words a batch does without.")
@click.option("--words", type=options.FILE, metavar="VECTORS", help="Word vectors to begin with.")
@click.option("--patience", type=options.POSITIVE, help="Stop after so many epochs without a higher rsum.")
@click.option("--checkpoint-every", type=options.POSITIVE, help="Save all that --resume needs after so many epochs.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in MODEL.h5.")
@options.seed_option
@options.threads_option
@options.json_option
def command(
    source: str,
    output: Path,
    part: str | None,
    validation: str | None,
    words: Path | None,
    patience: int | None,
    checkpoint_every: int | None,
    resume: bool,
    seed: int,
    threads: int | None,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Learn a space of images and captions, and save the model.

    SET is a native .h5 file or any layout that 'vsenumba retrieval import' reads.
    """
    from vsenumba.cli.words.vectors import load_vectors
    from vsenumba.data import load_caption_set
    from vsenumba.models import CrossModalRetriever, load_retriever
    from vsenumba.training import Checkpoint, ProgressBar

    options.check_output(output, source)
    data = load_caption_set(source)
    train = part_of(data, part, ("train",)) or data
    chosen_by = part_of(data, validation, ("val", "dev"))
    if patience and chosen_by is None:
        raise InputError("--patience needs a part to choose the best epoch by: name it with --validation")
    callbacks: list[Callback | Callable[..., object]] = [ProgressBar()]
    if checkpoint_every:
        callbacks.append(Checkpoint(output, checkpoint_every))
    if patience:
        # By what a checkpoint holds, so that training that is taken up stops where it would have.
        callbacks.append(lambda model, record: record["epoch"] - model.best_epoch_ >= patience)
    vectors = None if words is None else load_vectors(words)
    fresh = CrossModalRetriever(**parameters, n_threads=threads, random_state=seed)
    model = load_retriever(output) if resume else fresh
    if chosen_by is None:
        note("note: no part to choose the best epoch by; the last epoch is kept")
    if resume:
        model.resume(train, validation=chosen_by, callbacks=callbacks)
    else:
        model.fit(train, validation=chosen_by, words=vectors, callbacks=callbacks)
    model.save(output)
    last = model.history_[model.best_epoch_ - 1 if model.best_epoch_ else -1]
    report = {
        "n_images": train.n_images, "n_captions": train.n_captions, "n_epochs": len(model.history_),
        "seconds": model.history_[-1]["seconds"], "best_epoch": model.best_epoch_ or None, "loss": last["loss"],
        "rsum": last.get("rsum"),
    }  # fmt: skip
    if as_json:
        say_json({"model": str(output), **report})
        return
    images, captions = counted(train.n_images, "image"), counted(train.n_captions, "caption")
    say(f"trained  {counted(report['n_epochs'], 'epoch')} on {images} and {captions} in {report['seconds']:.1f} s")
    if model.best_epoch_:
        say(f"kept     epoch {model.best_epoch_}, of the highest rsum on the validation part, {report['rsum']:.1f}")
    say(f"saved    {output}")
    suggest(["vsenumba", "retrieval", "evaluate", str(output), source])

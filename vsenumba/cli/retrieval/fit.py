"""``vsenumba retrieval fit``: train a model for image-caption retrieval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vsenumba.cli import options
from vsenumba.cli.output import note, say, say_json, suggest
from vsenumba.cli.resuming import checkpoint_in, checkpoint_option, interruptible, resume_option
from vsenumba.cli.retrieval.parts import part_of
from vsenumba.cli.settings import parameters_of, refuse_given_twice, set_option
from vsenumba.errors import InputError
from vsenumba.printable import counted


@click.command(
    epilog=options.examples(
        "vsenumba retrieval fit pictures.h5 -o retriever.h5",
        "vsenumba retrieval fit pictures.h5 -o retriever.h5 --objective lseh --set objective.margin.weight=0.05",
    )
)
@options.caption_set_argument
@options.output_option("MODEL.h5")
@click.option("--part", help="Part to train on.  [default: train if it exists, else all]")
@click.option("--validation", help="Part to choose the best epoch on.  [default: val or dev, if one exists]")
@options.model_options(
    "CrossModalRetriever",
    image_projection="--image-projection",
    image_pooling="--image-pooling",
    caption_pooling="--caption-pooling",
    objective="--objective",
    n_factors="--factors",
    word_factors="--word-factors",
    min_count="--min-count",
    n_epochs="--epochs",
    batch_size="--batch-size",
    learning_rate="--learning-rate",
    schedule="--schedule",
    warmup_epochs="--warmup-epochs",
    row_dropout="--row-dropout",
)
@set_option
@click.option("--words", type=options.FILE, metavar="VECTORS", help="Word vectors to start from.")
@click.option("--patience", type=options.POSITIVE, help="Stop after N epochs without a higher rsum.")
@checkpoint_option
@resume_option
@options.seed_option
@options.threads_option
@options.json_option
def command(
    source: str,
    output: Path,
    part: str | None,
    validation: str | None,
    settings: tuple[tuple[str, str], ...],
    words: Path | None,
    patience: int | None,
    checkpoint_every: int | None,
    resume: bool,
    seed: int,
    threads: int | None,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Train a model for image-caption retrieval and save it.

    The model embeds images and captions in one space. SET is a native .h5 file or any layout that 'vsenumba retrieval
    import' reads.
    """
    from vsenumba.cli.words.vectors import load_vectors
    from vsenumba.data import load_caption_set
    from vsenumba.models import CrossModalRetriever
    from vsenumba.training import Checkpoint, EarlyStopping, ProgressBar

    if resume:
        model = checkpoint_in(output, CrossModalRetriever, fixed=("words",)).set_params(n_threads=threads)
    else:
        model = CrossModalRetriever(**parameters, n_threads=threads, random_state=seed)
        refuse_given_twice(settings)
        model.set_params(**parameters_of([model], settings))
    options.check_native_output(output, source)
    data = load_caption_set(source)
    train = part_of(data, part, ("train",)) or data
    chosen_by = part_of(data, validation, ("val", "dev"))
    if patience and chosen_by is None:
        raise InputError("--patience needs a validation part; name one with --validation")
    stopping = EarlyStopping("rsum", patience) if patience else None
    saving = Checkpoint(output, checkpoint_every) if checkpoint_every else None
    callbacks = [callback for callback in (ProgressBar(), saving, stopping) if callback]
    vectors = None if words is None else load_vectors(words)
    if chosen_by is None:
        note("note: no validation part, so the last epoch is kept instead of the best")
    with interruptible(model, output, saving):
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
        say(f"kept     epoch {model.best_epoch_}, which has the highest validation rsum ({report['rsum']:.3f})")
    say(f"saved    {output}")
    suggest(["vsenumba", "retrieval", "evaluate", str(output), source])

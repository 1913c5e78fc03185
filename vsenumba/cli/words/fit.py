"""``vsenumba words fit``: train word vectors on text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import options
from vsenumba.cli.output import note, say, say_json, suggest
from vsenumba.cli.resuming import checkpoint_in, checkpoint_option, interruptible, resume_option
from vsenumba.cli.settings import parameters_of, refuse_given_twice, set_option
from vsenumba.errors import InputError
from vsenumba.printable import counted

if TYPE_CHECKING:
    from vsenumba.data import Corpus
    from vsenumba.models import WordEmbedder

SENTENCES = options.Member("sentences", "vsenumba.data.text.reading", "SENTENCES")


@click.command(
    epilog=options.examples(
        "vsenumba words fit notes.txt -o words.h5",
        "vsenumba words fit texts/ -o words.h5 --sampler adaptive --set sampler.lam=0.1 --factors 200 --epochs 10",
    )
)
@click.argument("text", metavar="TEXT...", nargs=-1, required=True, type=options.FILE)
@options.output_option("MODEL.h5")
@options.model_options(
    "WordEmbedder",
    architecture="--architecture",
    sampler="--sampler",
    n_factors="--factors",
    window="--window",
    subsample="--subsample",
    n_negatives="--negatives",
    draws_per="--draws-per",
    n_draws="--draws",
    optimiser="--optimiser",
    learning_rate="--learning-rate",
    schedule="--schedule",
    n_epochs="--epochs",
)
@set_option
@click.option(
    "--min-count", type=options.POSITIVE, default=5, show_default=True, help="Drop words that occur fewer than N times."
)
@click.option("--max-vocab", type=options.POSITIVE, help="Keep only the N most frequent words.")
@click.option(
    "--sentences",
    type=SENTENCES,
    default="lines",
    show_default=True,
    help="Treat each line or paragraph as a sentence.",
)
@click.option(
    "--corpus", type=options.OUTPUT, metavar="FILE.h5", help="Save the encoded text, to train on it again as TEXT."
)
@checkpoint_option
@resume_option
@options.seed_option
@options.threads_option
@options.device_option
@options.scheduler_option
@options.json_option
def command(
    text: tuple[Path, ...],
    output: Path,
    settings: tuple[tuple[str, str], ...],
    min_count: int,
    max_vocab: int | None,
    sentences: str,
    corpus: Path | None,
    checkpoint_every: int | None,
    resume: bool,
    seed: int,
    threads: int | None,
    device: str,
    scheduler: str | None,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Train word vectors on text and save them.

    TEXT is one or more files or folders of text in UTF-8, plain or compressed with gzip, xz or bzip2. Words are runs of
    letters and digits, converted to lower case.

    TEXT can also be files that --corpus saved. Options for reading text, such as --min-count, do not apply to these
    files. Several files are merged by word.

    With --scheduler, the workers of a Dask cluster train the model. Every worker needs this package and must run one
    task at a time.

    If you interrupt a training with --checkpoint-every, continue it with --resume, the same TEXT and the same options
    for reading text. The checkpoint stores the settings of the model.
    """
    from vsenumba.cluster.workers import connected
    from vsenumba.models import WordEmbedder
    from vsenumba.storage import hidden_folder
    from vsenumba.training import Checkpoint, ProgressBar

    if resume:
        model = checkpoint_in(output, WordEmbedder).set_params(n_threads=threads, device=device)
    else:
        model = WordEmbedder(**parameters, n_threads=threads, device=device, random_state=seed)
        refuse_given_twice(settings)
        model.set_params(**parameters_of([model], settings))
    for path in [output, *([corpus] if corpus else [])]:
        options.check_native_output(path, *(one for one in text if one.is_file()))
    if corpus and corpus.absolute() == output.absolute():
        raise InputError(f"cannot write both the model and --corpus to {output}; choose another name for --corpus")
    # The client closes when the command ends.
    client = click.get_current_context().with_resource(connected(scheduler)) if scheduler is not None else None
    saving = Checkpoint(output, checkpoint_every) if checkpoint_every else None
    callbacks = [*([saving] if saving else []), ProgressBar()]
    with hidden_folder(output) as folder:
        data = _opened(text, corpus or folder / "corpus.h5", sentences, min_count, max_vocab)
        with interruptible(model, output, saving):
            train = model.resume if resume else model.fit
            train(data, callbacks=callbacks, client=client)
        report = _report(model, data)
        # Close the file before its folder is removed; some systems cannot delete a mapped file.
        del data
    model.save(output)
    if as_json:
        say_json({"model": str(output), **report})
        return
    _show(report)
    say(f"saved    {output}")
    # Skip short words, which are mostly function words.
    word = next((word for word in model.words_ if len(word) > 4), model.words_[0])
    suggest(["vsenumba", "words", "neighbors", str(output), word])


def _opened(text: tuple[Path, ...], path: Path, sentences: str, min_count: int, max_vocab: int | None) -> Corpus:
    """Open token files, or read text into one."""
    from vsenumba.cli.words.reading import reading_progress
    from vsenumba.data import Corpus
    from vsenumba.data.text.corpus_parts import whole_corpus
    from vsenumba.storage import is_native

    if any(one.is_file() and is_native(one) for one in text):
        whole: Corpus = whole_corpus(text)
        return whole
    with reading_progress() as show:
        data = Corpus.from_text(
            text, path, sentences=sentences, min_count=min_count, max_vocab=max_vocab, progress=show
        )
    if data.about["n_unreadable"]:
        unreadable = counted(data.about["n_unreadable"], "character")
        note(f"warning: {unreadable} are not valid UTF-8; they were treated as word boundaries")
    return data


def _report(model: WordEmbedder, data: Corpus) -> dict[str, Any]:
    last = model.history_[-1]
    return {
        "n_words": data.n_words,
        "n_tokens": data.n_tokens,
        "n_sentences": data.n_sentences,
        "n_tokens_read": data.about.get("n_tokens_read"),
        "n_unreadable": data.about.get("n_unreadable"),
        "n_epochs": len(model.history_),
        "words_per_second": data.n_tokens * len(model.history_) / max(last["seconds"], 1e-9),
        **{name: last[name] for name in ("seconds", "steps", "skipped", "loss")},
    }


def _show(report: dict[str, Any]) -> None:
    epochs, words = counted(report["n_epochs"], "epoch"), counted(report["n_words"], "distinct word")
    if report["n_tokens_read"]:
        rare = report["n_tokens_read"] - report["n_tokens"]
        say(f"read     {report['n_tokens_read']:,} words of text, {rare:,} of them rare and dropped; {words}")
    say(
        f"trained  {epochs} on {report['n_tokens']:,} words in {report['seconds']:.1f} s "
        f"({report['words_per_second'] / 1e6:.2f} million words/s), loss {report['loss']:.4f}"
    )

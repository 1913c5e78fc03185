"""``vsenumba sampler show``: plot a sampler's distribution for one image, and report it in numbers."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsenumba.cli import options
from vsenumba.cli.output import note, say_json, size_of
from vsenumba.cli.sampler.report import described, law_report, show_report
from vsenumba.cli.settings import set_option
from vsenumba.errors import InputError, UnknownNameError
from vsenumba.printable import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vsenumba.data import AnnotationSet
    from vsenumba.experiments import SamplerLaw
    from vsenumba.models import ImageAnnotator
    from vsenumba.samplers import Sampler

DEFAULT_SET = "openclipart"
# Options that cannot be combined with a trained model.
OF_TRAINING = {"n_epochs": "--epochs", "n_factors": "--factors"}


@click.command(
    epilog=options.examples(
        "vsenumba sampler show adaptive",
        "vsenumba sampler show adaptive:lam=0.01 --image food/fruit/apple -o apple.svg",
        "vsenumba sampler show warp --model model.h5",
    )
)
@click.argument("chosen", metavar="NAME", type=options.SAMPLER)
@options.optional_set_argument
@click.option(
    "-o",
    "--output",
    type=options.OUTPUT,
    metavar="FIGURE",
    help="Figure to write (.png, .svg or .pdf).  [default: sampler-NAME.png]",
)
@click.option(
    "--image", metavar="ID", help="Image to draw negatives for.  [default: the first with a median number of labels]"
)
@set_option
@click.option("--model", type=options.FILE, metavar="MODEL.h5", help="Use this trained model instead of a new one.")
@click.option(
    "--epochs",
    "n_epochs",
    type=options.POSITIVE,
    default=5,
    show_default=True,
    help="Number of training epochs of the new model.",
)
@click.option(
    "--factors",
    "n_factors",
    cls=options.DefaultOf,
    module="vsenumba.models",
    function="ImageAnnotator",
    type=options.POSITIVE,
    help="Vector length of the new model.",
)
@click.option(
    "--draws",
    "n_draws",
    cls=options.DefaultOf,
    module="vsenumba.experiments",
    function="inspect_sampler",
    type=options.POSITIVE,
    help="Number of negatives to draw.",
)
@options.seed_option
@options.json_option
def command(
    chosen: str | Sampler,
    source: str | None,
    output: Path | None,
    image: str | None,
    settings: tuple[tuple[str, str], ...],
    model: Path | None,
    n_epochs: int,
    n_factors: int,
    n_draws: int,
    seed: int,
    as_json: bool,
) -> None:
    """Plot the distribution of a sampler for one image.

    The figure shows the probability of drawing each label as the negative, against the rank of the label for the image.
    NAME is one of the samplers that 'vsenumba fit --help' lists, also as NAME:PARAM=VALUE,...

    The command trains a new model on SET with this sampler. SET is the name of a data set or a file (see 'vsenumba data
    --help'); the default is openclipart. With --model, it uses a trained model instead, and an image of SET or of the
    model's training images. The image is represented as in 'vsenumba annotate'.
    """
    from vsenumba.experiments import inspect_image
    from vsenumba.plotting import save_figure
    from vsenumba.plotting.letters import shortened
    from vsenumba.plotting.save import check_ending
    from vsenumba.samplers import as_sampler

    for parameter, option in OF_TRAINING.items():
        if model and options.is_given(parameter):
            raise click.UsageError(f"--model and {option} cannot be combined: the model is already trained")
    sampler = as_sampler(chosen)
    own = [(setting.removeprefix("sampler."), text) for setting, text in settings]
    sampler = sampler.with_params({setting: sampler.parse(setting, text) for setting, text in own})
    name = sampler.name
    output = output or Path(f"sampler-{name}.png")
    check_ending(output)
    options.check_output(output, *(one for one in (model, source) if one))
    if model:
        annotator, data = _loaded(model, source)
        row = _row_of(data, image, source or str(model))
        state = f"vectors of {model}"
    else:
        source = source or DEFAULT_SET
        data = options.load_set(source)
        row = _row_of(data, image, source)
        annotator = _trained(data, source, sampler, n_epochs, n_factors, seed)
        state = f"after {counted(n_epochs, 'epoch')}"
    image = data.image_ids[row]
    law = inspect_image(annotator, image, data=data, sampler=sampler, n_draws=n_draws, rng=seed)
    place = f" of {source}" if source else ""
    save_figure(_figure(law, name, f"{described(sampler)} for {shortened(image, 80)}{place}, {state}"), output)
    report = {
        "sampler": name,
        "parameters": dataclasses.asdict(sampler),
        "set": source,
        "model": str(model) if model else None,
        "image": image,
        "own_labels": data.labels_of(image),
        **law_report(law, annotator.label_names_),
        "figure": str(output),
    }
    if as_json:
        say_json(report)
    else:
        show_report(report, described(sampler), len(law.law))


def _figure(law: SamplerLaw, name: str, title: str) -> Figure:
    from vsenumba.plotting import law_figure

    return law_figure(
        law.law,
        law.counts,
        n_given_up=law.n_given_up,
        name=name,
        references=law.references(),
        own_ranks=law.own_ranks,
        title=title,
    )


def _trained(
    data: AnnotationSet, source: str, sampler: Sampler, n_epochs: int, n_factors: int, seed: int
) -> ImageAnnotator:
    from vsenumba.models import ImageAnnotator
    from vsenumba.training import ProgressBar

    if data.labels_per_image.max(initial=0) < 2:
        raise InputError(
            f"cannot train on {source}: no image has two labels; fit a model with '--inputs ids' and use it with "
            "--model"
        )
    note(f"{source}: {size_of(data)}")
    model = ImageAnnotator(
        sampler=sampler,
        # The same loss as in comparisons.
        loss="warp" if sampler.name == "warp" else "logistic",
        n_factors=n_factors,
        n_epochs=n_epochs,
        max_neighbours=0,
        # Reproducible numbers; a few epochs on one thread are fast enough.
        deterministic=True,
        random_state=seed,
    )
    return model.fit(data, callbacks=[ProgressBar()])


def _loaded(path: Path, source: str | None) -> tuple[ImageAnnotator, AnnotationSet]:
    from vsenumba.models import ImageAnnotator, load_model

    model = load_model(path, ImageAnnotator)
    if source is None:
        return model, model.seen_
    try:
        return model, model.align(options.load_set(source))
    except UnknownNameError as error:
        raise InputError(f"{source} has labels that {path} was not trained on: {error}") from error


def _row_of(data: AnnotationSet, image: str | None, source: str) -> int:
    """Return the row of an image; by default the first whose number of labels is the lower median."""
    import numpy as np

    counts = data.labels_per_image
    if image is not None:
        (row,) = data.image_ids.index([image])
        if counts[row] in (0, data.n_labels):
            what = "no label" if counts[row] == 0 else "every label"
            raise InputError(f"cannot draw a negative for {image!r}: it has {what}; choose another image with --image")
        return int(row)
    usable = np.flatnonzero((counts > 0) & (counts < data.n_labels))
    if len(usable) == 0:
        raise InputError(f"cannot draw negatives: every image of {source} has either all labels or none")
    median = np.sort(counts[usable])[(len(usable) - 1) // 2]
    return int(usable[counts[usable] == median][0])

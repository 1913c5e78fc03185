"""``vsenumba plan``: estimate the time and memory of a training, here and on a cluster."""

from __future__ import annotations

import re
from typing import Any

import click

from vsenumba.cli import options
from vsenumba.cli.output import note, say, say_json, size_of, table
from vsenumba.cli.settings import parameters_of, refuse_given_twice, set_option

_UNITS = {"M": 1e6, "G": 1e9, "b": 1 / 8, "B": 1.0}


class Bandwidth(click.ParamType):  # type: ignore[type-arg]  # it has none before click 8.4
    """Bits or bytes per second, such as ``10Gb`` or ``1GB``; converted to bytes per second."""

    name = "bandwidth"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse a number and its unit."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([MG])([bB])(?:/s|it)?", str(value))
        if found is None or not float(found[1]):
            self.fail(f"{value!r} is not a bandwidth; use bits per second (10Gb) or bytes per second (1GB)", param, ctx)
        return float(found[1]) * _UNITS[found[2]] * _UNITS[found[3]]


class Count(click.ParamType):  # type: ignore[type-arg]  # likewise
    """A whole number of at least 1, also written as ``1e9``."""

    name = "count"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse the number."""
        try:
            number = float(str(value).replace("_", ""))
        except ValueError:
            number = 0.0
        if not 1 <= number < 2**62 or number != int(number):
            self.fail(f"{value!r} is not a positive whole number, such as 1000000 or 1e6", param, ctx)
        return int(number)


@click.command(
    epilog=options.examples(
        "vsenumba plan tags.csv --workers 8 --network 25Gb",
        "vsenumba plan --images 150e6 --labels 1e6 --pairs 1e9 --inputs ids",
    )
)
@options.optional_set_argument
@click.option("--images", "n_images", type=Count(), help="Without SET: number of images.")
@click.option("--labels", "n_labels", type=Count(), help="Without SET: number of labels.")
@click.option("--pairs", "n_pairs", type=Count(), help="Without SET: number of image-label pairs.")
@click.option(
    "--workers", type=options.POSITIVE, default=4, show_default=True, help="Number of workers in the cluster."
)
@click.option(
    "--network",
    type=Bandwidth(),
    default="10Gb",
    show_default=True,
    help="Network bandwidth between the workers, in bits (b) or bytes (B) per second.",
)
@options.model_options(
    "ImageAnnotator",
    inputs="--inputs",
    sampler="--sampler",
    loss="--loss",
    optimiser="--optimiser",
    n_factors="--factors",
    n_negatives="--negatives",
)
@set_option
@options.threads_option
@options.device_option
@options.json_option
def command(
    source: str | None,
    n_images: int | None,
    n_labels: int | None,
    n_pairs: int | None,
    workers: int,
    network: float,
    settings: tuple[tuple[str, str], ...],
    threads: int | None,
    device: str,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Estimate the time and memory of a training.

    The command trains on a sample of SET for a few seconds to measure the speed of this machine. From this it
    estimates the time of an epoch on this machine and on a Dask cluster of such machines. With '--device cuda', it
    also measures the GPU.

    Without SET, it uses a synthetic data set of the size that --images, --labels and --pairs give.
    """
    from vsenumba.experiments import Size, plan
    from vsenumba.models import ImageAnnotator

    sizes = {"--images": n_images, "--labels": n_labels, "--pairs": n_pairs}
    given = [name for name, number in sizes.items() if number is not None]
    if source is not None and given:
        raise click.UsageError(f"SET and {given[0]} cannot be combined")
    if source is None and len(given) < len(sizes):
        missing = next(name for name in sizes if name not in given)
        raise click.UsageError(f"give a SET, or --images, --labels and --pairs; {missing} is missing")
    options.limit_threads(threads)
    model = ImageAnnotator(**parameters, n_threads=threads, device=device)
    refuse_given_twice(settings)
    model.set_params(**parameters_of([model], settings))
    model.check_parameters()
    if source is None:
        data: Any = Size(n_images or 0, n_labels or 0, n_pairs or 0)
        note(f"synthetic data set: {data.n_images:,} images, {data.n_labels:,} labels, {data.n_pairs:,} pairs")
    else:
        data = options.load_set(source)
        note(f"{source}: {size_of(data)}")
    found = plan(data, model, n_workers=workers, bandwidth=network)
    if as_json:
        say_json(found.to_json())
        return
    rows = [
        [
            one.where,
            _time(one.seconds),
            f"{one.sending:.0%}" if one.bytes_sent else "",
            f"{one.bytes_sent / 1e6:,.1f}" if one.bytes_sent else "",
            f"{one.memory / 1e9:,.1f}{'' if one.fits else ', too much'}",
        ]
        for one in found.estimates
    ]
    say(table(["where", "time per epoch", "sending", "MB sent per worker", "memory (GB)"], rows, "lrrrr"))
    say(f"\nrecommended: {found.chosen} ({found.why})")


def _time(seconds: float) -> str:
    for length, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:,.3g} s"

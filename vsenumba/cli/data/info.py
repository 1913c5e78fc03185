"""``vsenumba data info``: describe a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, say_json, table
from vsenumba.printable import printable

if TYPE_CHECKING:
    import numpy as np

    from vsenumba.data import AnnotationSet

N_FREQUENT = 10


@click.command(epilog=options.examples("vsenumba data info openclipart"))
@options.set_argument
@options.json_option
def command(source: str, as_json: bool) -> None:
    """Show the size and the most frequent labels of a data set.

    SET is the name of a data set or a file; see 'vsenumba data --help'.
    """
    data = options.load_set(source)
    facts = _facts(data)
    if as_json:
        say_json(facts)
        return
    say(f"images  {data.n_images:>9,}")
    say(f"labels  {data.n_labels:>9,}")
    say(f"pairs   {data.n_pairs:>9,}")
    if data.absent is not None:
        say(f"verified absences {data.absent.n_pairs:,}")
    if data.features is not None:
        of = f", {printable(data.backbone.name)}" if data.backbone else ""
        say(f"features{data.features.shape[1]:>9,} per image ({data.features.dtype}{of})")
    if not data.n_pairs:
        return
    rows = [
        [name, *(f"{facts[key][part]:g}" for part in ("min", "median", "max"))]
        for name, key in (("labels per image", "labels_per_image"), ("images per label", "images_per_label"))
    ]
    say()
    say(table(["", "min", "median", "max"], rows, "lrrr"))
    say()
    say(
        table(
            ["most frequent labels", "images"],
            [[one["label"], f"{one['n_images']:,}"] for one in facts["frequent"]],
            "lr",
        )
    )


def _facts(data: AnnotationSet) -> dict[str, Any]:
    import numpy as np

    frequent = np.argsort(-data.label_counts, kind="stable")[:N_FREQUENT]
    return {
        "n_images": data.n_images,
        "n_labels": data.n_labels,
        "n_pairs": data.n_pairs,
        "n_absent": 0 if data.absent is None else data.absent.n_pairs,
        "n_features": None if data.features is None else data.features.shape[1],
        "backbone": None if data.backbone is None else data.backbone._asdict(),
        "has_titles": data.titles is not None,
        "labels_per_image": _spread(data.labels_per_image),
        "images_per_label": _spread(data.label_counts),
        "frequent": [{"label": data.label_names[int(j)], "n_images": int(data.label_counts[j])} for j in frequent],
        "sha256": data.digest(),
    }


def _spread(counts: np.ndarray) -> dict[str, float] | None:
    import numpy as np

    if not len(counts):
        return None
    return {"min": int(counts.min()), "median": float(np.median(counts)), "max": int(counts.max())}

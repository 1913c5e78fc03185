"""``vsenumba retrieval import``: read image features and captions in any layout and write a native file."""

from __future__ import annotations

from pathlib import Path

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, suggest
from vsenumba.errors import InputError
from vsenumba.printable import counted


@click.command(
    "import",
    epilog=options.examples(
        "vsenumba retrieval import f30k_precomp/ -o f30k.h5",
        "vsenumba retrieval import dataset_flickr8k.json --features regions.npy -o f8k.h5",
    ),
)
@options.caption_set_argument
@options.output_option("SET.h5")
@click.option("--features", type=options.FILE, metavar="FILE.npy", help="Image features, if SET has none.")
@click.option(
    "--split",
    "splits",
    multiple=True,
    metavar="PART=SHARE",
    help="Split the images at random into parts, keeping images of one subject together. Repeatable.",
)
@options.seed_option
def command(source: str, output: Path, features: Path | None, splits: tuple[str, ...], seed: int) -> None:
    """Convert image features and captions to a native .h5 file.

    \b
    SET is one of:
      a folder with train_ims.npy, train_caps.txt and so on, as in VSE++,
        SCAN and VSE∞
      a folder of emoji

    \b
    With --features, SET can also be:
      a JSON file of Karpathy or of MS-COCO
      a token file, as in Flickr8k
      a table with an image and a caption column
      a folder of texts, as in IAPR TC-12
    """  # noqa: D301  # click reads the backspace
    from vsenumba.data import load_caption_set

    options.check_native_output(output, source)
    data = load_caption_set(source, features)
    if splits:
        data = data.split(rng=seed, **dict(_share(one) for one in splits))
    data.save(output)
    say(f"saved {output}: {data!r:.200}".replace("<CaptionSet: ", "").rstrip(">"))
    if data.parts is not None:
        names = list(dict.fromkeys(data.parts.tolist()))
        say("parts: " + ", ".join(f"{name} {counted(int((data.parts == name).sum()), 'image')}" for name in names))
    suggest(["vsenumba", "retrieval", "fit", str(output), "-o", str(output.with_name(output.stem + "-model.h5"))])


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    try:
        return name, float(share)
    except ValueError as error:
        raise InputError(f"--split expects PART=SHARE, such as train=0.8, not {text!r}") from error

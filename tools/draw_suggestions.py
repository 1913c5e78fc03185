"""Draw the README's picture: clip art with the tags that people gave it, and with those that a model adds.

    python tools/draw_suggestions.py openclipart-svg_0.18+dfsg-19_all.deb

hides one tag of every picture in the set that ships, trains on the others, and draws twelve pictures chosen at random.
See `build_openclipart.py` for the package file and for the programs that this needs.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from openclipart.thumbnails import render
from PIL import Image

import vsenumba as vse
from vsenumba.sheets import Suggested, save_contact_sheet

SHOWN = 12


def main() -> None:
    """Train, suggest and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="the .deb file")
    parser.add_argument("--out", type=Path, default=Path("docs/images/suggestions.png"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data = vse.load_dataset("openclipart")
    train, held_out = vse.leave_one_out(data, rng=options.seed)
    model = vse.ImageAnnotator(random_state=options.seed).fit(train)
    hidden = np.flatnonzero(held_out.labels_per_image)
    rows = np.random.default_rng(options.seed).choice(hidden, SHOWN, replace=False)
    shown = train.select_images(np.sort(rows))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "--extract", str(options.source), folder], check=True)
        pictures = [draw(Path(folder, "usr/share/openclipart/svg", f"{image}.svg")) for image in shown.image_ids]
        suggestions = model.annotate(list(shown.image_ids), n=3)
        sheet = [
            Suggested(picture, Path(image).name, shown.labels_of(image), matches)
            for picture, image, matches in zip(pictures, shown.image_ids, suggestions, strict=True)
        ]
        save_contact_sheet(sheet, options.out, "Suggested tags with scores. In italics: the tags that the model knew.")


def draw(drawing: Path) -> Path:
    """Render an SVG file, and return the PNG beside it."""
    picture = drawing.with_suffix(".png")
    Image.fromarray(render(drawing, 256)).save(picture)
    return picture


if __name__ == "__main__":
    main()

"""Tags for pictures that nobody has tagged, from pictures that people did tag: trained, suggested, measured, looked at.

    python examples/annotate_unseen_pictures.py --emoji FOLDER [--out FOLDER] [--make-folder FOLDER]

FOLDER holds emoji as four vendors draw them: thumbs64.npz, images.tsv (row, vendor, hex) and emoji.jsonl (tags by hex).
Half of the codes are unseen in training, with all their pictures. `--make-folder` only writes the pictures as PNG
files, with a table of the tags of those that are seen, for whoever wants to go on at the command line:

    vsenumba data pictures FOLDER/seen --tags FOLDER/tags.csv -o seen.h5
    vsenumba fit seen.h5 --inputs features -o model.h5

Without `--emoji`, the clip art that ships is divided instead. It has features, but no pictures to look at.

P@1 is how often the first suggestion is right. Beside it stands that of the most frequent tag, and of the nearest
neighbour: how often a tag is right that is drawn from those of the most similar picture, as in docs/reference/data.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial.distance import cdist

import vsenumba as vse
from vsenumba.data import Match
from vsenumba.pictures import load_pictures
from vsenumba.sheets import Suggested, save_contact_sheet, save_html_sheet

# Emoji that a tag must have, of those that are seen.
RARE = 3
ON_THE_SHEET = 60


def main() -> None:
    """Make the pictures, train, suggest, and write the sheets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emoji", type=Path, metavar="FOLDER", help="emoji.jsonl, images.tsv and thumbs64.npz")
    parser.add_argument("--make-folder", type=Path, metavar="FOLDER", help="write the pictures there, and stop")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="where the sheets go")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.make_folder is not None:
        if arguments.emoji is None:
            parser.error("--make-folder needs --emoji")
        write_pictures(arguments.emoji, arguments.make_folder, arguments.seed)
        print(f"pictures and tags are in {arguments.make_folder}")
    elif arguments.emoji is None:
        annotate(*divided_clip_art(arguments.seed), arguments.seed)
    else:
        with tempfile.TemporaryDirectory() as folder:
            annotate_emoji(arguments.emoji, Path(folder), arguments.out, arguments.seed)


def write_pictures(emoji: Path, folder: Path, seed: int) -> None:
    """Write the pictures to FOLDER/seen and FOLDER/new, and their tags to FOLDER/tags.csv and FOLDER/new-tags.csv."""
    with np.load(emoji / "thumbs64.npz") as file:
        pixels = file["images"]
    with (emoji / "emoji.jsonl").open(encoding="utf-8") as file:
        tags_of = {record["hex"]: sorted(set(record["tags"])) for record in map(json.loads, file)}
    with (emoji / "images.tsv").open(encoding="utf-8", newline="") as file:
        pictures = list(csv.DictReader(file, delimiter="\t"))
    codes = sorted({picture["hex"] for picture in pictures})
    seen = set(np.random.default_rng(seed).permutation(codes)[: len(codes) // 2])
    counts = Counter(tag for code in seen for tag in tags_of[code])
    for part, table in (("seen", "tags.csv"), ("new", "new-tags.csv")):
        (folder / part).mkdir(parents=True, exist_ok=True)
        with (folder / table).open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(["image", "tag"])
            for picture in pictures:
                code, name = picture["hex"], f"{picture['hex']}-{picture['vendor']}.png"
                if (code in seen) == (part == "seen"):
                    Image.fromarray(pixels[int(picture["row"])]).save(folder / part / name)
                    rows.writerows([name, tag] for tag in tags_of[code] if counts[tag] >= RARE)


def annotate_emoji(emoji: Path, folder: Path, out: Path, seed: int) -> None:
    """Annotate emoji that no picture was seen of, and draw some of them with what was suggested."""
    write_pictures(emoji, folder, seed)
    start = time.perf_counter()
    train = load_pictures(folder / "seen", folder / "tags.csv")
    new = load_pictures(folder / "new")
    n_pictures = train.n_images + new.n_images
    print(f"features of {n_pictures:,} pictures: {n_pictures / (time.perf_counter() - start):,.0f} a second")
    truth = vse.load_dataset(folder / "new-tags.csv")
    true_tags = [truth.labels_of(image) if image in truth.image_ids else [] for image in new.image_ids]
    suggestions = annotate(train, new, true_tags, seed)
    shown = np.sort(np.random.default_rng(seed).permutation(new.n_images)[:ON_THE_SHEET])
    suggested = [
        Suggested(folder / "new" / new.image_ids[i], new.image_ids[i], true_tags[i], suggestions[i]) for i in shown
    ]
    out.mkdir(parents=True, exist_ok=True)
    title = "Emoji that no picture was seen of, with suggested tags; below them, those that people gave"
    save_contact_sheet(suggested, out / "annotate_unseen_pictures.png", title)
    save_html_sheet(suggested, out / "annotate_unseen_pictures.html", title)
    print(f"sheets: {out / 'annotate_unseen_pictures'}.png and .html")


def divided_clip_art(seed: int) -> tuple[vse.AnnotationSet, vse.AnnotationSet, list[list[str]]]:
    """Return half of the clip art, the other half without its labels, and these labels."""
    data = vse.load_dataset("openclipart")
    order = np.random.default_rng(seed).permutation(data.n_images)
    train, rest = (data.select_images(np.sort(part)) for part in np.array_split(order, 2))
    nothing = np.zeros(rest.n_images + 1, np.int64), np.zeros(0, np.int32)
    new = vse.AnnotationSet(*nothing, rest.n_labels, rest.image_ids, rest.label_names, rest.features)
    return train, new, [rest.labels_of(image) for image in rest.image_ids]


def annotate(
    train: vse.AnnotationSet, new: vse.AnnotationSet, true_tags: list[list[str]], seed: int
) -> list[list[Match]]:
    """Train on some pictures, suggest tags for others, and print how good they are."""
    print(f"trained on {train.n_images:,} pictures, asked about {new.n_images:,}, {train.n_labels:,} tags")
    start = time.perf_counter()
    model = vse.ImageAnnotator(inputs="features", random_state=seed).fit(train)
    trained = time.perf_counter()
    suggestions = model.annotate(new, n=5)
    print(f"{trained - start:.1f} s of training, {time.perf_counter() - trained:.1f} s for the suggestions")
    frequent = train.label_names[int(np.argmax(np.bincount(train.indices, minlength=train.n_labels)))]
    first = [one[0].name for one in suggestions]
    figures = {
        "the most frequent tag": precision([[frequent]] * new.n_images, true_tags),
        "the nearest neighbour": precision(tags_of_neighbours(train, new), true_tags),
        "vsenumba": precision([[name] for name in first], true_tags),
    }
    for name, figure in figures.items():
        print(f"P@1 of {name}: {figure:.3f}")
    return suggestions


def tags_of_neighbours(train: vse.AnnotationSet, new: vse.AnnotationSet) -> list[list[str]]:
    """Return, for each picture, the tags of the tagged picture whose features are nearest in L1."""
    tagged = np.flatnonzero(np.diff(train.indptr))
    seen, asked = (np.asarray(features, np.float32) for features in (train.features, new.features))
    nearest = tagged[cdist(asked, seen[tagged], "cityblock").argmin(axis=1)]
    return [train.labels_of(train.image_ids[i]) for i in nearest.tolist()]


def precision(guesses: list[list[str]], true_tags: list[list[str]]) -> float:
    """Return how often a tag that is drawn from a guess is right, among the pictures that have tags at all."""
    shares = [np.mean([tag in tags for tag in guess]) for guess, tags in zip(guesses, true_tags, strict=True) if tags]
    return float(np.mean(shares))


if __name__ == "__main__":
    main()

"""``vsenumba annotate --pictures``: from a folder to suggestions, and wherever they are written."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vsenumba as vse

COLOURS = {"red": (200, 20, 20), "green": (20, 180, 30), "blue": (30, 40, 220)}


@pytest.fixture
def photos(folder):
    """Make pictures of three colours, of which the first eight of each are tagged with it."""
    rng = np.random.default_rng(0)
    for where in ("seen", "new"):
        (folder / where).mkdir()
    rows = ["image,tag"]
    for name, colour in COLOURS.items():
        for i in range(10):
            pixels = np.clip(np.array(colour) + rng.normal(0, 12, (40, 50, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / ("seen" if i < 8 else "new") / f"{name}-{i}.png")
            rows += [f"{name}-{i}.png,{name}", f"{name}-{i}.png,plain"] if i < 8 else []
    (folder / "tags.csv").write_text("\n".join(rows) + "\n")
    (folder / "new" / "broken.jpg").write_text("no picture")
    return folder


@pytest.fixture
def model(photos, succeeds):
    succeeds("data", "pictures", "seen", "-o", "seen.h5", "--tags", "tags.csv")
    out = succeeds("fit", "seen.h5", "-o", "model.h5", "--inputs", "features", "--epochs", "60", "--factors", "8")
    assert "held-out pairs of 2 images" in out.out
    return vse.load_model("model.h5")


def rows_of(text):
    return list(csv.DictReader(text.splitlines()))


def test_pictures_that_nobody_tagged_get_tags(model, photos, succeeds):
    out = succeeds("annotate", "model.h5", "--pictures", "new", "-n", "2")
    assert "skipped 1 picture: broken.jpg" in out.err
    found = rows_of(out.out)
    assert len(found) == 12
    for row in found:
        assert row["label"] in (row["image"].split("-")[0], "plain")
    one = succeeds("annotate", "model.h5", "--pictures", "new/red-8.png", "--only", "red,blue", "-n", "1")
    assert [(row["image"], row["label"]) for row in rows_of(one.out)] == [("red-8.png", "red")]


def test_known_tags_are_not_suggested_and_all_is_written_in_one_go(model, photos, succeeds):
    Path("some.csv").write_text("image,tag\nred-8.png,red\nred-9.png,plain\n")
    files = ("--sheet", "sheet.png", "--html", "sheet.html", "--csv", "out.csv")
    out = succeeds("annotate", "model.h5", "--pictures", "new", "--tags", "some.csv", "-n", "1", *files, "--xmp")
    suggested = {row["image"]: row["label"] for row in rows_of(Path("out.csv").read_text())}
    assert suggested["red-8.png"] != "red"
    assert suggested["red-9.png"] != "plain"
    with Image.open("sheet.png") as sheet:
        assert sheet.size[0] > 500
    assert "red-8.png" in Path("sheet.html").read_text()
    assert "no sidecar was changed" in out.err
    assert not list(Path("new").glob("*.xmp"))
    succeeds("annotate", "model.h5", "--pictures", "new", "-n", "1", "--xmp", "--write")
    assert len(list(Path("new").glob("*.xmp"))) == 6
    succeeds("annotate", "model.h5", "--pictures", "new", "--xmp", "--undo")
    assert not list(Path("new").glob("*.xmp"))


def test_what_cannot_be_asked_is_said_before_pictures_are_read(model, photos, fails, succeeds):
    succeeds("fit", "seen.h5", "-o", "labels.h5", "--epochs", "1", "--factors", "4")
    assert "the model does not use features of pictures" in fails("annotate", "labels.h5", "--pictures", "new")
    assert "--sheet requires --pictures" in fails("annotate", "model.h5", "--all", "--sheet", "a.png", status=2)
    assert "--excel requires a table; add --csv" in fails(
        "annotate", "model.h5", "--pictures", "new", "--sheet", "a.png", "--excel", status=2
    )
    assert "--pictures cannot be combined with" in fails("annotate", "model.h5", "--pictures", "new", "--all", status=2)
    assert "is not a picture" in fails("annotate", "model.h5", "--pictures", "tags.csv")
    assert "there is no folder" in fails("annotate", "model.h5", "--pictures", "nowhere")
    assert (
        "the data set has image features"
        in succeeds("fit", "seen.h5", "-o", "l.h5", "--epochs", "1", "--factors", "4").err
    )
    assert "needs features" in fails("fit", "tags.csv", "-o", "x.h5", "--inputs", "features")

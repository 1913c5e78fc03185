"""``vsenumba data pictures``: what it prints, what it refuses, and how it goes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command_line import ENVIRONMENT
from PIL import Image
from sample_networks import network
from sample_pictures import broken

import vsenumba as vse


def test_a_folder_and_its_tags(succeeds, folder):
    outcome = succeeds("data", "pictures", "photos", "-o", "photos.h5", "--tags", "tags.csv")
    assert outcome.out.splitlines() == [
        "saved photos.h5: 4 images, 4 labels, 8 pairs, 256 features (descriptors)",
        "pictures: 4 computed, 0 broken and skipped",
        "tags: 3 by path; 3 tagged images not found; 1 picture without tags",
    ]
    assert outcome.err.startswith("warning: skipped 3 tagged images without a picture: 'rose.jpg'")
    data = vse.load_dataset("photos.h5")
    assert data.labels_of("cat-2.jpg") == ["cat", "animal"]
    assert data.labels_of("new.jpg") == []
    assert data.features.shape == (4, 256)


def test_a_second_time_only_what_is_new(succeeds, folder):
    succeeds("data", "pictures", "photos", "-o", "photos.h5")
    Image.new("RGB", (9, 9), "red").save("photos/red.png")
    outcome = succeeds("data", "pictures", "photos", "-o", "photos.h5", "--threads", "1")
    assert "pictures: 1 computed, 4 from the cache, 0 broken and skipped" in outcome.out
    assert vse.load_dataset("photos.h5").n_images == 5


def test_broken_pictures_are_named(succeeds, folder):
    for name, content in broken().items():
        Path("photos", name).write_bytes(content)
    Path("photos/\x1b[31m.png").write_bytes(b"x")
    outcome = succeeds("data", "pictures", "photos", "-o", "photos.h5")
    n = len(broken()) + 1
    assert f"pictures: 4 computed, {n} broken and skipped" in outcome.out
    assert re.match(rf"warning: skipped {n} pictures: \\x1b\[31m\.png: not a JPEG.*; and {n - 3} more$", outcome.err)
    assert "\x1b" not in outcome.err


@pytest.mark.filterwarnings("default")
def test_a_network(succeeds, fails, folder):
    pytest.importorskip("onnxruntime")
    network(folder / "net.onnx")
    outcome = succeeds(
        *("data", "pictures", "photos", "-o", "photos.h5", "--backbone", "net.onnx"),
        *("--size", "8", "--mean", "0,0,0", "--std", "1", "--scale", "1", "--threads", "1"),
    )
    assert "3 features (net.onnx)" in outcome.out
    assert outcome.err == ""
    data = vse.load_dataset("photos.h5")
    assert np.abs(data.features - np.array([0, 60, 120, 180])[:, None]).max() < 2
    assert data.backbone.name == "net.onnx"
    outcome = succeeds("data", "pictures", "photos", "-o", "photos.h5", "--backbone", "net.onnx")
    assert outcome.err.startswith("warning: net.onnx does not describe its input; assuming that ")
    assert outcome.err.count("\n") == 1
    network(folder / "two.onnx", outputs=2)
    words = ("data", "pictures", "photos", "-o", "other.h5", "--backbone")
    assert "--network-output" in fails(*words, "two.onnx")
    assert "not an ONNX file" in fails(*words, "tags.csv")
    assert "cannot read gone.onnx" in fails(*words, "gone.onnx")
    assert "has no settings" in fails(*words, "descriptors", "--size", "3")
    assert "backbone must be" in fails(*words, "descriptor")


def test_what_is_refused(fails, folder):
    Path("empty").mkdir()
    Path("texts/b.csv").write_text("image,tag\nnothing.jpg,cat\n")
    words = ("data", "pictures", "photos", "-o", "new.h5")
    for folder_, says in (("gone", "there is no folder gone"), ("tags.csv", "is a file"), ("empty", "no picture in")):
        assert says in fails("data", "pictures", folder_, "-o", "new.h5")
    assert "none of the 1 images in texts/b.csv is a picture in photos: 'nothing.jpg'" in fails(
        *words, "--tags", "texts/b.csv"
    )
    assert "gone.csv" in fails(*words, "--tags", "gone.csv")
    assert "the file is HDF5" in fails("data", "pictures", "photos", "-o", "new.csv")
    assert "it is also an input file" in fails("data", "pictures", "photos", "-o", "tags.h5", "--tags", "tags.h5")
    assert "--separator requires --tags" in fails(*words, "--separator", ";", status=2)
    Path("broken").mkdir()
    Path("broken/a.png").write_bytes(b"x")
    assert "none of the 1 pictures in broken could be read: a.png" in fails("data", "pictures", "broken", "-o", "b.h5")
    Path("photos.h5.cache").write_text("notes")
    assert "is not a cache of vsenumba" in fails("data", "pictures", "photos", "-o", "photos.h5")


def test_the_options_of_tables(succeeds, folder):
    Path("wide.csv").write_text("picture name,words\ncat-1,cat;pet\ndog,dog\n")
    outcome = succeeds(
        *("data", "pictures", "photos", "-o", "photos.h5", "--tags", "wide.csv"),
        *("--image-column", "picture name", "--label-column", "words", "--separator", ";"),
    )
    assert "tags: 2 without the ending; 2 pictures without tags" in outcome.out
    assert vse.load_dataset("photos.h5").labels_of("cat-1.jpg") == ["cat", "pet"]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interruption_says_how_to_go_on(succeeds, folder):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), dtype=np.uint8))
    noise.save("photos/0.png", compress_level=1)
    for i in range(1, 200):
        os.link("photos/0.png", f"photos/{i}.png")
    words = ["data", "pictures", "photos", "-o", "photos.h5", "--threads", "1"]
    with subprocess.Popen(
        [sys.executable, "-m", "vsenumba", *words], stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        cache, deadline = Path("photos.h5.cache"), time.monotonic() + 120
        while not (cache.exists() and cache.stat().st_size > 100):
            assert time.monotonic() < deadline
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        err = process.stderr.read()
    assert process.returncode == 130
    assert err == "interrupted; computed features are saved in photos.h5.cache. Continue with the same command\n"
    assert not Path("photos.h5").exists()
    for i in range(1, 200):
        if i % 50:
            Path(f"photos/{i}.png").unlink()
    assert re.search(r"from the cache", succeeds(*words).out)

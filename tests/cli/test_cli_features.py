"""The command line: features of files are brought to a set's images."""

from __future__ import annotations

import numpy as np
import pytest
from command_line import in_a_process

import vsenumba as vse

IMPORT = ("data", "import", "tags.csv", "-o", "out.h5")


def test_features_come_into_the_set(succeeds, folder):
    out = succeeds(*IMPORT, "--features", "vectors.npy", "--feature-ids", "ids.txt", "--backbone", "clip").out
    assert out == "saved out.h5: 6 images, 8 labels, 15 pairs, 3 features\n"
    data = vse.load_dataset("out.h5")
    assert data.backbone.name == "clip"
    assert np.array_equal(data.features, np.load("vectors.npy"))


def test_an_array_of_several(succeeds, fails, folder):
    vectors = np.load("vectors.npy")
    np.savez("two.npz", x=vectors, y=vectors + 1)
    assert "two.npz has several arrays: x, y; choose one with --feature-dataset x" in fails(
        *IMPORT, "--features", "two.npz"
    )
    succeeds(*IMPORT, "--features", "two.npz", "--feature-dataset", "y")
    assert np.array_equal(vse.load_dataset("out.h5").features, vectors + 1)


def test_what_does_not_belong_together_is_named(fails, folder):
    ids = (folder / "ids.txt").read_text().split()
    (folder / "ids.txt").write_text("\n".join([*ids[:-1], "elm.jpg"]))
    outcome = in_a_process(*IMPORT, "--features", "vectors.npy", "--feature-ids", "ids.txt")
    assert outcome.status == 0
    assert "1 of 6 images have no features, such as 'fern.jpg'; 1 of 6 features belong to no image" in outcome.err
    (folder / "ids.txt").write_text("\n".join(ids[:-1]))
    assert "there are 5 ids for the 6 rows of" in fails(
        *IMPORT, "--features", "vectors.npy", "--feature-ids", "ids.txt"
    )
    (folder / "ids.txt").write_text("".join(f"{name[:-4]}\n" for name in ids))
    said = fails("data", "import", "tags.csv", "-o", "b.h5", "--features", "vectors.npy", "--feature-ids", "ids.txt")
    assert "none of the 6 ids of features is an image of the data set; 'cat-1.jpg' is not among them" in said


@pytest.mark.parametrize("option", ["--feature-ids", "--feature-dataset", "--backbone"])
def test_options_of_features_go_with_features(fails, folder, option):
    assert f"{option} requires --features" in fails(*IMPORT, option, "ids.txt", status=2)

"""A folder of pictures: what is a picture, what it is called, what is left out."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image
from sample_pictures import cornered, encoded

import vsenumba as vse
from vsenumba.errors import FileFormatError, InputError, UnknownNameError
from vsenumba.pictures import PictureFolder

PNG = encoded(cornered(), "PNG")


@pytest.fixture
def fill(tmp_path):
    def fill(*names, content=PNG):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return tmp_path

    return fill


def test_ids_are_paths_in_order(fill):
    folder = PictureFolder(fill("b.PNG", "birds/old/a.jpg", "a.png", "birds/z.webp", "10.gif", "9.bmp", "c.JPEG"))
    assert list(folder) == ["10.gif", "9.bmp", "a.png", "b.PNG", "birds/old/a.jpg", "birds/z.webp", "c.JPEG"]
    assert len(folder) == 7
    assert "birds/old/a.jpg" in folder
    assert "birds/old/a" not in folder
    assert folder.path_of("birds/z.webp").read_bytes() == PNG
    assert folder.open("a.png").size == (40, 24)
    assert folder.thumbnail("a.png", 10).shape == (10, 10, 3)
    assert "7 pictures" in repr(folder)
    assert vse.PictureFolder is PictureFolder


def test_what_is_no_picture_is_left_out(fill):
    fill("a.png", ".hidden.png", ".git/b.png", "__MACOSX/a.png", "@eaDir/a.png", "Thumbs.db", "birds/desktop.ini")
    fill("tags.csv", "a.txt", "set.h5", "a.png.xmp", content=b"BM is how this text begins, and it is long enough")
    folder = PictureFolder(fill("no-ending", "picture.jpg_1"))
    assert list(folder) == ["a.png", "no-ending", "picture.jpg_1"]
    assert folder.unreadable == []
    assert folder.other_formats == {}


def test_other_formats_are_counted(fill, tmp_path):
    fill("a.heic", "b.HEIC", "c.cr2")
    with pytest.raises(InputError, match=r"no picture in .*1 \.cr2, 2 \.heic.*|2 \.heic, 1 \.cr2") as caught:
        PictureFolder(tmp_path)
    assert "convert them" in str(caught.value)
    assert PictureFolder(fill("d.png")).other_formats == {".cr2": 1, ".heic": 2}


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_links_are_followed_but_not_round_and_round(fill, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "far.png").write_bytes(PNG)
    folder = fill("a/b.png", "z.png")
    (folder / "a" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "again").symlink_to(folder / "a", target_is_directory=True)
    (folder / "linked").symlink_to(elsewhere, target_is_directory=True)
    (elsewhere / "back").symlink_to(folder, target_is_directory=True)
    (folder / "z2.png").symlink_to(folder / "z.png")
    (folder / "gone.png").symlink_to(folder / "nothing.png")
    (folder / "loop").symlink_to(folder / "loop")
    found = PictureFolder(folder)
    assert list(found) == ["a/b.png", "linked/far.png", "z.png", "z2.png"]
    assert [tuple(one) for one in found.unreadable] == [("gone.png", "a broken link")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_are_not_waited_for(fill):
    folder = fill("a.png")
    os.mkfifo(folder / "b.png")
    os.mkfifo(folder / "c")
    found = PictureFolder(folder)
    assert list(found) == ["a.png"]
    assert [tuple(one) for one in found.unreadable] == [("b.png", "not a file")]


def test_names_that_are_no_text_or_twice_the_same(fill, tmp_path):
    composed, decomposed = "caf\u00e9.png", "cafe\u0301.png"
    fill("a.png", composed, decomposed)
    with_bytes = os.fsencode(tmp_path) + b"/\xff.png"
    try:
        with open(with_bytes, "wb") as file:  # noqa: PTH123 - a name of bytes
            file.write(PNG)
    except OSError:
        pytest.skip("this disk takes text only")
    found = PictureFolder(tmp_path)
    assert list(found) == ["a.png", composed]
    reasons = sorted(one.reason for one in found.unreadable)
    assert "only in spaces or Unicode form" in reasons[0]
    assert "not UTF-8" in reasons[1]
    assert found.thumbnail(composed, 4).shape == (4, 4, 3)


def test_a_folder_that_may_not_be_read_is_named(fill, monkeypatch):
    folder = fill("a.png", "secret/b.png")
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert [tuple(one) for one in PictureFolder(folder).unreadable] == [
        ("secret", "the folder cannot be read: Permission denied")
    ]
    with pytest.raises(InputError, match="cannot read .*secret: Permission denied"):
        PictureFolder(folder / "secret")


@pytest.mark.parametrize("prepare", ["missing", "file", "empty", "texts"])
def test_no_folder_no_picture(fill, tmp_path, prepare):
    path = tmp_path / "pictures"
    says = {
        "missing": "there is no folder",
        "file": "is a file, not a folder",
        "empty": "no picture in .*JPEG, PNG",
        "texts": "no picture in .*JPEG, PNG",
    }[prepare]
    if prepare == "file":
        path.write_bytes(PNG)
    elif prepare != "missing":
        path.mkdir()
    if prepare == "texts":
        fill("pictures/a.txt", content=b"a, b")
    with pytest.raises(InputError, match=says):
        PictureFolder(path)


def test_what_is_no_path(tmp_path):
    for value in (None, 3, ["a"]):
        with pytest.raises(InputError, match="must be a path"):
            PictureFolder(value)
    with pytest.raises(InputError, match="there is no folder"):
        PictureFolder("nul\0")


def test_unknown_pictures_and_those_that_are_gone(fill):
    folder = PictureFolder(fill("birds/a.png"))
    with pytest.raises(UnknownNameError, match=r"did you mean 'birds/a\.png'"):
        folder.path_of("bird/a.png")
    size, time = folder.stamp_of("birds/a.png")
    assert size == len(PNG)
    assert time > 0
    folder.path_of("birds/a.png").unlink()
    with pytest.raises(FileFormatError, match="cannot read birds/a"):
        folder.stamp_of("birds/a.png")


def test_many_pictures_are_found_quickly_enough_to_be_listed(fill, tmp_path):
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(tmp_path / "0.png")
    for i in range(1, 300):
        os.link(tmp_path / "0.png", tmp_path / f"{i}.png")
    assert len(PictureFolder(tmp_path)) == 300

"""Vectors of a folder: by any backbone, only once, and nothing is lost by an interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sample_pictures import broken, huge

from vsenumba.data.backbone_id import BackboneId
from vsenumba.errors import InputError
from vsenumba.pictures import (
    DescriptorBackbone,
    FunctionBackbone,
    PictureFolder,
    as_backbone,
    describe_pictures,
    thumbnail,
)
from vsenumba.pictures.backbones.descriptors import describe
from vsenumba.pictures.cache import PictureCache


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (value, value, value)).save(path)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "pictures"
    for i in range(20):
        write(path / f"{i % 3}" / f"{i:02}.png", 10 * i)
    return path


class Counting:
    """A backbone: the mean colour, and how many pictures it was asked for."""

    def __init__(self):
        self.n = 0

    def __call__(self, pictures):
        self.n += len(pictures)
        return pictures.mean(axis=(1, 2))[:, :1].astype(np.float32)


def test_descriptors_are_those_of_the_thumbnails(folder):
    found = describe_pictures(folder)
    ids = list(PictureFolder(folder))
    assert found.image_ids == ids
    assert found.backbone == DescriptorBackbone().id
    assert (found.n_known, found.broken) == (0, [])
    expected = describe(np.stack([thumbnail(folder / one, 64) for one in ids]))
    assert np.array_equal(found.features, expected)
    assert found.features.dtype == np.uint8


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("batch", [1, 3, 20, 50])
def test_rows_are_the_pictures_whatever_the_batches(folder, n_threads, batch):
    seen = []

    def mean(pictures):
        seen.append(pictures.shape)
        return pictures.mean(axis=(1, 2))

    found = describe_pictures(folder, mean, size=4, batch=batch, n_threads=n_threads)
    assert found.features[:, 0].tolist() == [10 * int(one[2:4]) for one in found.image_ids]
    assert found.features.dtype == np.float32
    assert {shape[1:] for shape in seen} == {(4, 4, 3)}
    assert [shape[0] for shape in seen] == [batch] * (20 // batch) + [20 % batch] * (20 % batch > 0)
    assert found.backbone.name == "mean"


def test_broken_pictures_are_named_and_left_out(folder):
    bad = broken() | huge()
    for name, content in bad.items():
        (folder / "0" / name).write_bytes(content)
    told = []
    found = describe_pictures(folder, after_batch=lambda *counts: told.append(counts))
    assert len(found.image_ids) == 20
    assert sorted(one.image for one in found.broken) == sorted(f"0/{name}" for name in bad)
    for one in found.broken:
        assert str(folder) not in one.reason
        assert one.reason
    assert told[-1] == (20, len(bad))
    assert told == sorted(told)


def test_a_folder_of_broken_pictures_only(tmp_path):
    for name, content in broken().items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"none of the {len(broken())} pictures in .* could be read: "):
        describe_pictures(tmp_path)


def test_a_second_time_only_what_is_new_or_changed(folder, tmp_path):
    cache, count = tmp_path / "cache", Counting()
    settings = {"size": 4, "name": "mean", "cache": cache}
    first = describe_pictures(folder, count, **settings)
    assert (count.n, first.n_known) == (20, 0)
    again = describe_pictures(folder, count, **settings)
    assert (count.n, again.n_known) == (20, 20)
    assert again.image_ids == first.image_ids
    assert np.array_equal(again.features, first.features)
    write(folder / "new.png", 7)
    write(folder / "0" / "00.png", 99)
    os.utime(folder / "0" / "03.png", (1, 1))
    (folder / "1" / "01.png").unlink()
    (folder / "2" / "02.png").write_bytes(b"broken now")
    changed = describe_pictures(folder, count, **settings)
    assert (count.n, changed.n_known) == (23, 16)
    values = dict(zip(changed.image_ids, changed.features[:, 0], strict=True))
    assert values["new.png"] == 7
    assert values["0/00.png"] == 99
    assert values["0/03.png"] == 30
    assert "1/01.png" not in values
    assert [one.image for one in changed.broken] == ["2/02.png"]


def test_other_backbones_keep_vectors_of_their_own(folder, tmp_path):
    cache, count = tmp_path / "cache", Counting()
    describe_pictures(folder, count, size=4, name="one", cache=cache)
    describe_pictures(folder, count, size=4, name="two", cache=cache)
    describe_pictures(folder, count, size=5, name="two", cache=cache)
    assert describe_pictures(folder, cache=cache).n_known == 0
    assert count.n == 60
    for name, size in (("one", 4), ("two", 4), ("two", 5)):
        assert describe_pictures(folder, count, size=size, name=name, cache=cache).n_known == 20
    assert describe_pictures(folder, cache=cache).n_known == 20
    assert count.n == 60


def test_an_interruption_loses_nothing_that_was_computed(folder, tmp_path):
    """The backbone stops after two batches, by Ctrl-C or by an error of its own."""
    n_threads = threading.active_count()
    for error in (KeyboardInterrupt, RuntimeError):
        cache, count = tmp_path / error.__name__, Counting()

        def stopping(pictures, count=count, error=error):
            if count.n >= 8:
                raise error
            return count(pictures)

        settings = {"size": 4, "batch": 4, "name": "mean", "cache": cache}
        with pytest.raises(error):
            describe_pictures(folder, stopping, **settings)
        assert threading.active_count() == n_threads
        whole = describe_pictures(folder, count, **settings)
        assert (whole.n_known, count.n) == (8, 20)
        assert whole.features[:, 0].tolist() == [10 * int(one[2:4]) for one in whole.image_ids]


PROGRAM = """
import sys, time
import vsenumba as vse
def slow(pictures):
    time.sleep(0.3)
    print("batch", flush=True)
    return pictures.mean(axis=(1, 2))
vse.describe_pictures(sys.argv[1], slow, size=4, batch=1, name="slow", cache=sys.argv[2])
"""


@pytest.mark.skipif(os.name != "posix", reason="a process is killed")
def test_a_killed_process_loses_a_part_at_most(folder, tmp_path):
    cache = tmp_path / "cache"
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), str(cache)], stdout=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 60
        while not cache.exists() or cache.stat().st_size < 100:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        n_done = process.stdout.read().count("batch")
    found = describe_pictures(folder, lambda pictures: pictures.mean(axis=(1, 2)), size=4, name="slow", cache=cache)
    assert 1 <= found.n_known <= n_done
    assert found.features[:, 0].tolist() == [10 * int(one[2:4]) for one in found.image_ids]


# The file.

MEAN = BackboneId("mean", "1")


def kept(path, backbone=MEAN):
    with PictureCache(path, backbone) as cache:
        return {image: (stamp, vector.tolist()) for image, (stamp, vector) in cache._rows.items()}


@pytest.fixture
def full(tmp_path):
    path = tmp_path / "cache"
    with PictureCache(path, MEAN) as cache:
        cache.add(["a", "bé"], [(1, 2), (3, -4)], np.array([[1, 2], [3, 4]], np.float32))
        cache.add(["c"], [(5, 6)], np.array([[5, 6]], np.float32))
    return path


def test_what_is_kept_is_found(full):
    assert kept(full) == {"a": ((1, 2), [1, 2]), "bé": ((3, -4), [3, 4]), "c": ((5, 6), [5, 6])}
    with PictureCache(full, MEAN) as cache:
        assert len(cache) == 3
        assert cache.get("a", (1, 2)).tolist() == [1, 2]
        assert cache.get("a", (1, 3)) is None
        assert cache.get("d", (1, 2)) is None
    assert kept(full, BackboneId("mean", "2")) == {}


@given(st.data())
def test_what_was_cut_off_ends_the_file_and_the_rest_stays(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "cut"
    path.unlink(missing_ok=True)
    with PictureCache(path, MEAN) as cache:
        for i in range(3):
            cache.add([f"{i}"], [(i, i)], np.full((1, 2), i, np.float32))
    whole = path.read_bytes()
    length = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:length])
    found = kept(path)
    assert found == {f"{i}": ((i, i), [i, i]) for i in range(len(found))}
    with PictureCache(path, MEAN) as cache:
        cache.add(["new"], [(7, 7)], np.full((1, 2), 7, np.float32))
    assert kept(path) == found | {"new": ((7, 7), [7, 7])}


@given(st.data())
def test_damage_never_gives_wrong_vectors(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.unlink(missing_ok=True)
    with PictureCache(path, MEAN) as cache:
        for i in range(3):
            cache.add([f"{i}"], [(i, i)], np.full((1, 2), i, np.float32))
    whole = bytearray(path.read_bytes())
    at = data.draw(st.integers(20, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole)
    found = kept(path)
    assert found.items() <= {f"{i}": ((i, i), [i, i]) for i in range(3)}.items()
    assert len(found) <= 2


def test_what_is_not_finite_or_of_an_unknown_type_is_not_taken(tmp_path):
    path = tmp_path / "cache"
    with PictureCache(path, MEAN) as cache:
        cache.add(["a"], [(1, 1)], np.array([[np.nan]], np.float32))
        cache.add(["b"], [(1, 1)], np.array([[1.0]], np.float64))
        cache.add(["c"], [(1, 1)], np.array([[1]], np.uint8))
    assert list(kept(path)) == ["c"]


def test_files_of_something_else_are_left_alone(tmp_path, folder):
    path = tmp_path / "cache"
    path.write_bytes(b"my notes")
    with pytest.raises(InputError, match="is not a cache of vsenumba; move it away"):
        describe_pictures(folder, cache=path)
    assert path.read_bytes() == b"my notes"
    with pytest.raises(InputError, match="cannot write"):
        describe_pictures(folder, cache=tmp_path)
    with pytest.raises(InputError, match="there is no folder"):
        describe_pictures(folder, cache=tmp_path / "gone" / "cache")


@pytest.mark.skipif(os.name != "posix", reason="no such locks")
def test_two_at_once_do_not_write_to_one_file(full):
    with PictureCache(full, MEAN), pytest.raises(InputError, match="is in use"), PictureCache(full, MEAN):
        pass


def test_a_full_disk_is_named_and_leaves_what_was_there(full, monkeypatch):
    before = full.read_bytes()

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    with PictureCache(full, MEAN) as cache:
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(InputError, match="cannot write .*No space left"):
            cache.add(["d"], [(1, 1)], np.ones((1, 2), np.float32))
    monkeypatch.undo()
    assert full.read_bytes() == before


def test_what_is_not_used_any_more_is_dropped_when_it_is_much(tmp_path, monkeypatch):
    from vsenumba.pictures import cache as module

    monkeypatch.setattr(module, "_WORTH_IT", 100)
    path, other = tmp_path / "cache", BackboneId("other", "")
    with PictureCache(path, other) as cache:
        cache.add(["x"], [(9, 9)], np.ones((1, 50), np.uint8))
    with PictureCache(path, MEAN) as cache:
        for i in range(10):
            cache.add(["a", "gone"], [(i, i)] * 2, np.full((2, 50), i, np.uint8))
        cache.tidy(["a"])
    assert path.stat().st_size < 600
    assert kept(path) == {"a": ((9, 9), [9] * 50)}
    assert kept(path, other) == {"x": ((9, 9), [1] * 50)}
    size = path.stat().st_size
    with PictureCache(path, MEAN) as cache:
        cache.tidy(["a"])
    assert path.stat().st_size == size


# Backbones.


@pytest.mark.parametrize(
    "function",
    [
        lambda pictures: pictures.mean(),
        lambda pictures: pictures.mean(axis=(1, 2))[:-1],
        lambda pictures: pictures,
        lambda pictures: np.zeros((len(pictures), 0)),
        lambda pictures: [["a"]] * len(pictures),
        lambda pictures: None,
    ],
)
def test_functions_that_return_something_else(folder, function):
    with pytest.raises(InputError, match=r"returned .* expected numbers of shape \(20, d\)"):
        describe_pictures(folder, function, size=4, name="mine")


def test_vectors_that_are_not_finite_are_named(folder):
    def bad(pictures):
        found = pictures.mean(axis=(1, 2))
        found[found > 100] = np.nan
        return found

    with pytest.raises(InputError, match=r"'bad' returned NaN or inf for the picture '\d/\d\d.png'"):
        describe_pictures(folder, bad, size=4)


def test_types_of_vectors(folder):
    for dtype, expected in ((np.float16, np.float16), (np.uint8, np.uint8), (float, np.float32), (int, np.float32)):
        found = describe_pictures(folder, lambda p, t=dtype: p.mean(axis=(1, 2)).astype(t), size=4)
        assert found.features.dtype == expected


def test_a_function_that_changes_its_mind(folder, tmp_path):
    cache = tmp_path / "cache"
    describe_pictures(folder, Counting(), size=4, name="mine", cache=cache)
    write(folder / "new.png", 3)
    with pytest.raises(InputError, match="returned 3 numbers of float32 for 'new.png', but 1"):
        describe_pictures(folder, lambda p: p.mean(axis=(1, 2)), size=4, name="mine", cache=cache)


def test_a_cache_asks_a_function_for_a_name(folder, tmp_path):
    with pytest.raises(InputError, match="a cache needs a name"):
        describe_pictures(folder, Counting(), size=4, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_what_is_no_backbone(folder):
    for value in (None, 3, "descriptor", ["descriptors"]):
        with pytest.raises(InputError, match="backbone must be 'descriptors', the path of an .onnx file"):
            describe_pictures(folder, value)
    with pytest.raises(InputError, match="'descriptors' has no settings, so size"):
        describe_pictures(folder, size=5)
    with pytest.raises(InputError, match="size cannot be combined with a Backbone object"):
        describe_pictures(folder, DescriptorBackbone(), size=5)
    with pytest.raises(LookupError, match="did you mean 'size'"):
        describe_pictures(folder, len, sise=5)
    for settings in ({"size": 0}, {"size": 2.5}, {"batch": 0}, {"name": " "}, {"resize": "no"}):
        with pytest.raises((InputError, LookupError)):
            as_backbone(len, **settings)
    with pytest.raises(InputError, match="a function of pictures"):
        FunctionBackbone("len")
    with pytest.raises(InputError, match="n_threads"):
        describe_pictures(folder, n_threads=0)
    made = FunctionBackbone(len, size=3)
    assert as_backbone(made) is made


def test_warnings_of_pillow_are_kept_back_and_those_of_a_backbone_are_not(folder):
    import warnings

    def warning(pictures):
        warnings.warn("mine", UserWarning, stacklevel=1)
        return pictures.mean(axis=(1, 2))

    with pytest.warns(UserWarning, match="mine"):
        describe_pictures(folder, warning, size=4)

"""Damaged and crafted files of every kind: refused by one clear error, or read as what they say; with counts."""

from __future__ import annotations

import json
import os
from collections import Counter

import h5py
import numpy as np
import pytest

import vsenumba as vse
from vsenumba import storage
from vsenumba.data.captions.readers import load_caption_set


@pytest.fixture(scope="module")
def robustness(benchmark):
    return benchmark("robustness")


@pytest.fixture(scope="module")
def samples(benchmark, tmp_path_factory):
    found = benchmark("sample_files").samples(tmp_path_factory.mktemp("samples"))
    return {sample.name: sample for sample in found}


def test_nothing_but_refused_clearly_and_loaded_equal(robustness, tmp_path):
    """Found 2026-11: of 1,704 crafted files with valid checksums 403 ended in TypeError, KeyError and the like."""
    counts, faults, _ = robustness.run(400, 1, tmp_path)
    assert faults == []
    assert sum(one.total() for one in counts.values()) == 400
    assert len({name for name, _ in counts}) == 13
    # Were all refused, or none, the test would show nothing.
    loaded = Counter()
    for (_, damage), one in counts.items():
        loaded[damage] += one[robustness.EQUAL]
    assert loaded["bits flipped"] + loaded["bytes overwritten"] > 0
    assert loaded["content crafted"] > 0
    assert loaded["layout crafted"] == 0


def test_the_whole_samples_load_equal(robustness, samples, benchmark, tmp_path):
    damage = benchmark("damage")
    for sample in samples.values():
        storage.write_file(tmp_path / "a.h5", sample.kind, damage.as_written(sample.elements))
        whole = damage.Damaged(sample, "none", sample.elements)
        assert robustness.outcome(whole, tmp_path / "a.h5", tmp_path / "b.h5") == robustness.EQUAL


def test_a_value_that_was_read_otherwise_is_noticed(robustness, samples, benchmark, tmp_path):
    """The suite must see what it is there to see."""
    damage, sample = benchmark("damage"), samples["ease-annotator"]
    storage.write_file(tmp_path / "a.h5", sample.kind, damage.as_written(sample.elements))
    weights = sample.elements["arrays"]["weights"] + 1
    other = {**sample.elements, "arrays": {"weights": weights}}
    found = robustness.outcome(damage.Damaged(sample, "none", other), tmp_path / "a.h5", tmp_path / "b.h5")
    assert found == "read otherwise: /arrays/weights"


def test_the_command_prints_the_table(robustness, capsys):
    robustness.main(["--files", "10", "--seed", "3"])
    printed = capsys.readouterr().out
    assert "| | tried | rejected clearly | loaded faithfully | anything else |" in printed
    assert "\n| all | 10 |" in printed


NAN = np.full((4, 2), np.nan, np.float32)
BIG_POOLING = {"name": "gpo", "hidden": 10**9}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "image-annotator of labels",
            {"arrays/label_factors": lambda a: a[:2]},
            r"label_factors has the shape \(2, 2\)",
        ),
        ("image-annotator of labels", {"arrays/label_factors": lambda a: NAN}, "label_factors contains NaN"),
        ("image-annotator of labels", {"arrays/context_factors": None}, "arrays/context_factors is missing"),
        ("image-annotator of labels", {"arrays/image_factors": lambda a: NAN}, "image_factors is unknown"),
        (
            "image-annotator of ids",
            {"arrays/image_factors": lambda a: np.vstack([a, a])},
            "image_factors has the shape",
        ),
        (
            "image-annotator of ids",
            {"optimiser_sums/label_factors": lambda a: a[:1]},
            r"label_factors has the shape \(1,\)",
        ),
        ("image-annotator of ids", {"best/label_factors": lambda a: a[:, :1]}, "best/label_factors has the shape"),
        ("image-annotator of ids", {"seen/indices": lambda a: a.astype("f4")}, "seen/indices is an array of <f4"),
        ("image-annotator of ids", {"seen/indices": lambda a: a - 1}, "seen/indices contains -1; expected at least 0"),
        ("image-annotator of ids", {"seed/entropy": lambda a: "x"}, "seed/entropy"),
        ("image-annotator of ids", {"parameters/n_factors": lambda a: 0}, "n_factors must be a whole number"),
        ("image-annotator of ids", {"parameters/n_factors": lambda a: 10**9}, "label_factors has the shape"),
        ("ease-annotator", {"arrays/weights": lambda a: a[:, :3]}, r"expected \(n_labels = 4, n_labels = 4\)"),
        ("popularity-annotator", {"arrays/counts": lambda a: a + 9}, "counts contains 11; expected less than 4"),
        ("word-embedder", {"words": lambda a: a[:2]}, "counts has the shape"),
        ("word-embedder", {"counts": lambda a: a + 2**61}, "counts adds up to"),
        ("cross-modal-retriever", {"about/image_width": lambda a: 4}, "image.projection.weights has the shape"),
        ("cross-modal-retriever", {"words": lambda a: a[:3]}, "arrays/words has the shape"),
        ("cross-modal-retriever", {"moments/2.words": lambda a: a - 9}, "expected at least 0"),
        (
            "cross-modal-retriever",
            {"parameters/caption_pooling": lambda a: {"name": "gpo", "hidden": 10**9}},
            "hidden must be at most 10,000, not 1000000000",
        ),
        ("runs", {"runs/0/history/mrr": lambda a: a[:1]}, r"mrr has the shape \(1,\)"),
        ("runs", {"runs/0/run/seed": lambda a: 0.5}, "run/seed is 0.5, not a whole number"),
        ("runs", {"groups/names": lambda a: a[:1]}, "groups/n_labels has 2 members; expected n_groups = 1"),
        ("runs", {"groups/values": lambda a: {"EASE": [[0.5]]}}, r"values/EASE\[0\] has 1 members"),
        ("annotation-set", {"indptr": lambda a: a.astype("f8")}, "indptr is an array of <f8"),
        ("annotation-set", {"titles": lambda a: a[:1]}, "titles has 1 texts; expected n_images = 3"),
        ("caption-set", {"thumbnails": lambda a: a[..., :2]}, "thumbnails has the shape"),
        ("caption-set", {"token_offsets": None}, "give both token_rows and token_offsets"),
        ("corpus", {"counts": lambda a: a[:1]}, r"counts has the shape \(1,\)"),
        ("corpus", {"words": lambda a: {"prefix": "", "count": 2}}, "counts has the shape"),
    ],
)
def test_crafted_content_is_refused_by_its_name(samples, benchmark, tmp_path, name, change, message):
    """Found 2026-11: 5 of 40 rows of labels loaded, and answered with made-up rows; cut sums crashed training."""
    sample, path = samples[name], tmp_path / "a.h5"
    elements = json_like_copy(sample.elements)
    for place, alter in change.items():
        *parents, last = place.split("/")
        parent = elements
        for one in parents:
            parent = parent[one]
        if alter is None:
            del parent[last]
        else:
            parent[last] = alter(parent.get(last))
    storage.write_file(path, sample.kind, benchmark("damage").as_written(elements))
    with pytest.raises(vse.FileFormatError, match=message) as caught:
        sample.load(path)
    assert str(caught.value).startswith(f"{path}: ")


def json_like_copy(value):
    return {name: json_like_copy(one) for name, one in value.items()} if isinstance(value, dict) else value


class TestLayouts:
    """Found 2026-11: a crafted file read another file's content into titles, and small ones took gigabytes."""

    @pytest.fixture
    def path(self, tmp_path):
        vse.AnnotationSet.from_lists([["cat"], ["dog"]]).save(tmp_path / "a.h5")
        return tmp_path / "a.h5"

    def refusal(self, path):
        with pytest.raises(vse.FileFormatError) as caught:
            vse.load_dataset(path)
        return str(caught.value)

    def replace(self, path, name, make):
        with h5py.File(path, "r+") as file:
            attributes, values = dict(file[name].attrs), file[name][...]
            del file[name]
            file[name] = make(file, values)
            file[name].attrs.update(attributes)

    def test_external_storage(self, path, tmp_path):
        (tmp_path / "secret").write_bytes(np.arange(3).tobytes())
        source = [(str(tmp_path / "secret"), 0, 24)]
        self.replace(path, "indptr", lambda file, old: file.create_dataset(None, old.shape, old.dtype, external=source))
        assert "indptr is stored in another file" in self.refusal(path)

    def test_a_virtual_dataset_deep_inside(self, path, tmp_path):
        whole = tmp_path / "whole.h5"
        whole.write_bytes(path.read_bytes())

        def make(file, old):
            view = h5py.VirtualLayout(old.shape, old.dtype)
            view[...] = h5py.VirtualSource(str(whole), "label_names/data", shape=old.shape, dtype=old.dtype)
            return file.create_virtual_dataset("label_names/other", view)

        self.replace(path, "label_names/data", make)
        with h5py.File(path, "r+") as file:
            del file["label_names/other"]
        assert "label_names/data is stored in another file" in self.refusal(path)

    @pytest.mark.parametrize("options", [{"compression": "gzip"}, {"chunks": True}, {"scaleoffset": 0}])
    def test_what_is_packed(self, path, options):
        self.replace(path, "indices", lambda file, old: file.create_dataset(None, data=old, **options))
        assert "indices is stored in chunks; datasets must be contiguous" in self.refusal(path)

    @pytest.mark.parametrize("n", [4, 2**28, 2**58])
    def test_what_was_never_written(self, path, n):
        self.replace(path, "indices", lambda file, old: file.create_dataset(None, (n,), old.dtype))
        assert f"indices claims {4 * n:,} bytes, which the file does not contain" in self.refusal(path)

    def test_a_group_of_many_names(self, path):
        with h5py.File(path, "r+") as file:
            level = file.create_group("levels")
            for _ in range(24):
                below = file.create_group(None)
                level["a"], level["b"] = below, below
                level = below
        assert "is a second name of another object" in self.refusal(path)

    def test_one_array_under_many_names(self, path):
        with h5py.File(path, "r+") as file:
            file["more"] = file["indices"]
        assert "is a second name of another object" in self.refusal(path)

    def test_groups_that_are_too_deep(self, path):
        with h5py.File(path, "r+") as file:
            file.create_group("/".join("x" * 50))
        assert "is nested more than 32 groups deep" in self.refusal(path)

    @pytest.mark.parametrize("version", [b" 1 ", b"01", b"+1", b"1_0", "１".encode(), b"1.0", b""])
    def test_versions_that_are_no_plain_digits(self, path, version):
        """Found 2026-11: int() reads " 1 ", and the format page does not."""
        with h5py.File(path, "r+") as file:
            file["indptr"].attrs["encoding-version"] = np.bytes_(version)
        assert "indptr has the format version" in self.refusal(path)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (b'{"a": "x", "a": "y"}', "a name appears twice"),
            (b'{"a": NaN}', "NaN is not a finite number"),
            (b"[1e999]", "1e999 is not a finite number"),
            (b"[" * 90_000 + b"]" * 90_000, "is not JSON|nested more than 64 deep"),
            (b"[" * 70 + b"]" * 70, "nested more than 64 deep"),
            (b"9" * 9999, "is not JSON"),
            (b'{"a": "\xff"}', "is not JSON"),
        ],
        ids=range(7),
    )
    def test_json_that_is_none(self, path, benchmark, text, message):
        self.replace(path, "provenance", lambda file, old: file.create_dataset(None, data=np.bytes_(text)))
        with h5py.File(path, "r+") as file:
            benchmark("damage").sign(file)
        with pytest.raises(vse.FileFormatError, match=message):
            vse.load_dataset(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs are of POSIX")
@pytest.mark.parametrize("load", [vse.load_model, vse.Corpus.load, vse.Comparison.load, load_caption_set])
def test_a_stream_is_no_file(tmp_path, load):
    """Found 2026-11: it waited for ever."""
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(vse.VsenumbaError, match="stream or a device|no such|not (a|in a)"):
        load(tmp_path / "fifo")


def test_a_model_that_could_not_be_loaded_is_not_saved(samples, benchmark, tmp_path):
    """Found 2026-11: with other parameters than it was fitted with, a model was saved to a file that no one can use."""
    sample, path = samples["image-annotator of labels"], tmp_path / "a.h5"
    storage.write_file(path, sample.kind, benchmark("damage").as_written(sample.elements))
    before = path.read_bytes()
    model = sample.load(path).set_params(n_factors=3)
    with pytest.raises(
        vse.InputError, match="cannot be saved, because the file could not be loaded: arrays/label_factors has"
    ):
        model.save(path)
    model.set_params(n_factors=2, optimiser="sgd")
    with pytest.raises(vse.InputError, match="optimiser_sums/label_factors has the shape"):
        model.save(path, include_optimiser=True)
    assert path.read_bytes() == before


def test_a_seed_of_several_numbers_comes_back(samples, benchmark, tmp_path):
    """Found 2026-11: a model of ``SeedSequence([1, 2])`` was saved and could not be loaded."""
    sample = samples["word-embedder"]
    elements = {**sample.elements, "seed": {"entropy": ["1", str(2**70)], "spawn_key": [3]}}
    storage.write_file(tmp_path / "a.h5", "model", benchmark("damage").as_written(elements))
    model = vse.load_model(tmp_path / "a.h5")
    assert model.seed_entropy_ == [1, 2**70]
    model.save(tmp_path / "b.h5")
    assert storage.read_file(tmp_path / "b.h5").elements["seed"] == json.loads(json.dumps(elements["seed"]))

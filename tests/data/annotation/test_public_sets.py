"""Public sets: every layout comes in whole, is recognised by its content, and by no other reader."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from public_set_writers import PUBLIC_SETS, features_of
from strategies import annotation_sets, table_names

import vsenumba as vse
from vsenumba.data import READERS
from vsenumba.data.annotation.readers import READER_NAMES
from vsenumba.data.compression import HEAD_BYTES

one_line_names = table_names.filter(lambda name: not any(letter in name for letter in "\n\r\t"))


def pairs_of(data, names):
    rows, columns = data.pairs()
    return {(int(i), names[int(j)]) for i, j in zip(rows, columns, strict=True)}


def head_of(path):
    return b"" if path.is_dir() else path.read_bytes()[:HEAD_BYTES]


@pytest.mark.parametrize("name", PUBLIC_SETS)
class TestLayouts:
    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(data=annotation_sets(min_pairs=1, name=one_line_names))
    def test_comes_in_as_it_was_written_whatever_it_is_called(self, name, data, tmp_path_factory):
        layout = PUBLIC_SETS[name]
        path = tmp_path_factory.mktemp("set") / "file.without-a-meaning"
        layout.write(data, path)
        read = vse.load_dataset(path)
        names = layout.label_names(data)
        assert read.n_images == data.n_images
        assert pairs_of(read, read.label_names) == pairs_of(data, names)
        if layout.has_features:
            features = read.features.toarray() if sp.issparse(read.features) else read.features
            assert np.array_equal(features, features_of(data))
        if layout.keeps_images:
            assert list(read.image_ids) == list(data.image_ids)
        if layout.keeps_empty:
            assert list(read.label_names) == names

    def test_only_its_reader_takes_it(self, name, tmp_path):
        PUBLIC_SETS[name].write(vse.synthetic(6, 5, 12, rng=0), tmp_path / "a")
        takes = [reader.NAME for reader in READERS if reader.recognises(tmp_path / "a", head_of(tmp_path / "a"))]
        assert takes[0] == name
        assert set(takes) <= {name, "pairs", "json", "one-hot"}  # those that take much

    def test_is_described(self, name):
        assert READER_NAMES[name].DESCRIPTION

    def test_columns_are_for_tables(self, name, tmp_path):
        PUBLIC_SETS[name].write(vse.synthetic(6, 5, 12, rng=0), tmp_path / "a")
        with pytest.raises(vse.InputError, match="image_column='image' cannot be used with"):
            vse.load_dataset(tmp_path / "a", image_column="image", format=name)

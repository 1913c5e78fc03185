"""Every layout of people's tag files gives back the set that was written."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from layouts import LAYOUTS, labels_by_image
from public_set_writers import PUBLIC_SETS
from strategies import distinct_names, incidence

from vsenumba.data import AnnotationSet, read_annotations
from vsenumba.data.annotation.readers import READERS
from vsenumba.errors import FileFormatError


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
@settings(max_examples=40, suppress_health_check=[HealthCheck.filter_too_much])
@given(values=st.data())
def test_a_set_comes_back_as_it_was_written(layout, values, tmp_path_factory):
    matrix = values.draw(incidence().filter(lambda matrix: matrix.any()))
    images = values.draw(distinct_names(matrix.shape[0], layout.images))
    labels = values.draw(distinct_names(matrix.shape[1], layout.labels))
    if layout.is_folder:  # one text stands beside x.jpg and x.PNG
        assume(len({image.rpartition(".")[0].casefold() for image in images}) == len(images))
    data = AnnotationSet.from_csr(matrix, images, labels)
    path = tmp_path_factory.mktemp("set") / "file.without-a-meaning"
    layout.write_set(data, path)
    with warnings.catch_warnings():
        if layout.says:
            warnings.filterwarnings("ignore", f".*({layout.says})")
        read = read_annotations(path, **layout.options)
    if not layout.keeps_names:
        assert (read.to_csr() != data.to_csr()).nnz == 0
        return
    expected = labels_by_image(data)
    if not layout.keeps_untagged:
        expected = {image: labels for image, labels in expected.items() if labels}
    assert labels_by_image(read) == expected


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_only_its_reader_is_the_first_to_recognise_it(layout, tmp_path):
    images = ["a.jpg", "b.jpg", "c.jpg"]
    layout.write_set(AnnotationSet.from_csr(np.eye(3), images, ["cat", "dog", "oak"]), tmp_path / "a")
    head = b"" if layout.is_folder else (tmp_path / "a").read_bytes()[:4096]
    assert layout.reader == next(one for one in READERS if one.recognises(tmp_path / "a", head)).NAME


@pytest.mark.parametrize("layout", [one for one in LAYOUTS.values() if not one.is_folder], ids=lambda one: one.reader)
def test_a_file_cut_off_is_refused_or_read_in_part(layout, tmp_path):
    layout.write_set(AnnotationSet.from_csr(np.ones((30, 20)), [f"{i}.jpg" for i in range(30)]), tmp_path / "a")
    content = (tmp_path / "a").read_bytes()
    for n in (len(content) // 3, len(content) // 2 - 1, len(content) - 2):
        (tmp_path / "b").write_bytes(content[:n])
        try:
            data = read_annotations(tmp_path / "b", **layout.options)
        except FileFormatError:
            continue
        assert layout.reader in ("pairs", "exiftool", "one-hot", "json", "danbooru")
        assert data.n_images <= 30


def test_every_reader_has_a_layout():
    elsewhere = {"parquet", "open-images"}  # they have tests of their own
    written = {layout.reader for layout in LAYOUTS.values()} | set(PUBLIC_SETS)
    assert {reader.NAME for reader in READERS} - elsewhere == written - elsewhere

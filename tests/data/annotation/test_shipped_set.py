"""The data set that ships is what ``docs/reference/data.md`` says, and its keywords are cleaned by the stated rules."""

import importlib.util
import string
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import vsenumba
from vsenumba import storage
from vsenumba.data.annotation.annotation_set import AnnotationSet

ROOT = Path(__file__).parents[3]
SHIPPED = Path(vsenumba.__file__).parent / "data" / "shipped" / "openclipart.h5"


@pytest.fixture(scope="module")
def shipped():
    return AnnotationSet.from_elements(storage.read_file(SHIPPED, "annotation-set").elements)


@pytest.fixture(scope="module")
def metadata():
    path = ROOT / "tools" / "openclipart" / "metadata.py"
    if not path.exists():
        pytest.skip("tools/ is not beside the tests")
    spec = importlib.util.spec_from_file_location("openclipart_metadata", path)
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up by name
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
    return module


def test_labels_and_pictures_are_frequent_enough(shipped):
    assert shipped.label_counts.min() >= 3
    assert shipped.labels_per_image.min() >= 2


def test_file_is_small_enough_for_the_wheel():
    assert SHIPPED.stat().st_size <= 3_000_000


def test_features_are_bytes_and_distinct(shipped):
    assert shipped.features.dtype == np.uint8
    assert shipped.features.shape == (shipped.n_images, 256)
    assert len(np.unique(shipped.features, axis=0)) == shipped.n_images


def test_labels_are_clean(shipped):
    names = list(shipped.label_names)
    assert names == sorted(names)
    for name in names:
        assert name == " ".join(unicodedata.normalize("NFC", name).lower().split())
        assert name == name.strip(string.punctuation)
        assert not set(name) & set(",;&")
    assert not {"hash", "openclipart", "clipart", "unsorted", "svg"} & set(names)


def test_ids_and_titles_are_clean(shipped):
    ids = list(shipped.image_ids)
    assert ids == sorted(ids)
    assert all("/" in one and not one.endswith(".svg") and not one.startswith("/") for one in ids)
    assert len(shipped.titles) == shipped.n_images
    assert all(title == " ".join(unicodedata.normalize("NFC", title).split()) for title in shipped.titles)


def test_documentation_states_the_counts(shipped):
    page = ROOT / "docs" / "reference" / "data.md"
    if not page.exists():
        pytest.skip("docs/ is not beside the tests")
    text = page.read_text(encoding="utf-8")
    counts = f"{shipped.n_images:,} pictures, {shipped.n_labels:,} labels, {shipped.n_pairs:,} pairs"
    assert counts in text
    common = Counter(tuple(shipped.labels_of(one)) for one in shipped.image_ids).most_common(1)[0]
    assert f"{common[1]:,} pictures have the same" in text


@pytest.mark.parametrize(
    ("keyword", "labels"),
    [
        ("  Moon \n space ", ["moon space"]),
        ("Rome,Italy; city", ["city", "italy", "rome"]),
        ("&amp;eacute;toile", ["étoile"]),
        ("e\u0301toile", ["étoile"]),
        ("HASH", []),
        ("hash(0x8a07724)", []),
        ("hashish", ["hashish"]),
        ("=signs", ["signs"]),
        ("yin-yang", ["yin-yang"]),
        ("north_america", ["north_america"]),
        ("...", []),
        ("", []),
        ("Open Clipart", ["open clipart"]),
        ("unsorted", []),
        ("Ann  LEE", []),
    ],
)
def test_keyword_cleaning(metadata, keyword, labels):
    assert metadata.clean_keywords((keyword,), creator="Ann Lee") == labels


def test_plural_doubles_stay(metadata):
    assert metadata.clean_keywords(("stars", "star", "Star")) == ["star", "stars"]


def test_metadata_of_an_svg(metadata, tmp_path):
    path = tmp_path / "a.svg"
    path.write_text(
        '<svg xmlns:rdf="r#" xmlns:dc="d#" xmlns:cc="c#"><metadata><rdf:RDF><cc:Work>'
        "<dc:title>A cat</dc:title><dc:subject><rdf:Bag><rdf:li>cat</rdf:li><rdf:li/></rdf:Bag></dc:subject>"
        "<dc:creator><cc:Agent><dc:title>Ann Lee</dc:title></cc:Agent></dc:creator>"
        '<cc:license rdf:resource="http://web.resource.org/cc/PublicDomain"/></cc:Work></rdf:RDF></metadata></svg>'
    )
    picture = metadata.read_picture(path)
    assert (picture.title, picture.keywords, picture.creator) == ("A cat", ("cat", ""), "Ann Lee")
    assert picture.licence in metadata.PUBLIC_DOMAIN


@pytest.mark.parametrize("text", ["no xml", "<svg/>"])
def test_a_file_without_metadata_has_no_keywords_and_no_licence(metadata, tmp_path, text):
    path = tmp_path / "a.svg"
    path.write_text(text)
    picture = metadata.read_picture(path)
    assert (picture.title, picture.keywords, picture.licence) == ("", (), "")

"""ARFF as Mulan and MEKA write it: which attributes are labels, what sparse rows leave out, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from strategies import annotation_sets, table_names

import vsenumba as vse
from vsenumba.data.annotation.readers.arff_header import attribute_of

SHARED = Path(__file__).parents[4] / "shared" / "data" / "corel5k"
XML = '<?xml version="1.0"?>\n<labels xmlns="http://mulan.sourceforge.net/labels">{}</labels>'


def quoted(text):
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def mulan(folder, text, labels=("cat", "dog"), name="set"):
    (folder / f"{name}.arff").write_text(text, encoding="utf-8")
    listed = "".join(f'<label name="{label}"></label>' for label in labels)
    (folder / f"{name}.xml").write_text(XML.format(listed), encoding="utf-8")
    return vse.load_dataset(folder / f"{name}.arff")


def dense(features):
    return features.toarray() if sp.issparse(features) else np.asarray(features)


HEADER = "@relation r\n@attribute cat {0,1}\n@attribute x numeric\n@attribute dog {0,1}\n@data\n"


class TestValues:
    def test_labels_need_not_stand_last(self, tmp_path):
        data = mulan(tmp_path, HEADER + "1,.5,0\n0, -2,1\n1,3,1\n")
        assert data.to_csr().toarray().tolist() == [[1, 0], [0, 1], [1, 1]]
        assert data.features.tolist() == [[0.5], [-2], [3]]
        assert data.features.dtype == np.float32
        assert list(data.image_ids) == ["set-0", "set-1", "set-2"]

    def test_labels_come_in_the_order_of_the_xml(self, tmp_path):
        data = mulan(tmp_path, HEADER + "1,.5,0\n", labels=("dog", "cat"))
        assert list(data.label_names) == ["dog", "cat"]
        assert data.labels_of("set-0") == ["cat"]

    def test_sparse_rows_leave_out_zeros(self, tmp_path):
        data = mulan(tmp_path, HEADER + "{0 1}\n{}\n{1 2.5, 2 1}\n")
        assert data.to_csr().toarray().tolist() == [[1, 0], [0, 0], [0, 1]]
        assert isinstance(data.features, sp.csr_array)
        assert data.features.toarray().tolist() == [[0], [0], [2.5]]

    def test_a_sparse_row_leaves_out_the_first_value_whatever_it_is(self, tmp_path):
        text = "@relation r\n@attribute cat {1,0}\n@attribute x {yes,no}\n@attribute dog {0,1}\n@data\n{0 0}\n{2 1}\n"
        with pytest.warns(UserWarning, match=r"line 2: 'cat' is declared as \{1,0\}, so its missing values .* '1'"):
            data = mulan(tmp_path, text)
        assert data.to_csr().toarray().tolist() == [[0, 0], [1, 1]]

    def test_a_sparse_feature_that_is_left_out_is_its_first_value(self, tmp_path):
        text = "@relation r\n@attribute cat {0,1}\n@attribute x {3,0}\n@data\n{0 1}\n{1 0}\n"
        with pytest.warns(UserWarning, match="declared as"):
            data = mulan(tmp_path, text, labels=("cat",))
        assert data.features.toarray().tolist() == [[3], [0]]

    def test_zeros_and_ones_are_bytes(self, tmp_path):
        text = "@relation r\n@attribute cat {0,1}\n@attribute x {0,1}\n@attribute y {0,1}\n@data\n{0 1,2 1}\n{1 1}\n"
        data = mulan(tmp_path, text, labels=("cat",))
        assert data.features.dtype == np.uint8
        assert data.features.toarray().tolist() == [[0, 1], [1, 0]]

    def test_words_become_columns(self, tmp_path):
        text = "@relation r\n@attribute cat {false,TRUE}\n@attribute c {red,'dark blue',red-ish}\n@data\n"
        with pytest.warns(UserWarning, match=r"1 attribute\(s\) of several values, such as 'c'"):
            data = mulan(tmp_path, text + "TRUE,red\nfalse,'dark blue'\nfalse,red-ish\n", labels=("cat",))
        assert data.features.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
        assert data.to_csr().toarray().tolist() == [[1], [0], [0]]

    def test_texts_are_ids_or_are_left_out(self, tmp_path):
        text = "@relation r\n@attribute 'Image ID' string\n@attribute note string\n@attribute cat {0,1}\n@data\n"
        with pytest.warns(UserWarning, match="the text of note was skipped"):
            data = mulan(tmp_path, text + "'a b.jpg','x, y',1\nc.jpg,z,0\n", labels=("cat",))
        assert list(data.image_ids) == ["a b.jpg", "c.jpg"]
        assert data.features is None

    def test_meka_says_from_which_end(self, tmp_path):
        rows = "@attribute a {0,1}\n@attribute b {0,1}\n@attribute x numeric\n@attribute y {0,1}\n@data\n1,0,3,1\n"
        for relation, labels, features in (
            ("'films: -C 2'", ["a", "b"], [[3, 1]]),
            ("'films:-C -1 -split-number 9'", ["y"], [[1, 0, 3]]),
        ):
            (tmp_path / "m.arff").write_text(f"@RELATION {relation}\n{rows}")
            data = vse.load_dataset(tmp_path / "m.arff")
            assert list(data.label_names) == labels
            assert data.features.tolist() == features

    def test_comments_blank_lines_and_compression(self, tmp_path):
        text = f"% made by hand\n\n{HEADER}% first\n1 .5 0\n\n"
        mulan(tmp_path, text)
        with gzip.open(tmp_path / "set.arff.gz", "wt") as file:
            file.write(text)
        assert vse.load_dataset(tmp_path / "set.arff.gz").labels_of("set-0") == ["cat"]

    def test_the_train_and_test_files_share_an_xml_and_no_image(self, tmp_path):
        mulan(tmp_path, HEADER + "1,.5,0\n", name="set")
        for part in ("train", "test"):
            (tmp_path / f"set-{part}.arff").write_text(HEADER + "1,.5,0\n")
        train, test = (vse.load_dataset(tmp_path / f"set-{part}.arff") for part in ("train", "test"))
        assert train.label_names == test.label_names
        assert list(train.image_ids) != list(test.image_ids)


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("@relation r\n@attribute cat {0,1}\n", "@data is missing"),
            (HEADER, "no rows after @data"),
            (HEADER + "1,.5\n", r"line 6: 2 value\(s\), but the header has 3"),
            (HEADER + "1,.5,2\n", "line 6: 'dog' is '2', which is not one of 0, 1"),
            (HEADER + "1,x,0\n", "line 6: 'x' is 'x', which is not a finite number"),
            (HEADER + "1,nan,0\n", "not a finite number"),
            (HEADER + "1,?,0\n", r"line 6: the value of 'x' is missing \(\?\)"),
            (HEADER + "1,1,?\n", "missing"),
            (HEADER + "{0 1,0 1}\n", "names an attribute twice"),
            (
                HEADER + "{3 1}\n",
                "line 6: the row has a value for attribute 3, but attributes are numbered from 0 to 2",
            ),
            (HEADER + "{-1 1}\n", "the row has a value for attribute -1"),
            (HEADER + "{x 1}\n", "must have a number and a value"),
            (HEADER + "{0 1\n", "must end with }"),
            (HEADER + "{0 1}, {5}\n", "'1}, {5'|must end|which is not one of|a number and a value"),
            (HEADER + "{0 1}\n1,0,1\n", "line 7: some rows are sparse"),
            ("@relation r\nattribute x\n@data\n", "line 2: 'attribute x' is neither"),
            ("@relation r\n@attribute x relational\n@data\n", "line 2: the attribute 'x' has the type 'relational'"),
            (
                "@relation r\n@attribute cat {0,1}\n@attribute cat {0,1}\n@data\n",
                "'cat' is declared twice, in lines 2 and 3",
            ),
            ("@relation r\n@attribute cat {0,1}\n@attribute dig {0,1}\n@data\n", "did you mean 'dig'"),
            ("@relation r\n@attribute cat {a,b}\n@attribute dog {0,1}\n@data\n", "the label 'cat' has the values a, b"),
            ("@relation 'r: -C 9'\n@attribute cat {0,1}\n@data\n", r"names 9 labels \(-C 9\) of 1 attributes"),
            ("@relation 'r: -C 0'\n@attribute cat {0,1}\n@data\n", "names 0 labels"),
        ],
    )
    def test_is_named_with_its_line(self, tmp_path, text, message):
        with pytest.raises(vse.FileFormatError, match=message):
            mulan(tmp_path, text)

    def test_which_attributes_are_labels_is_asked(self, tmp_path):
        (tmp_path / "set.arff").write_text(HEADER + "1,.5,0\n")
        with pytest.raises(vse.InputError, match=r"does not say which attributes are labels. .* \(there is none\)"):
            vse.load_dataset(tmp_path / "set.arff")
        for name in ("one", "two"):
            (tmp_path / f"{name}.xml").write_text(XML.format('<label name="cat"/>'))
        with pytest.raises(vse.InputError, match=r"there are one.xml, two.xml; keep one"):
            vse.load_dataset(tmp_path / "set.arff")

    @pytest.mark.parametrize(
        ("xml", "message"),
        [
            ("<labels>", "set.xml is not XML"),
            ("<labels></labels>", "set.xml names no labels"),
            ("<labels><label/></labels>", "a label of set.xml has no name"),
            ('<!DOCTYPE x [<!ENTITY a "b">]><labels><label name="&a;"/></labels>', "declares a document type"),
            ('<labels><label name="cat"/><label name="cat"/></labels>', "'cat' appears twice in set.xml"),
        ],
    )
    def test_a_list_of_labels_that_is_none(self, tmp_path, xml, message):
        (tmp_path / "set.arff").write_text(HEADER + "1,.5,0\n")
        (tmp_path / "set.xml").write_text(xml)
        with pytest.raises(vse.FileFormatError, match=message):
            vse.load_dataset(tmp_path / "set.arff")

    def test_options_are_for_others(self, tmp_path):
        mulan(tmp_path, HEADER + "1,.5,0\n")
        with pytest.raises(vse.InputError, match="separator=',' cannot be used with"):
            vse.load_dataset(tmp_path / "set.arff", separator=",")


@given(data=annotation_sets(min_pairs=1, name=table_names.filter(lambda name: "\n" not in name)), sparse=st.booleans())
def test_what_is_written_is_read_back(data, sparse, tmp_path_factory):
    rng = np.random.default_rng(data.n_pairs)
    features = rng.integers(-3, 4, (data.n_images, 2)).astype(np.float32)
    lines = [f"@relation 'drawn: -C {data.n_labels}'"]
    lines += [f"@attribute {quoted(name)} {{0,1}}" for name in data.label_names]
    lines += ["@attribute image string", "@attribute 'x 1' real", '@attribute "x\'2" INTEGER', "@data"]
    for row, name, numbers in zip(data.to_csr().toarray().astype(int), data.image_ids, features, strict=True):
        cells = [*map(str, row), quoted(name), *map(str, numbers)]
        if sparse:
            kept = [f"{at} {cell}" for at, cell in enumerate(cells) if cell not in ("0", "0.0")]
            lines.append("{" + ", ".join(kept) + "}")
        else:
            lines.append(",".join(cells))
    path = tmp_path_factory.mktemp("set") / "file.without-a-meaning"
    path.write_text("\n".join(lines), encoding="utf-8")
    read = vse.load_dataset(path)
    assert list(read.image_ids) == list(data.image_ids)
    assert list(read.label_names) == list(data.label_names)
    assert (read.to_csr() != data.to_csr()).nnz == 0
    assert np.array_equal(dense(read.features), features)


def test_a_kind_may_be_written_in_any_case():
    assert attribute_of("@ATTRIBUTE x NUMERIC", 1).kind == "numeric"


@pytest.mark.skipif(not SHARED.exists(), reason="the real files are not at hand")
@pytest.mark.parametrize(("part", "n_images", "n_pairs"), [("train", 4500, 15847), ("test", 500, 1763)])
def test_corel5k(part, n_images, n_pairs):
    data = vse.load_dataset(SHARED / f"Corel5k-{part}-sparse.arff")
    assert data.shape == (n_images, 374)
    assert data.n_pairs == n_pairs
    assert data.features.shape == (n_images, 499)
    assert data.features.dtype == np.uint8
    if part == "train":
        assert data.labels_of("Corel5k-train-sparse-0") == ["city", "mountain", "sky", "sun"]
        assert data.features[[0]].indices.tolist() == [19, 93, 143, 149, 259, 329, 379, 461]

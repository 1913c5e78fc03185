"""Texts of ``number:value``: svmlight, and both layouts of the extreme-classification repository."""

from __future__ import annotations

import numpy as np
import pytest

import vsenumba as vse
from vsenumba.data.annotation.readers.sparse_lines import SparseRows


def read(folder, text, name="trn.txt", **options):
    (folder / name).write_text(text)
    return vse.load_dataset(folder / name, **options)


class TestExtreme:
    def test_values(self, tmp_path):
        data = read(tmp_path, "4 3 5\n4,0 0:1 2:.5\n 1:-2\n3 2:1e-3\n\n")
        assert data.to_csr().toarray().tolist() == [[1, 0, 0, 0, 1], [0] * 5, [0, 0, 0, 1, 0], [0] * 5]
        assert np.array_equal(data.features.toarray(), np.float32([[1, 0, 0.5], [0, -2, 0], [0, 0, 1e-3], [0, 0, 0]]))
        assert list(data.label_names) == list("01234")
        assert data.image_ids[3] == "trn-3"

    def test_many_rows_are_parsed_in_blocks(self, tmp_path):
        rows = "".join(f"{i % 3} {i % 7}:{i + 1}\n" for i in range(10_000))
        data = read(tmp_path, f"10000 7 3\n{rows}")
        assert data.label_counts.tolist() == [3334, 3333, 3333]
        assert data.features.sum(axis=1).tolist() == list(range(1, 10_001))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("2 3 5\n1 0:1\n", "trn.txt: 1 rows, but the first line says 2"),
            ("1 3 5\n1 0:1\n2 0:1\n", "line 3: there are more rows than the first line says"),
            ("1 3 5\n5 0:1\n", "line 2: label 5 does not exist; the 5 labels are numbered from 0"),
            ("1 3 5\n1 3:1\n", "row 0 has the number 3; numbers go from 0 to 2"),
            ("2 3 5\n1 0:1\n1 0:1 0:2\n", "row 1 has the number 0 twice"),
            ("2 3 5\n1 0:1\n1,x 0:2\n", "line 3: 'x' is not the number of a label"),
            ("2 3 5\n1 0:1\n-1 0:2\n", "line 3: '-1' is not the number of a label"),
            ("2 3 5\n1 0:1\n1 0:1:2 3\n", "line 3: '0:1:2 3' is not a list of number:value"),
            ("2 3 5\n1 0:1\n1 0:x\n", "line 3: '0:x' is not a whole number and a finite value"),
            ("2 3 5\n1 0:1\n1 0:nan\n", "line 3: '0:nan' is not a whole number and a finite value"),
            ("2 3 5\n1 0:1\n1 0:1_0\n", "line 3: '0:1_0' is not a whole number"),
            ("2 3 5\n1 0:1\n1 9999999999:1\n", "line 3: '9999999999:1' is not a whole number"),
        ],
    )
    def test_what_is_refused_is_named(self, tmp_path, text, message):
        with pytest.raises(vse.FileFormatError, match=message):
            read(tmp_path, text)


class TestPairsOfFiles:
    def folder(self, tmp_path, labels="2 3\n0:1 2:1\n\n", features="2 2\n0:1.5\n1:2\n", part="trn"):
        (tmp_path / f"{part}_X_Y.txt").write_text(labels)
        if features:
            (tmp_path / f"{part}_X_Xf.txt").write_text(features)
        return tmp_path

    def test_values(self, tmp_path):
        self.folder(tmp_path)
        for path in (tmp_path, tmp_path / "trn_X_Y.txt"):
            data = vse.load_dataset(path)
            assert data.to_csr().toarray().tolist() == [[1, 0, 1], [0, 0, 0]]
            assert data.features.toarray().tolist() == [[1.5, 0], [0, 2]]

    def test_without_features(self, tmp_path):
        assert vse.load_dataset(self.folder(tmp_path, features=None)).features is None

    def test_the_part_is_asked(self, tmp_path):
        self.folder(self.folder(tmp_path), labels="1 3\n1:1\n", features="1 2\n\n", part="tst")
        with pytest.raises(vse.InputError, match="has the parts trn, tst; choose one with --part trn"):
            vse.load_dataset(tmp_path)
        assert vse.load_dataset(tmp_path, part="tst").n_images == 1
        with pytest.raises(vse.UnknownNameError, match="unknown part 'tsd'; did you mean 'tst'"):
            vse.load_dataset(tmp_path, part="tsd")

    def test_scores_are_asked_about(self, tmp_path):
        self.folder(tmp_path, labels="2 3\n0:1 2:.3\n1:0\n")
        with pytest.raises(vse.InputError, match=r"values such as 0.3; use --threshold X"):
            vse.load_dataset(tmp_path)
        assert vse.load_dataset(tmp_path, threshold=0.5).n_pairs == 1
        assert vse.load_dataset(tmp_path, threshold=0.3).n_pairs == 2

    def test_features_of_other_images(self, tmp_path):
        with pytest.raises(vse.FileFormatError, match=r"trn_X_Xf.txt has 1 rows, but trn_X_Y.txt has 2"):
            vse.load_dataset(self.folder(tmp_path, features="1 2\n\n"))

    def test_features_are_no_labels(self, tmp_path):
        self.folder(tmp_path)
        with pytest.raises(vse.InputError, match="has features, not labels; give the file of labels, trn_X_Y.txt"):
            vse.load_dataset(tmp_path / "trn_X_Xf.txt")

    def test_cut_off(self, tmp_path):
        with pytest.raises(vse.FileFormatError, match=r"trn_X_Y.txt: 1 rows, but the first line says 2"):
            vse.load_dataset(self.folder(tmp_path, labels="2 3\n0:1 2:1"))


class TestSvmlight:
    def test_values(self, tmp_path):
        data = read(tmp_path, "# made\n7,3 0:1 2:.5 # a.jpg\n\n 1:2\n3 0:4\n")
        assert list(data.label_names) == ["3", "7"]
        assert data.to_csr().toarray().tolist() == [[1, 1], [0, 0], [1, 0]]
        assert data.features.toarray().tolist() == [[1, 0, 0.5], [0, 2, 0], [4, 0, 0]]

    def test_whether_the_first_is_0_or_1_is_asked_where_it_is_not_seen(self, tmp_path):
        with pytest.raises(vse.InputError, match="no feature has the number 0, .*; use --first-number 1"):
            read(tmp_path, "1 1:1 3:2\n")
        assert read(tmp_path, "1 1:1 3:2\n", first_number=1).features.toarray().tolist() == [[1, 0, 2]]
        assert read(tmp_path, "1 1:1 3:2\n", first_number=0).features.toarray().tolist() == [[0, 1, 0, 2]]
        with pytest.raises(
            vse.FileFormatError, match="a feature has the number 0, so features are not numbered from 1"
        ):
            read(tmp_path, "1 0:1 3:2\n", first_number=1)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("1 0:1\n2 qid:3 0:1\n", r"line 2: rows of queries"),
            ("1 0:1\n1.5 0:1\n", "line 2: '1.5' is not the number of a label"),
            ("1 0:1\n1 0;1\n", "line 2: '0;1' is not a list of number:value"),
        ],
    )
    def test_what_is_refused_is_named(self, tmp_path, text, message):
        with pytest.raises(vse.FileFormatError, match=message):
            read(tmp_path, text)

    def test_a_file_of_remarks_has_no_row(self, tmp_path):
        with pytest.raises(vse.FileFormatError, match="there are no rows"):
            read(tmp_path, "# 1 0:1\n", format="svmlight")


def test_rows_without_cells():
    rows = SparseRows()
    rows.add("", 1)
    assert (rows.least_column, rows.most_column) == (0, -1)
    assert rows.to_csr(2).shape == (1, 2)

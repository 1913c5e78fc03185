"""Readers: every format comes in whole, is recognised by its content, and bad input is named by its line."""

from __future__ import annotations

import csv
import gzip
import lzma
import subprocess
import sys
import zipfile
from types import ModuleType

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import annotation_sets, table_names

from vsenumba import storage
from vsenumba.data import DATASETS, READERS, AnnotationSet, load_dataset, read_annotations
from vsenumba.data.annotation.readers import csv_pairs, native, scipy_npz
from vsenumba.data.annotation.readers.options import TableOptions
from vsenumba.errors import FileFormatError, InputError, UnknownNameError

CAT_PAIRS = [("a.jpg", "cat"), ("a.jpg", "animal"), ("b.jpg", "animal")]


def write_csv(data, path):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label"])
        rows, columns = data.pairs()
        writer.writerows((data.image_ids[i], data.label_names[j]) for i, j in zip(rows, columns, strict=True))


def write_npz(data, path):
    with path.open("wb") as file:
        sp.save_npz(file, data.to_csr())


# For every reader: how to write a set in its format, and whether the format keeps the names.
WRITERS = {
    native: (lambda data, path: data.save(path), True),
    scipy_npz: (write_npz, False),
    csv_pairs: (write_csv, True),
}


def pair_names(data: AnnotationSet) -> set[tuple[str, str]]:
    rows, columns = data.pairs()
    return {(data.image_ids[i], data.label_names[j]) for i, j in zip(rows, columns, strict=True)}


@pytest.mark.parametrize("reader", WRITERS, ids=lambda reader: reader.NAME)
class TestReaderContract:
    @settings(max_examples=25)
    @given(data=annotation_sets(min_pairs=1, name=table_names))
    def test_comes_in_as_it_was_written_whatever_it_is_called(self, reader, data, tmp_path_factory):
        write, keeps_names = WRITERS[reader]
        path = tmp_path_factory.mktemp("set") / "file.without-a-meaning"
        write(data, path)
        # Drawn names can look like lists.
        options = {"separator": "none"} if reader is csv_pairs else {}
        for read in (
            read_annotations(path, **options),
            load_dataset(str(path), **options),
            reader.read(path, TableOptions(**options)),
        ):
            if keeps_names:
                assert pair_names(read) == pair_names(data)
            else:
                assert (read.to_csr() != data.to_csr()).nnz == 0

    def test_only_this_reader_takes_it(self, reader, tmp_path):
        WRITERS[reader][0](AnnotationSet.from_csr(np.eye(2)), tmp_path / "a")
        head = (tmp_path / "a").read_bytes()[:4096]
        assert [one for one in READERS if one.recognises(tmp_path / "a", head)] == [reader]

    def test_is_described(self, reader: ModuleType):
        assert reader.DESCRIPTION

    def test_a_file_cut_off_is_refused_or_read_in_part(self, reader, tmp_path):
        WRITERS[reader][0](AnnotationSet.from_csr(np.ones((30, 20))), tmp_path / "a")
        content = (tmp_path / "a").read_bytes()
        (tmp_path / "b").write_bytes(content[: len(content) // 2 - 1])
        try:
            read_annotations(tmp_path / "b")
        except FileFormatError:
            return
        assert reader is csv_pairs

    def test_columns_are_for_tables(self, reader, tmp_path):
        if reader is csv_pairs:
            pytest.skip("this is the reader of tables")
        WRITERS[reader][0](AnnotationSet.from_csr(np.eye(2)), tmp_path / "a")
        with pytest.raises(InputError, match="label_column='x' cannot be used with"):
            read_annotations(tmp_path / "a", label_column="x")


class TestTables:
    @pytest.fixture
    def read(self, tmp_path):
        def read(content, **options):
            path = tmp_path / "pairs.csv"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            return read_annotations(path, **options)

        return read

    @pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    def test_dialects(self, read, delimiter, end, mark):
        rows = [("image", "tag"), *CAT_PAIRS]
        data = read(mark + end.join(delimiter.join(row) for row in rows))
        assert pair_names(data) == set(CAT_PAIRS)
        assert list(data.image_ids) == ["a.jpg", "b.jpg"]
        assert list(data.label_names) == ["cat", "animal"]

    @pytest.mark.parametrize("compress", [gzip.compress, lzma.compress])
    def test_compressed(self, read, compress):
        assert pair_names(read(compress(b"image,tag\na.jpg,cat\n"))) == {("a.jpg", "cat")}

    @pytest.mark.filterwarnings("ignore:1 of 4 cells .* look like lists")
    def test_quotes_doubles_blanks_and_blank_lines(self, read):
        data = read('id,word\n"x, ""1""","two\nlines"\n\n a , b \na,b\n5,5" disk\n')
        assert pair_names(data) == {('x, "1"', "two\nlines"), ("a", "b"), ("5", '5" disk')}

    @pytest.mark.parametrize(
        "header",
        ["Image,Label", "PHOTO;who;Keyword", "tag\timage id", "filename|concept|id|class", "n, item , tags"],
    )
    @pytest.mark.filterwarnings("ignore:only concept of the columns concept, class")
    def test_usual_names(self, read, header):
        delimiter = next(one for one in ",;|\t" if one in header)
        row = delimiter.join("v" for _ in header.split(delimiter))
        assert read(f"{header}\n{row}\n").n_pairs == 1

    def test_named_columns(self, read):
        table = "image;Motiv;Wort\nx;1;rot\ny;2;blau\n"
        assert pair_names(read(table, image_column="Motiv", label_column="Wort")) == {
            ("1", "rot"),
            ("2", "blau"),
        }
        assert pair_names(read(table, label_column="Wort")) == {("x", "rot"), ("y", "blau")}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", "csv: the file is empty"),
            ("image,tag\n", r"line 1: the table has a header \(image, tag\) but no rows"),
            ("image,tag", "but no rows"),
            (
                "a.jpg,cat\nb.jpg,dog\n",
                "line 1: no image column among a.jpg, cat. .* Name another column with --image-column",
            ),
            (
                "image,what\nx,y\n",
                "line 1: no label column among image, what. .*label, label_name, labelname, tag.*label_column=",
            ),
            ("image,tag\na,b\nc\n", "line 3: 1 field.s., but the header has 2"),
            ("image,tag\na,b,c\n", "line 2: 3 field.s., but the header has 2"),
            ("image,tag\na,b\n\nc;d\n", "line 4: 1 field.s., .* the row contains ';', so check for mixed delimiters"),
            ("image,tag\na,b\n,d\n", "line 3: the cell of the image is empty"),
            ("image,tag\na,\nb, \n", "line 3: the table has a header .image, tag. but no label in its 2 rows"),
            ("image,tag,tag\na,b,c\n", "line 1: the header has the column 'tag' twice"),
            (b"image,tag\na,b\nc,caf\xe9\n", r"line 3: byte 6 \(0xe9\) is not UTF-8"),
            (b"image,tag\na,b\nx\0y,c\n", "not in a supported format"),
            (b"image,tag\n" + b"a,b\n" * 2000 + b"x\0y,c\n", "line 2002: the line contains a NUL"),
            ("image,tag\na,b\n".encode("utf-16"), "line 1: the file is UTF-16; save it as UTF-8"),
            ('image,tag\na,b\n"c,d\ne,f\n', "line 3: not a valid row: unexpected end of data"),
            ('image,tag\na,"b"c\n', "line 2: not a valid row"),
            (
                "image,tag\n" + "x" * 2_000_000,
                "line 2: the line, or the quoted field .* longer than 1,048,576",
            ),
            ("image,tag\na,b\n" + '"x\n' + "x\n" * 500_000, "line 3: .*field larger than"),
            ("image,tag\n" + '"x","\n' + '","x\n' * 300_000, "line 2: .*longer than 1,048,576 bytes"),
        ],
    )
    def test_bad_tables_are_refused_by_line(self, read, content, message):
        with pytest.raises(FileFormatError, match=message) as caught:
            read(content)
        assert "pairs.csv" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 600

    def test_bad_options(self, read):
        with pytest.raises(InputError, match="label_column='word' is not among the columns of the table: image, tag"):
            read("image,tag\na,b\n", label_column="word")
        with pytest.raises(InputError, match="are both 'image'"):
            read("image,tag\na,b\n", label_column="image")

    @pytest.mark.parametrize("compress", [gzip.compress, lzma.compress])
    def test_damaged_compression(self, read, compress):
        names = np.random.default_rng(0).integers(10**9, size=20_000)
        content = compress(b"image,tag\n" + b"".join(b"%d,x\n" % name for name in names))
        with pytest.raises(FileFormatError, match="compressed file is damaged or truncated"):
            read(content[: len(content) // 2])
        with pytest.raises(FileFormatError, match=r"compressed file is damaged or truncated|line \d+: "):
            read(content[: len(content) // 2] + bytes(100) + content[len(content) // 2 + 100 :])

    @pytest.mark.filterwarnings("ignore:.*have no label", "ignore:.*look like lists")
    @settings(max_examples=60)
    @given(content=st.one_of(st.text('ab,;"\n\r\t|', max_size=40), st.binary(max_size=40)))
    def test_anything_is_read_or_refused_in_one_line(self, content, tmp_path_factory):
        path = tmp_path_factory.mktemp("table") / "a"
        path.write_bytes(b"image,tag\n" + (content.encode() if isinstance(content, str) else content))
        try:
            data = read_annotations(path)
        except FileFormatError:
            return
        assert data.n_pairs > 0

    @pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is of Linux")
    def test_an_endless_line_is_refused_in_little_memory(self, tmp_path):
        code = (
            "import sys, vsenumba.data as d, resource\n"
            "usage = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
            "resource.setrlimit(resource.RLIMIT_AS, (usage + (64 << 20),) * 2)\n"
            "try: d.read_annotations(sys.argv[1])\n"
            "except d.annotation.readers.FileFormatError as error: print(error)\n"
        )
        path = tmp_path / "long.csv"
        with path.open("wb") as file:
            file.write(b"image,tag\n")
            for _ in range(200):
                file.write(b"x" * (1 << 20))
        command = [sys.executable, "-c", code, path]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "line 2: the line" in result.stdout, result.stderr


class TestArchives:
    @pytest.mark.parametrize("name", ["csr", "csc", "coo", "bsr", "dia"])
    def test_every_format_of_save_npz(self, tmp_path, name):
        matrix = np.array([[1, 0, 2], [0, 0, 1]])
        sp.save_npz(tmp_path / "a.npz", sp.coo_array(matrix).asformat(name))
        np.testing.assert_array_equal(read_annotations(tmp_path / "a.npz").to_csr().toarray(), matrix > 0)

    def test_dense_and_gzipped(self, tmp_path):
        np.savez_compressed(tmp_path / "a.npz", X=np.eye(3, dtype=bool))
        assert read_annotations(tmp_path / "a.npz").shape == (3, 3)
        (tmp_path / "a.gz").write_bytes(gzip.compress((tmp_path / "a.npz").read_bytes()))
        assert read_annotations(tmp_path / "a.gz").n_pairs == 3

    def test_other_archives(self, tmp_path):
        np.savez(tmp_path / "two.npz", x=np.eye(3), y=np.eye(2))
        with pytest.raises(FileFormatError, match=r"two\.npz: expected one array, .*the archive contains x, y"):
            read_annotations(tmp_path / "two.npz")
        with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
            archive.writestr("xl/workbook.xml", "<workbook/>")
        with pytest.raises(FileFormatError, match=r"a\.xlsx: "):
            read_annotations(tmp_path / "a.xlsx")

    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (np.array([[0.5]]), "1 fractional value"),
            (np.arange(3), "two dimensions"),
            (
                np.array([[None]], dtype=object),
                "cannot be read as an .npz file: Object arrays cannot be loaded",
            ),
        ],
    )
    def test_odd_arrays(self, tmp_path, array, message):
        np.savez(tmp_path / "a.npz", array)
        with pytest.raises(FileFormatError, match=message):
            read_annotations(tmp_path / "a.npz")

    def test_broken_offsets_never_reach_compiled_code(self, tmp_path):
        parts = {
            "format": b"csr",
            "shape": [2, 2],
            "data": [1, 1],
            "indices": [0, 1],
            "indptr": [0, 2**30, 2],
        }
        np.savez(tmp_path / "a.npz", **parts)
        with pytest.raises(FileFormatError, match=r"not a valid sparse matrix|cannot be read"):
            read_annotations(tmp_path / "a.npz")


class TestNative:
    def test_another_kind(self, tmp_path):
        storage.write_file(tmp_path / "a.h5", "model", {})
        with pytest.raises(FileFormatError, match="a file of kind 'model', expected 'annotation-set'"):
            read_annotations(tmp_path / "a.h5")

    def test_missing_and_unfit_elements(self, tmp_path):
        elements = AnnotationSet.from_csr(np.eye(2)).to_elements()
        storage.write_file(tmp_path / "a.h5", "annotation-set", elements | {"indptr": np.array([0, 9, 2])})
        with pytest.raises(FileFormatError, match=r"a\.h5: indptr does not rise from 0 to n_pairs = 2"):
            read_annotations(tmp_path / "a.h5")
        del elements["indptr"]
        storage.write_file(tmp_path / "a.h5", "annotation-set", elements)
        with pytest.raises(FileFormatError, match=r"a\.h5: indptr is missing"):
            read_annotations(tmp_path / "a.h5")

    def test_compressed(self, tmp_path):
        AnnotationSet.from_csr(np.eye(2)).save(tmp_path / "a.h5")
        (tmp_path / "a.gz").write_bytes(gzip.compress((tmp_path / "a.h5").read_bytes()))
        with pytest.raises(FileFormatError, match="decompress it first"):
            read_annotations(tmp_path / "a.gz")


class TestUnknownFiles:
    def test_the_error_lists_what_is_understood(self, tmp_path):
        (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\r")
        with pytest.raises(
            FileFormatError, match=r"a\.png is not in a supported format. Supported formats: native, npz"
        ) as e:
            read_annotations(tmp_path / "a.png")
        assert all(reader.NAME in str(e.value) for reader in READERS)

    def test_missing_file_and_folder(self, tmp_path):
        with pytest.raises(InputError, match=r"cannot read .*no\.csv: No such file"):
            read_annotations(tmp_path / "no.csv")
        with pytest.raises(FileFormatError, match="no pictures with tag files next to them in a known format"):
            read_annotations(tmp_path)

    def test_options_are_checked(self, tmp_path):
        (tmp_path / "a.csv").write_text("image,tag\na,cat\n")
        for options, message in (
            ({"threshold": "x"}, "threshold must be a number, not 'x'"),
            ({"first_number": 2}, "first_number must be 0 or 1, not 2"),
            ({"first_number": True}, "first_number must be 0 or 1, not True"),
            (
                {"first_number": 0},
                "first_number=0 cannot be used with .*a.csv; it is only for files with numbered labels",
            ),
            (
                {"threshold": 0.5},
                "threshold=0.5 needs a table with a column 'confidence'; this table has the columns image, tag",
            ),
        ):
            with pytest.raises(InputError, match=message):
                read_annotations(tmp_path / "a.csv", **options)

    def test_a_format_is_taken_without_looking(self, tmp_path):
        with pytest.raises(UnknownNameError, match="unknown format 'pair'; did you mean 'pairs'"):
            read_annotations(tmp_path, format="pair")
        (tmp_path / "a.csv").write_text("image,tag\na,cat\n")
        assert read_annotations(tmp_path / "a.csv", format="pairs").n_pairs == 1
        with pytest.raises(FileFormatError, match="cannot be read as an .npz file"):
            read_annotations(tmp_path / "a.csv", format="npz")


class TestLoadDataset:
    def test_catalogue(self, monkeypatch):
        for entry in DATASETS.values():
            assert entry.description
            assert entry.licence
            assert entry.source
            assert not entry.shipped or load_dataset(entry.name).n_pairs > 0

    def test_unknown_names(self):
        with pytest.raises(UnknownNameError, match=r"unknown data set 'openclip'; did you mean 'openclipart'\?"):
            load_dataset("openclip")

    def test_missing_files(self, tmp_path):
        for path in ("no.csv", "./openclipart", tmp_path / "no"):
            with pytest.raises(InputError, match="there is no file"):
                load_dataset(path)

    def test_options_reach_the_reader(self, tmp_path):
        (tmp_path / "a.csv").write_text("x,y\n1,2\n")
        assert load_dataset(tmp_path / "a.csv", image_column="x", label_column="y").n_pairs == 1

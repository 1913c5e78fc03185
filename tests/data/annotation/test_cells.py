"""Tables as people have them: several labels in a cell, gaps, odd lines."""

from __future__ import annotations

import warnings
import zipfile

import pytest

import vsenumba as vse

LISTS = {", ": "cat, animal", ",": "cat,animal", "|": "cat|animal", "; ": "cat; animal"}


@pytest.fixture
def read(tmp_path):
    def read(content, **options):
        path = tmp_path / "tags.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return vse.load_dataset(path, **options)

    return read


def table(cells, header="image,tag", quote=True):
    return f"{header}\n" + "".join(
        f'{i}.jpg,"{cell}"\n' if quote else f"{i}.jpg,{cell}\n" for i, cell in enumerate(cells)
    )


class TestSeveralLabelsInACell:
    """Found 2026-11: "cat, animal" became one label, and `fit` advised other inputs."""

    @pytest.mark.parametrize(("separator", "cell"), LISTS.items())
    def test_most_cells_are_asked_about(self, read, separator, cell):
        content = table([cell] * 6 + ["cat"] * 4)
        message = (
            f"6 of 10 cells in the column 'tag' look like lists of labels, such as .* Use --separator '{separator}'"
        )
        with pytest.raises(vse.FileFormatError, match=message.replace("|", r"\|")) as asked:
            read(content)
        assert ", line" not in str(asked.value)
        assert read(content, separator=separator).labels_of("0.jpg") == ["cat", "animal"]
        assert read(content, separator="none").labels_of("0.jpg") == [cell]

    def test_some_cells_are_mentioned(self, read):
        content = table(["cat, animal"] * 3 + ["cat"] * 7)
        with pytest.warns(UserWarning, match="3 of 10 cells .* Each was read as one label"):
            assert read(content).n_labels == 2

    @pytest.mark.parametrize(
        "cells",
        [
            ["New York, NY", *["cat"] * 12],
            ["cats & dogs", "food/fruit/apple", "semi-final", "U.S.", "C++", "3.5", "a:b"],
            ["black cat", "white cat", "old oak tree"],
            ["trailing,", ",leading", ";", "|"],
        ],
    )
    def test_honest_labels_are_left_alone(self, read, cells):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert read(table(cells)).n_labels == len(set(cells))

    def test_one_with_a_part_that_is_a_label_is_mentioned_however_rare(self, read):
        """Found 2026-11: up to a tenth of all cells could be lists without a word."""
        content = table(["cat, animal", *["cat"] * 99])
        with pytest.warns(UserWarning, match="1 of 100 cells .* look like lists of labels, such as 'cat, animal'"):
            read(content)

    @pytest.mark.parametrize(
        ("separator", "cell"),
        [("\n", "cat\nanimal"), (r"\n", "cat\r\nanimal"), ("、", "cat、animal"), ("，", "cat，animal")],
    )
    def test_other_separators(self, read, separator, cell):
        """Found 2026-11: lines within a cell, as spreadsheets have them, could not be taken apart."""
        with pytest.raises(vse.FileFormatError, match="3 of 3 cells"):
            read(table([cell] * 3))
        assert read(table([cell] * 3), separator=separator).labels_of("0.jpg") == ["cat", "animal"]

    def test_a_separator_that_stands_nowhere_is_said_to(self, read):
        with pytest.warns(UserWarning, match="no cell of the column 'tag' contains the separator ';'"):
            read(table(["cat, animal"] * 3), separator=";")
        with pytest.raises(vse.InputError, match="separator must be a text"):
            read(table(["cat"]), separator=[",", ";"])

    @pytest.mark.parametrize(
        "cell",
        [
            "['cat', 'animal']", '[""cat"", ""animal""]', "['cat' 'animal']", "['cat'\n 'animal']", "{'cat', 'animal'}",
            "('cat', 'animal')", "[cat, animal]", "[cat]",
        ],
    )  # fmt: skip
    def test_lists_as_any_program_writes_them(self, read, cell):
        """Found 2026-11: NumPy's have no commas, and Python joined their texts to one label."""
        known = ["cat", "animal"] if "animal" in cell else ["cat"]
        assert read(table([cell] * 3), separator="list").labels_of("0.jpg") == known

    @pytest.mark.parametrize("cell", ["[['cat'], 'x']", "{'cat': 1}", "['cat', 1.5]", "['cat'", "[cat: x]", "cat, dog"])
    def test_what_is_no_list_of_labels(self, read, cell):
        with pytest.raises(vse.FileFormatError, match="is not a list of labels"):
            read(table([cell]), separator="list")

    @pytest.mark.parametrize("cell", ["['cat', 'animal']", '[""cat"", ""animal""]'])
    def test_lists_as_programs_write_them(self, read, cell):
        with pytest.raises(vse.FileFormatError, match="Use --separator 'list'"):
            read(table([cell] * 3))
        assert read(table([cell] * 3), separator="list").labels_of("1.jpg") == ["cat", "animal"]
        with pytest.raises(vse.FileFormatError, match="line 2: 'cat' is not a list of labels"):
            read(table(["cat"]), separator="list")

    def test_blanks_divide_where_a_row_is_an_image_and_the_column_in_the_plural(self, read):
        content = table(["cat animal", "dog animal", "oak"], header="image,tags")
        with pytest.raises(vse.FileFormatError, match="2 of 3 cells in the column 'tags' .* Use --separator ' '"):
            read(content)
        assert read(content, separator=" ").label_counts.tolist() == [1, 2, 1, 1]
        assert read(content + "0.jpg,pet\n").labels_of("0.jpg") == ["cat animal", "pet"]

    def test_blanks_around_a_separator_and_empty_parts_do_not_count(self, read):
        data = read(table(['cat,animal ,, ""New York, NY"", ']), separator=", ")
        assert data.labels_of("0.jpg") == ["cat", "animal", "New York, NY"]

    def test_it_is_for_tables_only(self, read, tmp_path):
        vse.synthetic(5, 3, 8, rng=0).save(tmp_path / "s.h5")
        with pytest.raises(
            vse.InputError, match="separator=',' cannot be used with .*; it is only for tables and records of text"
        ):
            vse.load_dataset(tmp_path / "s.h5", separator=",")
        with pytest.raises(vse.InputError, match="separator is empty"):
            read(table(["cat"]), separator="")


class TestColumns:
    """Found 2026-11: what other columns say of a label was dropped without a word."""

    def test_a_column_of_zeros_and_ones_is_asked_about(self, read):
        content = "image,cat,dog\na,0,1\nb,1,1\n"
        with pytest.raises(vse.FileFormatError, match="the column 'cat' contains only 0 and 1. If the table"):
            read(content, label_column="cat")
        assert list(read(content, label_column="cat", separator="none").label_names) == ["0", "1"]

    def test_numbered_columns_are_named(self, read):
        with pytest.warns(UserWarning, match="only the first of the columns tag1, tag2, tag3 is read"):
            read("image,tag1,tag2,tag3\na,x,y,z\nb,u,,\n", label_column="tag1")

    def test_a_confidence_of_zero_denies_the_label(self, read):
        with pytest.warns(UserWarning, match="absence"):
            data = read("image,label,confidence\na,cat,1\na,dog,0\nb,dog,0.0\nb,ox,1\n")
        assert {image: data.labels_of(image) for image in data.image_ids} == {"a": ["cat"], "b": ["ox"]}
        assert [data.label_names[int(j)] for j in data.absent.indices] == ["dog", "dog"]

    def test_gaps_that_programs_write_are_mentioned(self, read):
        with pytest.warns(
            UserWarning, match="'NaN' is a label of 2 images. If it means 'no label', leave these cells empty"
        ):
            read("image,tag\na,NaN\nb,NaN\nb,cat\n")

    def test_rows_without_anything_are_none_and_merged_cells_are_explained(self, read):
        assert read("image,tag,x\na,cat,1\n,,\n , ,\nb,dog,2\n,,\n").n_images == 2
        with pytest.raises(
            vse.FileFormatError, match="line 3: the cell of the image is empty; if cells were merged, write the image"
        ):
            read("image,tag\na,cat\n,dog\n")

    def test_a_workbook_is_said_to_be_one(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as book:
            for name in ("[Content_Types].xml", "xl/workbook.xml"):
                book.writestr(name, "<x/>")
        with pytest.raises(
            vse.FileFormatError, match="a spreadsheet or another office document; save it as CSV in UTF-8"
        ):
            vse.load_dataset(tmp_path / "t.xlsx")


class TestOddTables:
    @pytest.mark.parametrize(
        ("content", "pairs"),
        [
            ("sep=;\nimage;tag\na;cat\nb;dog\n", {"a": ["cat"], "b": ["dog"]}),
            ("image,tag\ra,cat\rb,dog\r", {"a": ["cat"], "b": ["dog"]}),
            ("image,tag\r\na,cat\rb,dog\n", {"a": ["cat"], "b": ["dog"]}),
            ("image,tag,\na,cat,\nb,dog,\n", {"a": ["cat"], "b": ["dog"]}),
            ("image,tag\na,cat,\nb,dog,,\n", {"a": ["cat"], "b": ["dog"]}),
            ("image,tag,\na,cat\n", {"a": ["cat"]}),
            ('image\ttag\na\t"Heroes" live\nb\t5" disk\n', {"a": ['"Heroes" live'], "b": ['5" disk']}),
            ('image\ttag\na\t"say ""hi"""\n', {"a": ['say "hi"']}),
        ],
    )
    def test_are_read(self, read, content, pairs):
        data = read(content)
        assert {image: data.labels_of(image) for image in data.image_ids} == pairs

    def test_lines_that_end_with_cr_are_read_whatever_their_number(self, read):
        rows = [(f"photo-{i}", f"label {i % 7}") for i in range(90_000)]
        data = read("image,tag\r" + "".join(f"{image},{tag}\r" for image, tag in rows))
        assert (data.n_images, data.n_labels, data.n_pairs) == (90_000, 7, 90_000)

    def test_an_image_without_a_label_is_kept_and_counted(self, read):
        with pytest.warns(UserWarning, match=r"2 row\(s\) have no label: their images are kept without labels"):
            data = read("image,tag\na,cat\nb,\nc, \n")
        assert data.labels_per_image.tolist() == [1, 0, 0]

    @pytest.mark.parametrize(
        ("encoding", "name"),
        [
            ("utf-16", "UTF-16"),
            ("utf-16-le", "UTF-16"),
            ("utf-16-be", "UTF-16"),
            ("utf-32", "UTF-32"),
            ("utf-32-be", "UTF-32"),
        ],
    )
    def test_wide_encodings_are_named(self, read, encoding, name):
        with pytest.raises(vse.FileFormatError, match=f"line 1: the file is {name}; save it as UTF-8"):
            read("image,tag\na,cat\nb,dog\n".encode(encoding))

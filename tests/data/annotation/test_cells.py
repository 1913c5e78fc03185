"""Tables as people have them: several labels in a cell, gaps, odd lines."""

from __future__ import annotations

import warnings

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
            f"6 of 10 cells in the column 'tag' look like lists of labels, such as .* say --separator '{separator}'"
        )
        with pytest.raises(vse.FileFormatError, match=message.replace("|", r"\|")) as asked:
            read(content)
        assert ", line" not in str(asked.value)
        assert read(content, separator=separator).labels_of("0.jpg") == ["cat", "animal"]
        assert read(content, separator="none").labels_of("0.jpg") == [cell]

    def test_some_cells_are_mentioned(self, read):
        content = table(["cat, animal"] * 3 + ["cat"] * 7)
        with pytest.warns(UserWarning, match="3 of 10 cells .* each is taken as one label"):
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

    @pytest.mark.parametrize("cell", ["['cat', 'animal']", '[""cat"", ""animal""]'])
    def test_lists_as_programs_write_them(self, read, cell):
        with pytest.raises(vse.FileFormatError, match="say --separator 'list'"):
            read(table([cell] * 3))
        assert read(table([cell] * 3), separator="list").labels_of("1.jpg") == ["cat", "animal"]
        with pytest.raises(vse.FileFormatError, match="line 2: 'cat' is not a list of labels"):
            read(table(["cat"]), separator="list")

    def test_blanks_divide_where_a_row_is_an_image_and_the_column_in_the_plural(self, read):
        content = table(["cat animal", "dog animal", "oak"], header="image,tags")
        with pytest.raises(vse.FileFormatError, match="2 of 3 cells in the column 'tags' .* say --separator ' '"):
            read(content)
        assert read(content, separator=" ").label_counts.tolist() == [1, 2, 1, 1]
        assert read(content + "0.jpg,pet\n").labels_of("0.jpg") == ["cat animal", "pet"]

    def test_blanks_around_a_separator_and_empty_parts_do_not_count(self, read):
        data = read(table(['cat,animal ,, ""New York, NY"", ']), separator=", ")
        assert data.labels_of("0.jpg") == ["cat", "animal", "New York, NY"]

    def test_it_is_for_tables_only(self, read, tmp_path):
        vse.synthetic(5, 3, 8, rng=0).save(tmp_path / "s.h5")
        with pytest.raises(vse.InputError, match="separator=',' is for tables of text only"):
            vse.load_dataset(tmp_path / "s.h5", separator=",")
        with pytest.raises(vse.InputError, match="separator is empty"):
            read(table(["cat"]), separator="")


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
        with pytest.warns(UserWarning, match=r"2 row\(s\) have no label: their images are kept without one"):
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

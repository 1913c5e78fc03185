"""Open Images: what people and machines say of a pair, and what labels are called."""

from __future__ import annotations

import gzip

import pytest

import vsenumba as vse

HEADER = "ImageID,Source,LabelName,Confidence\n"
ROWS = (
    "000a,verification,/m/1,1\n000a,machine,/m/2,0.7\n000a,machine,/m/3,0.3\n000a,verification,/m/2,0\n"
    "000b,machine,/m/1,0.5\n000b,machine,/m/4,0\n0007,crowdsource-verification,/m/4,1\n"
)


def written(folder, rows=ROWS, descriptions='/m/1,"Cat, domestic"\n/m/2,Dog\n/m/4,Dog\n', header=HEADER):
    (folder / "labels.csv").write_text(header + rows)
    if descriptions is not None:
        (folder / "class-descriptions.csv").write_text(descriptions)
    return folder / "labels.csv"


def pairs(data):
    absent = set() if data.absent is None else set(zip(*map(list, data.absent.pairs()), strict=True))
    return (
        {(image, label) for image in data.image_ids for label in data.labels_of(image)},
        {(data.image_ids[int(i)], data.label_names[int(j)]) for i, j in absent},
    )


@pytest.mark.filterwarnings("ignore:1 row")
def test_people_go_before_machines_and_names_are_found(tmp_path):
    with pytest.warns(UserWarning, match="2 row.s. were ignored: their Confidence is below 0.5"):
        data = vse.load_dataset(written(tmp_path))
    labels, absent = pairs(data)
    assert labels == {("000a", "Cat, domestic"), ("000b", "Cat, domestic"), ("0007", "Dog (/m/4)")}
    assert absent == {("000a", "Dog (/m/2)")}
    assert list(data.image_ids) == ["000a", "000b", "0007"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("options", "labels", "absent"),
    [
        ({"threshold": 0.2}, {("a", "1"), ("a", "3"), ("b", "1"), ("7", "4")}, {("a", "2")}),
        ({"threshold": 0.6}, {("a", "1"), ("7", "4")}, {("a", "2")}),
        ({"sources": "machine"}, {("a", "2"), ("b", "1")}, set()),
        ({"sources": "verification, crowdsource-verification"}, {("a", "1"), ("7", "4")}, {("a", "2")}),
    ],
)
def test_what_counts_is_said(tmp_path, options, labels, absent):
    def bare(found):
        return {(image.lstrip("0"), label.removeprefix("/m/")) for image, label in found}

    data = vse.load_dataset(written(tmp_path, descriptions=None), **options)
    assert tuple(map(bare, pairs(data))) == (labels, absent)
    assert ("000b" in data.image_ids) == (options.get("sources", "machine") == "machine")


def test_where_people_disagree_nothing_is_known(tmp_path):
    path = written(
        tmp_path, "a,verification,/m/1,1\na,crowdsource-verification,/m/1,0\na,machine,/m/1,0.9\nb,machine,/m/1,1\n"
    )
    with pytest.warns(UserWarning, match=r"skipped 1 pair\(s\): some rows say that the image has the label"):
        data = vse.load_dataset(path)
    assert pairs(data) == ({("b", "Cat, domestic")}, set())


@pytest.mark.parametrize("header", ["", "LabelName,DisplayName\n"])
def test_descriptions_have_a_header_or_none(tmp_path, header):
    path = written(tmp_path, "a,verification,/m/2,1\n", header + "/m/2,Caf\u0065\u0301 \n/m/4,Dog\n")
    assert list(vse.load_dataset(path).label_names) == ["Café"]


def test_compressed_tables_and_more_columns(tmp_path):
    path = tmp_path / "labels.csv.gz"
    path.write_bytes(gzip.compress(b"ImageID,Source,LabelName,Confidence,XMin\na,xclick,/m/2,1,0.3\n"))
    (tmp_path / "oidv6-class-descriptions.csv.gz").write_bytes(gzip.compress(b"LabelName,DisplayName\n/m/2,Dog\n"))
    assert pairs(vse.load_dataset(path)) == ({("a", "Dog")}, set())


def test_labels_without_a_name_are_called_by_their_codes(tmp_path):
    with pytest.warns(
        UserWarning, match="there is no class-descriptions.csv next to .*: labels are named by their codes"
    ):
        assert list(vse.load_dataset(written(tmp_path, "a,verification,/m/2,1\n", None)).label_names) == ["/m/2"]
    path = written(tmp_path, "a,verification,/m/2,1\na,verification,/m/9,1\n", "/m/2,/m/9\n")
    with pytest.warns(UserWarning, match=r"1 of 2 labels have no name in class-descriptions.csv, such as '/m/9'"):
        assert list(vse.load_dataset(path).label_names) == ["/m/9 (/m/2)", "/m/9"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,verification,/m/1,2\n", r"labels.csv, line 2: the Confidence is '2'; expected a number from 0 to 1"),
        ("a,machine,/m/1,nan\n", r"labels.csv, line 2: the Confidence is 'nan'"),
        ("a,machine,/m/1,\n", r"labels.csv, line 2: the Confidence is ''"),
        ("a,machine,/m/1,0.4\n", r"the table has a header .* but no label in its 1 rows"),
        ("a,verification,/m/1,0\n", r"the table has a header .* but no label in its 1 rows"),
        ("", r"the table has a header .* but no rows"),
        ("a,verification,/m/1\n", r"line 2: 3 field\(s\), but the header has 4"),
    ],
)
def test_malformed_tables_are_refused(tmp_path, rows, message):
    with pytest.raises(vse.FileFormatError, match=message):
        vse.load_dataset(written(tmp_path, rows))


@pytest.mark.parametrize(
    ("descriptions", "message"),
    [
        ("/m/1\n", r"class-descriptions.csv, line 1: expected a label's code and name, not 1 field\(s\)"),
        ("/m/1,Cat\n/m/1,Dog\n", r"class-descriptions.csv, line 2: the label '/m/1' has two names, 'Dog' and 'Cat'"),
        ("/m/1,\n", r"class-descriptions.csv, line 1: the code or the name of the label is empty"),
        ('/m/1,"Cat\n', r"class-descriptions.csv, line 1: not a valid row"),
        ("/m/1,C\0t\n", r"class-descriptions.csv, line 1: the line contains a NUL"),
    ],
)
def test_malformed_descriptions_are_refused(tmp_path, descriptions, message):
    with pytest.raises(vse.FileFormatError, match=message):
        vse.load_dataset(written(tmp_path, "a,verification,/m/1,1\n", descriptions))


def test_options_are_checked(tmp_path):
    path = written(tmp_path, "a,verification,/m/1,1\n")
    for options, message in (
        (
            {"sources": "verification,people"},
            r"sources='people' is not a source of the table; its sources are 'verification'",
        ),
        ({"sources": 3}, r"sources must be a text of comma-separated names, not 3"),
        ({"separator": ","}, r"separator=',' cannot be used with .*; it is only for tables and records of text"),
        ({"image_column": "ImageID"}, r"image_column='ImageID' cannot be used with"),
    ):
        with pytest.raises(vse.InputError, match=message):
            vse.load_dataset(path, **options)
    other = tmp_path / "pairs.csv"
    other.write_text("image,tag\na,cat\n")
    with pytest.raises(
        vse.InputError, match=r"sources='x' cannot be used with .*; it is only for tables with a column of sources"
    ):
        vse.load_dataset(other, sources="x")
    with pytest.raises(
        vse.FileFormatError, match=r"there is no column imageid among image, tag; Open Images tables have"
    ):
        vse.load_dataset(other, format="open-images")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            "a,cat,0.3\nb,cat,1\n",
            r"1 row\(s\) have a confidence below 1 and were read as labels; use --threshold 0.5 to keep",
        ),
        ("a,cat,0\nb,cat,1\n", r"1 row\(s\) have a confidence of 0: they are kept as verified absences"),
    ],
)
def test_any_table_may_have_a_column_of_scores(tmp_path, rows, message):
    path = tmp_path / "pairs.csv"
    path.write_text("image,tag,confidence\n" + rows)
    with pytest.warns(UserWarning, match=message):
        data = vse.load_dataset(path)
    assert pairs(data) == (({("a", "cat"), ("b", "cat")}, set()) if "0.3" in rows else ({("b", "cat")}, {("a", "cat")}))

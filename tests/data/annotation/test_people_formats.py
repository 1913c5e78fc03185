"""Tag files of people: what each reader makes of them, what it says, and what it refuses."""

from __future__ import annotations

import json
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import BAG, XMP, labels_by_image

import vsenumba as vse
from vsenumba.data.annotation.readers.sidecar_xmp import keywords_in


@pytest.fixture
def read(tmp_path):
    def read(content, **options):
        path = tmp_path / "tags"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return labels_by_image(vse.load_dataset(path, **options))

    return read


def lines(*records):
    return "".join(f"{json.dumps(record)}\n" for record in records)


class TestOneHot:
    @pytest.mark.parametrize(
        "content",
        [
            "image,cat,dog\na,0,1\nb,1,1\nc,0,0\n",
            "image;cat;dog\r\na;;x\r\nb;X;x\r\nc;;\r\n",
            "\ufeffid\tcat\tdog\na\tFALSE\tTRUE\nb\tTRUE\tTRUE\nc\tFALSE\tFALSE\n",
            ",cat,dog\na,False,True\nb,True,True\nc,False,False\n",
            "image,cat,dog\na,0.0,1.0\nb,1.0,1.0\nc,0.0,\n",
            "file,cat,dog\na,no,yes\nb,yes,yes\nc,,\n",
        ],
    )
    def test_is_read_when_it_is_clear(self, read, content):
        assert read(content) == {"a": {"dog"}, "b": {"cat", "dog"}, "c": set()}

    def test_labels_keep_their_columns_and_those_without_an_image(self, tmp_path):
        (tmp_path / "a.csv").write_text('image,"New York, NY",dog\na,0,1\n')
        data = vse.load_dataset(tmp_path / "a.csv")
        assert (list(data.label_names), data.label_counts.tolist()) == (["New York, NY", "dog"], [0, 1])

    def test_scores_are_asked_about(self, read):
        content = "image,cat,dog\na,0.5,0.8\nb,0.49,\n"
        with pytest.raises(vse.FileFormatError, match="line 2: the column 'cat' contains '0.5', not 0 or 1.*-"):
            read(content)
        assert read(content, threshold=0.5) == {"a": {"cat", "dog"}, "b": set()}
        with pytest.raises(vse.FileFormatError, match="'dog' contains 'x', which is not a score"):
            read("image,cat,dog\na,1,x\n", threshold=0.5)

    def test_minus_one_is_no_and_beside_0_is_asked_about(self, read):
        with pytest.warns(UserWarning, match="-1 was read as 'does not have the label'"):
            assert read("image,cat,dog\na,-1,1\n") == {"a": {"dog"}}
        content = "image,cat,dog\na,-1,1\nb,0,1\n"
        with pytest.raises(vse.FileFormatError, match="both -1 and 0"):
            read(content)
        assert read(content, threshold=1) == {"a": {"dog"}, "b": {"dog"}}

    def test_where_the_images_are(self, read):
        with pytest.warns(UserWarning, match="with the images in the first column, 'nom'; use --image-column"):
            assert read("nom,cat,dog\na,0,1\n") == {"a": {"dog"}}
        content = "cat,dog,image\n0,1,a\n1,1,b\n"
        with pytest.raises(vse.FileFormatError, match="the column 'image' contains 'a'; .*use --image-column image"):
            read(content)
        assert read(content, image_column="image") == {"a": {"dog"}, "b": {"cat", "dog"}}
        with pytest.raises(vse.FileFormatError, match="the first column, 'cat', has values like the others"):
            read("cat,dog,cow\n0,1,1\n1,1,0\n")
        with pytest.raises(vse.InputError, match="image_column='imag' is not among .*did you mean 'image'"):
            read("image,cat,dog\na,0,1\n", image_column="imag")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("image,cat,dog,title\na,0,1,A cat\n", "line 2: the column 'title' contains 'A cat'; expected 0 or 1"),
            ("image,cat,dog\na,0,1\nb,0,2\n", "line 3: the column 'dog' contains '2', not 0 or 1"),
            ("image,cat,dog\na,0,nan\n", "the column 'dog' contains 'nan'"),
            ("image,cat,cat\na,0,1\n", "the header has the column 'cat' 2 times"),
            ("image,,dog\na,0,1\n", "one of the 3 columns has no name"),
            ("image,cat,dog\na,0,1\n,1,1\n", "line 3: the cell of the image is empty"),
            ("image,cat,dog\na,0\n", "line 2: 2 field.s., but the header has 3"),
        ],
    )
    def test_what_is_not_clear_is_refused_by_name(self, read, content, message):
        with pytest.raises(vse.FileFormatError, match=message):
            read(content, format="one-hot")

    def test_an_image_in_two_rows_is_said_to_be(self, read):
        with pytest.warns(UserWarning, match=r"1 row\(s\) repeat an image of another row: their labels were merged"):
            assert read("image,cat,dog\na,0,1\na,1,0\n") == {"a": {"cat", "dog"}}

    def test_thousands_of_columns(self, read):
        names = [f"a rather long name of a label {j}" for j in range(5_000)]
        rows = ["image," + ",".join(names), *(f"{i}," + ",".join("01"[j == i] for j in range(5_000)) for i in range(9))]
        assert read("\n".join(rows))["3"] == {names[3]}

    def test_a_table_of_pairs_stays_one(self, read):
        assert read("image,tag,size\na,7,1\nb,8,0\n") == {"a": {"7"}, "b": {"8"}}
        assert read("image,cat,dog\na,0,1\n", label_column="cat", separator="none") == {"a": {"0"}}
        with pytest.raises(vse.FileFormatError, match="contains only 0 and 1. If the table has one column per"):
            read("image,label\na,0\nb,1\n")
        assert read("image,label\na,0\nb,1\n", format="one-hot") == {"a": set(), "b": {"label"}}


class TestTables:
    def test_a_column_that_is_not_there_has_a_near_one(self, read):
        with pytest.raises(vse.InputError, match="label_column='keyword' is not among .*; did you mean 'keywords'"):
            read("image,keywords\na,x\n", label_column="keyword")

    def test_a_second_usual_column_is_said_to_be_there(self, read):
        content = "image,class,tags\na,animal,x\nb,plant,y\n"
        with pytest.warns(UserWarning, match="only class of the columns class, tags is read; use --label-column"):
            assert read(content) == {"a": {"animal"}, "b": {"plant"}}
        assert read(content, label_column="tags") == {"a": {"x"}, "b": {"y"}}

    def test_the_list_of_a_tagger_is_no_set(self, read):
        with pytest.raises(vse.FileFormatError, match="a tagger's list of labels .*run the tagger"):
            read("tag_id,name,category,count\n9999999,general,9,807858\n470575,1girl,0,4225150\n")

    def test_excel_exports(self, read):
        content = '\ufeffDateiname;Schlagwörter\r\na.jpg;Katze, Tier\r\nb.jpg;"Katze; Haus"\r\n'
        options = {"image_column": "Dateiname", "label_column": "Schlagwörter"}
        with pytest.raises(vse.FileFormatError, match="line 2: byte 8 .0xf6. is not UTF-8; save the table as UTF-8"):
            read("image;tag\na.jpg;Löwe\n".encode("latin-1"))
        assert read(content, **options, separator=";") == {"a.jpg": {"Katze, Tier"}, "b.jpg": {"Katze", "Haus"}}


class TestJson:
    RECORDS = ({"id": "a", "tags": ["cat", 2024]}, {"id": 7, "tags": []}, {"id": "b", "tags": ["cat", None]})
    EXPECTED = {"a": {"cat", "2024"}, "7": set(), "b": {"cat"}}

    @pytest.mark.filterwarnings("ignore:.*have no label")
    @pytest.mark.parametrize("write", [json.dumps, lambda records: lines(*records), lambda r: json.dumps(r, indent=2)])
    def test_records(self, read, write):
        assert read(write(list(self.RECORDS))) == self.EXPECTED
        assert read("\ufeff" + write(list(self.RECORDS))) == self.EXPECTED

    def test_numbers_are_text_as_they_were_written(self, read):
        assert read('{"a": [1.50, 10000000000000000000000000, -0, "x"]}') == {
            "a": {"1.50", "10000000000000000000000000", "-0", "x"}
        }

    def test_an_object_from_images_to_labels(self, read):
        assert read('{"a": ["cat"], "b": ["dog", "cat"]}') == {"a": {"cat"}, "b": {"dog", "cat"}}
        big = {f"{i}.jpg": [f"label {i % 7}"] for i in range(3_000)}
        assert read(json.dumps(big)) == {image: set(labels) for image, labels in big.items()}

    def test_texts_with_blanks_are_asked_about(self, read):
        content = '{"a.jpg": {"tags": "black cat sofa"}, "b.jpg": {"tags": "oak tree"}}'
        with pytest.raises(vse.FileFormatError, match="2 of 2 cells in the column 'tags' .* Use --separator ' '"):
            read(content)
        assert read(content, separator=" ") == {"a.jpg": {"black", "cat", "sofa"}, "b.jpg": {"oak", "tree"}}
        assert read(content, separator="none")["b.jpg"] == {"oak tree"}

    def test_keys_can_be_named_with_dots(self, read):
        content = lines({"image": {"key": 1, "tags": [{"name": "cat"}, {"name": "dog"}]}})
        with pytest.raises(
            vse.FileFormatError,
            match="line 1, record 1: expected an image in 'image', not an object.*use --image-column image.key",
        ):
            read(content)
        with pytest.raises(vse.FileFormatError, match="no label key among image, image.key, image.tags"):
            read(content, image_column="image.key")
        with pytest.raises(vse.FileFormatError, match="expected a label, not .*; use --label-column image.tags.name"):
            read(content, image_column="image.key", label_column="image.tags")
        assert read(content, image_column="image.key", label_column="image.tags.name") == {"1": {"cat", "dog"}}

    def test_scores_and_truths(self, read):
        assert read('{"a": {"cat": true, "dog": false, "oak": null}}') == {"a": {"cat"}}
        content = '[{"id": "a", "tags": {"cat": 0.9, "dog": 0.35}}]'
        with pytest.raises(vse.FileFormatError, match="record 1: the label 'cat' contains '0.9'.*--threshold"):
            read(content)
        assert read(content, threshold=0.5) == {"a": {"cat"}}
        with pytest.raises(vse.InputError, match="threshold=0.5 needs scores, and the records have none"):
            read('{"a": ["cat"]}', threshold=0.5)

    def test_two_keys_of_labels_are_said(self, read):
        with pytest.warns(UserWarning, match="only labels of the keys labels, tags is read"):
            assert read('[{"id": 1, "labels": ["a"], "tags": ["b"]}]') == {"1": {"a"}}
        assert read('[{"id": 1, "labels": ["a"], "tags": ["b"]}]', label_column="tags") == {"1": {"b"}}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("[]", "no records"),
            ("{}", "no records|no image|no key"),
            ("[", "not valid JSON: the file ends within a value"),
            ('[{"id": 1, "tags": ["a"]},]', "record 2: not valid JSON: Expecting value"),
            ('[{"id": 1, "tags": ["a"]}', "not valid JSON: , or ] expected, found the end of the file"),
            ('[{"id": 1, "tags": ["a"]}] x', "not valid JSON: 'x' after the end"),
            (
                '[{"id": 1, "tags": ["a"]}\n, {"id": 1 "tags"}]',
                "line 2, record 2: not valid JSON: Expecting ','",
            ),
            ('{"a": ["cat"], b: 1}', "not valid JSON: \" expected, found 'b'"),
            ('[["a", "cat"]]', "expected a record, .* not a list, .'a', 'cat'."),
            ('[{"id": 1, "tags": true}]', "expected labels, not true or false, True"),
            ('[{"id": 1, "tags": [["a"]]}]', "expected a label, not a list, .'a'."),
            ('[{"id": null, "tags": ["a"]}]', "the record's 'id' is null"),
            ('[{"id": "", "tags": ["a"]}]', "the image is empty"),
            ('[{"name": 1, "tags": ["a"]}]', "no image key among name, tags; name one with --image-column"),
            ('[{"id": 1, "words_of_it": ["a"]}]', "no label key among id, words_of_it"),
            ('[{"id": 1, "tags": ["a"]}, {"tags": ["b"]}]', "record 2: the record has no 'id', only tags"),
            ('{"image": {"0": "a"}, "tags": {"0": ["b"]}}', "expected an image in .*, not an object"),
            ('[{"id": 1, "tags": ["\\ud800"]}]', "not valid Unicode"),
            ('[{"id": 1, "tags": ["\\u0000"]}]', "contains a NUL character"),
            (b'[{"id": 1,\n"tags": ["caf\xe9"]}]', "0xe9 .*is not UTF-8"),
            ('[{"id": 1, "tags": ["a"]}]'.encode("utf-16"), "the file is UTF-16"),
            ("[" * 100_000, "nested too deeply|not valid JSON"),
            ('[{"id": 1, "tags": []}]', "no label in 1 record"),
        ],
    )
    def test_bad_json_is_refused_by_record(self, read, content, message):
        with pytest.raises(vse.VsenumbaError, match=message) as caught:
            read(content)
        assert "\n" not in str(caught.value)
        assert "tags" in str(caught.value)

    def test_a_key_that_is_not_there_has_a_near_one(self, read):
        with pytest.raises(
            vse.InputError, match="label_column='tag' is not among the keys id, tags; did you mean 'tags'"
        ):
            read('[{"id": 1, "tags": ["a"]}]', label_column="tag")
        with pytest.raises(vse.InputError, match="image_column='di' is not among the keys id, tags"):
            read('[{"id": 1, "tags": ["a"]}]', image_column="di")


class TestExiftool:
    def test_fields_are_joined_and_levels_are_labels(self, read):
        content = (
            'SourceFile,Keywords,Subject,HierarchicalSubject,TagsList\n./a.jpg,"cat, oak",cat,animal|cat,plant/oak\n'
        )
        with (
            pytest.warns(UserWarning, match="1 of 4 cells, such as 'cat, oak', were split at ', '"),
            pytest.warns(UserWarning, match="2 keywords have levels, such as 'animal|cat'"),
        ):
            assert read(content) == {"a.jpg": {"cat", "oak", "animal", "plant"}}
        assert read(content, label_column="Subject") == {"a.jpg": {"cat"}}

    def test_json_has_lists_of_one_as_texts_and_numbers(self, read):
        records = [
            {"SourceFile": "a.jpg", "Keywords": "New York, NY", "Subject": ["cat", 2024]},
            {"SourceFile": "b.jpg", "IPTC:Keywords": 7},
        ]
        assert read(json.dumps(records)) == {"a.jpg": {"New York, NY", "cat", "2024"}, "b.jpg": {"7"}}

    def test_another_sep_is_asked_about(self, read):
        content = "SourceFile,Keywords\na.jpg,cat;oak\nb.jpg,cat\nc.jpg,x;y\n"
        with pytest.raises(vse.FileFormatError, match="2 of 3 cells contain ';'. If you ran exiftool with -sep"):
            read(content)
        assert read(content, separator=";")["a.jpg"] == {"cat", "oak"}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (
                "SourceFile,FileSize\na.jpg,7\n",
                "no keyword field among SourceFile, FileSize; run exiftool",
            ),
            ("SourceFile,Keywords\na.jpg\n", "line 2: 1 field"),
            ('[{"SourceFile": "a.jpg", "Keywords": {"x": 1}}]', "expected a keyword"),
            (
                '[{"SourceFile": "a.jpg", "Keywords": "x"}, {"Keywords": "x"}]',
                "record 2: expected a record with",
            ),
        ],
    )
    def test_bad_files(self, read, content, message):
        with pytest.raises(vse.FileFormatError, match=message):
            read(content)

    def test_options(self, read):
        with pytest.raises(vse.InputError, match="label_column='Keyword' is not among .*did you mean 'Keywords'"):
            read("SourceFile,Keywords\na.jpg,cat\n", label_column="Keyword")
        with pytest.raises(vse.InputError, match="image_column='x' cannot be used with"):
            read("SourceFile,Keywords\na.jpg,cat\n", image_column="x")
        with pytest.raises(
            vse.InputError, match="separator=',' cannot be used with .*; it is only for tables and records of text"
        ):
            read('[{"SourceFile": "a.jpg", "Keywords": "x"}]', separator=",")


class TestDanbooru:
    POSTS = (
        {"id": 1, "tag_string": "1girl sky", "tag_string_general": "1girl sky", "tag_string_artist": "someone"},
        {"id": 2, "tag_string_general": "gone", "is_deleted": True},
        {"id": 3, "tag_string_general": "gone", "is_banned": True},
        {"id": 4, "tag_string_general": "sky", "is_deleted": False, "md5": "ff"},
    )

    @pytest.mark.filterwarnings("ignore:.*have no label")
    @pytest.mark.parametrize("write", [json.dumps, lambda posts: lines(*posts)])
    def test_posts_without_those_that_are_gone(self, read, write):
        with pytest.warns(UserWarning, match=r"skipped 2 deleted or banned post\(s\)"):
            assert read(write(list(self.POSTS))) == {"1": {"1girl", "sky", "someone"}, "4": {"sky"}}
        content = write([self.POSTS[3]])
        assert read(content, image_column="md5") == {"ff": {"sky"}}
        assert read(content, label_column="tag_string_general") == {"4": {"sky"}}

    def test_bad_posts(self, read):
        for content, options, message in (
            (lines({"tag_string": "a"}), {}, "line 1, record 1: the post has no text in 'id'"),
            (lines({"id": 1, "tag_string": None}), {}, "the post has no text in 'tag_string'"),
            (lines({"id": 1, "tag_string": "a"}), {"label_column": "tag_strin"}, "did you mean 'tag_string'"),
            ('[{"id": 1, "tag_string": "a"}, 7]', {}, "record 2: expected a post, not '7'"),
        ):
            with pytest.raises(vse.VsenumbaError, match=message):
                read(content, **options)


@pytest.fixture
def folder(tmp_path):
    def folder(**files):
        for name, content in files.items():
            path = tmp_path / "set" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / "set"

    return lambda files: folder(**files)


class TestSidecarText:
    def test_pictures_and_what_stands_beside_them(self, folder):
        path = folder(
            {
                "a.jpg": "", "a.txt": "\ufeffcat, black sofa,\r\n",
                "b.PNG": "", "b.PNG.TXT": "oak", "b.txt": "not this",
                "c.jpg": "", "d.webp": "", "d.txt": "", "sub/e.jpg": "", "sub/e.txt": "oak,\ntree",
                "readme.txt": "x, y",
                ".hidden/f.jpg": "",
            }
        )  # fmt: skip
        with (
            pytest.warns(UserWarning, match=r"1 picture\(s\) have no text next to them: they are kept without labels"),
            pytest.warns(UserWarning, match=r"1 picture\(s\) have two texts, as x.jpg.txt and x.txt: the first was"),
            pytest.warns(UserWarning, match=r"1 text\(s\) belong to no picture and were not read: readme.txt"),
        ):
            data = vse.load_dataset(path)
        assert labels_by_image(data) == {
            "a.jpg": {"cat", "black sofa"}, "b.PNG": {"oak"}, "c.jpg": set(), "d.webp": set(),
            "sub/e.jpg": {"oak", "tree"}
        }  # fmt: skip

    def test_names_that_differ_in_capitals_are_two(self, folder):
        path = folder({"a.jpg": "", "A.jpg": "", "a.txt": "cat,", "A.txt": "dog,"})
        if len(list(path.iterdir())) == 4:
            assert labels_by_image(vse.load_dataset(path)) == {"a.jpg": {"cat"}, "A.jpg": {"dog"}}

    def test_texts_without_commas_are_asked_about(self, folder):
        path = folder({"a.jpg": "", "a.txt": "1girl solo sky", "b.jpg": "", "b.txt": "a photo of a cat"})
        with pytest.raises(vse.FileFormatError, match="2 of 2 texts have no comma, such as '1girl.*--separator ' '"):
            vse.load_dataset(path)
        assert labels_by_image(vse.load_dataset(path, separator=" "))["a.jpg"] == {"1girl", "solo", "sky"}
        assert labels_by_image(vse.load_dataset(path, separator=","))["b.jpg"] == {"a photo of a cat"}

    def test_bad_texts_are_named(self, folder):
        with pytest.raises(vse.FileFormatError, match=r"a.txt: byte 4 \(0xe9\) is not UTF-8"):
            vse.load_dataset(folder({"a.jpg": "", "a.txt": b"caf\xe9"}))
        with pytest.raises(vse.FileFormatError, match="a.txt: the file is UTF-16"):
            vse.load_dataset(folder({"a.txt": "cat, dog".encode("utf-16")}))
        with pytest.raises(vse.FileFormatError, match="a.txt: larger than 1,048,576 bytes"):
            vse.load_dataset(folder({"a.txt": b"x" * 2_000_000}))
        with pytest.raises(vse.FileFormatError, match="set: no label in 1 record"):
            vse.load_dataset(folder({"a.txt": ""}))
        with pytest.raises(vse.InputError, match="label_column='x' cannot be used with"):
            vse.load_dataset(folder({"a.txt": "x"}), label_column="x")

    def test_a_folder_of_something_else(self, folder):
        with pytest.raises(vse.FileFormatError, match="no pictures with tag files next to them in a known format"):
            vse.load_dataset(folder({"a.jpg": "", "b.doc": ""}))
        with pytest.raises(vse.FileFormatError, match="is not a folder; expected a folder of pictures"):
            vse.load_dataset(folder({"a.jpg": ""}) / "a.jpg", format="sidecar-text")


class TestXmp:
    def test_fields_of_sidecars(self, folder):
        subject = f"<dc:subject>{BAG.format('<rdf:li>cat</rdf:li><rdf:li> AC/DC </rdf:li>')}</dc:subject>"
        levels = f"<lr:hierarchicalSubject>{BAG.format('<rdf:li>animal|cat</rdf:li>')}</lr:hierarchicalSubject>"
        digikam = "<digiKam:TagsList><rdf:Seq><rdf:li>plant/oak</rdf:li></rdf:Seq></digiKam:TagsList>"
        title = f"<dc:title>{BAG.format('<rdf:li>no label</rdf:li>')}</dc:title>"
        path = folder(
            {
                "a.jpg": "", "a.xmp": XMP.format("<dc:subject>not this</dc:subject>"),
                "a.jpg.xmp": XMP.format(title + subject + levels + digikam),
                "b.jpg": "", "b.xmp": XMP.format("<dc:subject>sky</dc:subject>"), "c.jpg": "",
            }
        )  # fmt: skip
        with (
            pytest.warns(UserWarning, match="2 keywords have levels, such as 'animal|cat'"),
            pytest.warns(UserWarning, match=r"1 picture\(s\) have no sidecar"),
        ):
            read = labels_by_image(vse.load_dataset(path))
        assert read == {"a.jpg": {"cat", "AC/DC", "animal", "plant", "oak"}, "b.jpg": {"sky"}, "c.jpg": set()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert labels_by_image(vse.load_dataset(path, label_column="Subject"))["a.jpg"] == {"cat", "AC/DC"}
        with pytest.raises(vse.UnknownNameError, match="unknown label column 'subject'; did you mean 'Subject'"):
            vse.load_dataset(path, label_column="subject")
        assert keywords_in(path / "b.xmp") == [("Subject", "sky")]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "declares a document type"),
            ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', "declares a document type"),
            ("<x><y></x>", "line 1: not valid XML: mismatched tag"),
            ("", "not valid XML: no element found"),
            ("<x>&a;</x>", "not valid XML: undefined entity"),
        ],
    )
    def test_bad_sidecars_are_named(self, folder, content, message):
        with pytest.raises(vse.FileFormatError, match=f"a.xmp.*{message}"):
            vse.load_dataset(folder({"a.jpg": "", "a.xmp": content}))

    def test_texts_beside_them_are_said_to_be_there(self, folder):
        files = {"a.jpg": "", "a.xmp": XMP.format("<dc:subject>sky</dc:subject>"), "a.txt": "cat"}
        with pytest.warns(UserWarning, match="both .xmp and .txt files .*--format sidecar-text"):
            assert labels_by_image(vse.load_dataset(folder(files))) == {"a.jpg": {"sky"}}
        assert labels_by_image(vse.load_dataset(folder(files), format="sidecar-text")) == {"a.jpg": {"cat"}}


STARTS = {
    "json": b'[{"id": "a", "tags": ["b"]}',
    "json lines": b'{"id": "a", "tags": ["b"]}\n',
    "danbooru": b'{"id": 1, "tag_string": "a b"}\n',
    "exiftool": b"SourceFile,Subject\na.jpg,cat\n",
    "one-hot": b"image,cat,dog\na,0,1\n",
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
@settings(max_examples=60)
@given(rest=st.one_of(st.text('ab01,:;"\n[]{}\\u', max_size=30), st.binary(max_size=30)))
def test_anything_is_read_or_refused_in_one_line(start, rest, tmp_path_factory):
    path = tmp_path_factory.mktemp("set") / "a"
    path.write_bytes(start + (rest.encode() if isinstance(rest, str) else rest))
    try:
        outcome = str(vse.load_dataset(path))
    except vse.VsenumbaError as error:
        outcome = str(error)
    assert "\n" not in outcome


@given(content=st.one_of(st.text("<>/&;dc:subject xmlns='\"", max_size=40), st.binary(max_size=40)))
def test_any_sidecar_is_read_or_refused(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("set") / "a.xmp"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    try:
        outcome = f"{path}: {keywords_in(path)}"
    except vse.FileFormatError as error:
        outcome = str(error)
    assert "a.xmp" in outcome


@pytest.mark.parametrize("text", ['{"a": ["x"], "a": ["y"]}', '[{"id": "a", "tags": ["x"], "tags": ["y"]}]'])
def test_a_key_that_stands_twice_is_refused(text, tmp_path):
    """Found 2026-11: the tags of the first were dropped without a word."""
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(vse.FileFormatError, match="key '(a|tags)' appears twice"):
        vse.load_dataset(tmp_path / "t.json")

"""Captions as they are published: tables of Flickr8k and Flickr30k, MS-COCO's JSON, the texts of IAPR TC-12."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import distinct_names, table_names

import vsenumba as vse
from vsenumba.data import load_caption_set


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "two.npy", np.float32([[1], [2]]))
    return tmp_path


def table(folder, content, n=2):
    (folder / "set").write_text(content, encoding="utf-8")
    np.save(folder / "rows.npy", np.arange(1, n + 1, dtype=np.float32)[:, None])
    return load_caption_set(folder / "set", folder / "rows.npy")


class TestTables:
    def test_flickr8k(self, folder):
        data = table(folder, 'image,caption\r\na.jpg,"A dog , running"\r\nb.jpg,Two cats .\r\na.jpg,A dog\r\n')
        assert list(data.image_ids) == ["a.jpg", "b.jpg"]
        assert data.captions_of(0) == ["A dog , running", "A dog"]
        assert data.parts is None

    def test_flickr30k(self, folder):
        data = table(folder, 'image_name| comment_number| comment\na.jpg| 0| A "dog" , runs\nb.jpg| 0| Cats\n')
        assert data.captions.tolist() == ['A "dog" , runs', "Cats"]

    def test_lists_and_parts(self, folder):
        content = 'raw,split,filename\n"[""one"", ""two""]",restval,a.jpg\n"[three]",test,b.jpg\n'
        data = table(folder, content)
        assert data.captions.tolist() == ["one", "two", "[three]"]
        assert data.parts.tolist() == ["train", "test"]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("image,caption\na.jpg,one\nb.jpg\n", "set, line 3: 1 cell"),
            ("image|caption\na.jpg|one\nb.jpg|4|two\n", r"set, line 3: 3 cell\(s\), but the header has 2 .* '\|'"),
            ("image,caption\na.jpg,one\n,two\n", "set, line 3: the image is empty"),
            ("image,caption\na.jpg,one\nb.jpg, \n", "set, line 3: a caption is empty"),
            (
                "image,caption,split\na.jpg,one,train\na.jpg,two,val\n",
                "'a.jpg' is in two parts, 'val' and 'train'",
            ),
            ('image,caption\na.jpg,"one\n', "set, line 2: unexpected end of data"),
            ("image,caption\n", "has a header but no caption"),
        ],
    )
    def test_what_is_refused_is_named(self, folder, content, message):
        with pytest.raises(vse.InputError if "no caption" in message else vse.FileFormatError, match=message):
            table(folder, content)

    def test_features_are_needed(self, folder):
        (folder / "set").write_text("image,caption\na.jpg,one\n")
        with pytest.raises(vse.InputError, match="set contains only captions; give the image features"):
            load_caption_set(folder / "set")

    @given(
        names=st.integers(1, 4).flatmap(lambda n: distinct_names(n, table_names)),
        delimiter=st.sampled_from(",;"),
        data=st.data(),
    )
    def test_what_is_written_is_read_back(self, names, delimiter, data, tmp_path_factory):
        texts = [
            data.draw(st.lists(table_names.filter(lambda one: one[0] != "["), min_size=1, max_size=3)) for _ in names
        ]
        path = tmp_path_factory.mktemp("set") / "set"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerow(["image", "caption"])
            writer.writerows([name, text] for name, captions in zip(names, texts, strict=True) for text in captions)
        np.save(path.with_name("rows.npy"), np.ones((len(names), 1), np.float32))
        read = load_caption_set(path, path.with_name("rows.npy"))
        assert list(read.image_ids) == names
        assert [read.captions_of(i) for i in range(len(names))] == texts


class TestCoco:
    SET = {
        "info": {},
        "images": [{"id": 5, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}],
        "licenses": [],
        "annotations": [
            {"image_id": 2, "id": 1, "caption": "two \n"},
            {"image_id": 5, "id": 2, "caption": "one"},
            {"image_id": 2, "id": 3, "caption": "three"},
        ],
    }

    def read(self, folder, **changes):
        (folder / "captions.json").write_text(json.dumps(self.SET | changes))
        return load_caption_set(folder / "captions.json", folder / "two.npy")

    def test_values(self, folder):
        data = self.read(folder)
        assert list(data.image_ids) == ["a.jpg", "b.jpg"]
        assert data.captions_of(0) == ["one"]
        assert data.captions_of(1) == ["two", "three"]
        assert data.images.item(1).tolist() == [[2]]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"images": SET["images"] * 2}, "'images', element 2: image 5 is listed twice"),
            ({"images": SET["images"][:1]}, r"annotation 0 has the image 2, which is not in the file \(2 such"),
            ({"images": [{"id": 5}]}, "'images', element 0: it has no 'file_name'"),
            ({"annotations": [{"image_id": 5, "caption": " "}]}, "'annotations', element 0: the caption is ' '"),
            ({"annotations": [{"caption": "one"}]}, "'annotations', element 0: it has no 'image_id'"),
            ({"annotations": []}, "has 2 images and 0 captions"),
            ({"annotations": SET["annotations"][:1]}, "image 'a.jpg' has no caption"),
        ],
    )
    def test_what_is_refused_is_named(self, folder, changes, message):
        with pytest.raises(vse.FileFormatError, match=message):
            self.read(folder, **changes)


class TestIapr:
    TEXT = (
        "<DOC>\n<DOCNO>annotations/{0}.eng</DOCNO>\n<TITLE>{1}</TITLE>\n<DESCRIPTION>{2}</DESCRIPTION>\n"
        "<NOTES></NOTES>\n<LOCATION>Quito, Ecuador</LOCATION>\n<DATE>April 2002</DATE>\n"
        "<IMAGE>images/{0}.jpg</IMAGE>\n</DOC>\n"
    )

    def write(self, folder, name, title="A title", description="a boy; a\n girl;", encoding="latin-1"):
        file = folder / "annotations" / f"{name}.eng"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self.TEXT.format(name, title, description).encode(encoding))
        return file

    def test_values_in_the_order_of_numbers(self, folder):
        self.write(folder, "02/1000", description="", title="Niños")
        self.write(folder, "02/999")
        data = load_caption_set(folder, folder / "two.npy")
        assert list(data.image_ids) == ["02/999.jpg", "02/1000.jpg"]
        assert data.captions.tolist() == ["a boy", "a girl", "Niños"]
        assert load_caption_set(folder / "annotations", folder / "two.npy").n_captions == 3

    def test_utf8_is_read_as_such(self, folder):
        np.save(folder / "one.npy", np.ones((1, 1), np.float32))
        self.write(folder, "02/1", description="Niños", encoding="utf-8")
        assert load_caption_set(folder, folder / "one.npy").captions.tolist() == ["Niños"]

    def test_what_is_refused_is_named(self, folder):
        file = self.write(folder, "02/1", "", "")
        with pytest.raises(vse.FileFormatError, match=r"1.eng has neither a description nor a title"):
            load_caption_set(folder, folder / "two.npy")
        file.write_text("nothing")
        with pytest.raises(vse.FileFormatError, match=r"1.eng has no <TITLE> and no <DESCRIPTION>"):
            load_caption_set(folder, folder / "two.npy")
        file.write_bytes(b" " * ((1 << 20) + 1))
        with pytest.raises(vse.FileFormatError, match="is too large for an IAPR TC-12 text"):
            load_caption_set(folder, folder / "two.npy")

"""Files of captions as programs leave them: marks of UTF-8, blank lines, line ends of Windows, what stands twice."""

from __future__ import annotations

import json

import numpy as np
import pytest

import vsenumba as vse
from vsenumba.data import load_caption_set

EMOJI = [
    {"hex": "1F600", "label": "grinning face", "tags": ["happy"], "keywords": []},
    {"hex": "1F697", "label": "automobile", "tags": [], "keywords": ["car"]},
]
PICTURES = [("noto", "1F697"), ("noto", "1F600")]


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "regions.npy", np.ones((2, 2, 3), np.float32))
    return tmp_path


def flickr(folder, content):
    (folder / "set.token").write_bytes(content)
    return load_caption_set(folder / "set.token", folder / "regions.npy")


def karpathy(folder, content):
    (folder / "set.json").write_bytes(content)
    return load_caption_set(folder / "set.json", folder / "regions.npy")


def precomputed(folder, content):
    part = folder / "f30k"
    part.mkdir(exist_ok=True)
    np.save(part / "train_ims.npy", np.ones((2, 2, 3), np.float32))
    (part / "train_caps.txt").write_bytes(content)
    return load_caption_set(part)


def emoji(folder, texts=None, rows=None):
    (folder / "emoji.jsonl").write_bytes("\n".join(map(json.dumps, EMOJI)).encode() if texts is None else texts)
    table = "row\tvendor\thex\n" + "".join(f"{i}\t{vendor}\t{code}\n" for i, (vendor, code) in enumerate(PICTURES))
    (folder / "images.tsv").write_bytes(table.encode() if rows is None else rows)
    np.savez(folder / "thumbs64.npz", images=np.zeros((2, 64, 64, 3), np.uint8))
    return load_caption_set(folder)


def images(*sentences, **more):
    listed = [{"filename": f"{i}.jpg", "split": "train", "sentences": one} | more for i, one in enumerate(sentences)]
    return json.dumps({"images": listed}).encode()


MARK = b"\xef\xbb\xbf"
TOKENS = b"a.jpg#0\tone\na.jpg#1\ttwo\nb.jpg#0\tthree\n"
LAYOUTS = {
    "flickr": (flickr, TOKENS, ["one", "two", "three"]),
    "karpathy": (karpathy, images([{"raw": "one"}, {"raw": "two"}], [{"raw": "three"}]), ["one", "two", "three"]),
    "precomputed": (precomputed, b"one\ntwo\nthree\nfour\n", ["one", "two", "three", "four"]),
    "emoji": (emoji, None, ["grinning face", "happy", "automobile", "car"]),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_mark_of_utf8_is_no_part_of_a_name_or_a_caption(layout, folder):
    """It was part of the first image's id, or of the first caption, or the file was refused."""
    read, content, captions = LAYOUTS[layout]
    if content is None:
        read(folder)
        data = read(folder, *(MARK + (folder / name).read_bytes() for name in ("emoji.jsonl", "images.tsv")))
    else:
        data = read(folder, MARK + content)
    assert data.captions.tolist() == captions
    assert "\ufeff" not in "".join(data.image_ids)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_line_ends_of_windows_are_no_part_of_a_caption(layout, folder):
    read, content, captions = LAYOUTS[layout]
    if content is None:
        read(folder)
        files = ((folder / name).read_bytes() for name in ("emoji.jsonl", "images.tsv"))
        data = read(folder, *(one.replace(b"\n", b"\r\n") for one in files))
    else:
        data = read(folder, content.replace(b"\n", b"\r\n"))
    assert data.captions.tolist() == captions


def test_blank_lines_are_left_out_where_lines_say_whose_they_are(folder):
    data = flickr(folder, b"\n\r\n" + TOKENS.replace(b"a.jpg#1", b" \n\na.jpg#1") + b"\n\n")
    assert data.captions.tolist() == ["one", "two", "three"]
    texts = "\n\n".join(map(json.dumps, EMOJI)).encode() + b"\n\n"
    assert emoji(folder, texts, b"vendor\thex\n\nnoto\t1F697\nnoto\t1F600\n\n").n_captions == 4


def test_what_looks_like_a_line_end_within_a_caption_is_none(folder):
    """A carriage return made two captions of one, and all later ones those of other images."""
    data = precomputed(folder, "one\rand\u2028more\x85\ntwo\nthree\nfour\n".encode())
    assert data.captions.tolist() == ["one\rand\u2028more\x85", "two", "three", "four"]
    records = [EMOJI[0], EMOJI[1] | {"label": "auto\u2028mobile"}]
    texts = "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    assert "auto\u2028mobile" in emoji(folder, texts.encode()).captions.tolist()


def test_compressed_captions_are_read(folder):
    import gzip

    assert precomputed(folder, gzip.compress(b"one\ntwo\n")).captions.tolist() == ["one", "two"]


def test_what_is_not_utf8_is_counted(folder):
    with pytest.warns(
        UserWarning, match=r"set.token: 2 character\(s\) are not valid UTF-8 and were replaced by U\+FFFD"
    ):
        data = flickr(folder, b"a.jpg#0\tcaf\xe9\nb.jpg#0\tna\xefve thing\n")
    assert data.captions.tolist() == ["caf\ufffd", "na\ufffdve thing"]


NESTED = b'{"images": ' + b"[" * 100_000


@pytest.mark.parametrize(
    ("read", "content", "message"),
    [
        (flickr, TOKENS + b"a.jpg#0\tmore\n", "line 4: a.jpg#0 is already in line 1"),
        (flickr, TOKENS + b"b.jpg#1\t \n", "line 4: expected IMAGE#NUMBER, a tab and a caption"),
        (flickr, b"a.jpg#0\tone\n\n\nb.jpg two\n", "line 4: expected IMAGE#NUMBER, a tab and a caption"),
        (precomputed, b"one\n\ntwo\nthree\n", "line 2: the caption is empty"),
        (precomputed, b"one\ntwo\n\n", "line 3: the caption is empty"),
        (precomputed, "one\ntwo\n".encode("utf-16"), "is not text in UTF-8: it is UTF-16"),
        (karpathy, images([{"raw": "one"}], [{"raw": "two"}, {"raw": " "}]), "caption 1 of 1.jpg is empty"),
        (karpathy, images([{"raw": "one"}], []), "set.json: image '1.jpg' has no caption"),
        (karpathy, images([{"raw": "one"}], [{"raw": None}]), "not Karpathy's JSON: TypeError: a caption is None"),
        (karpathy, images([{"raw": "x"}], [{"raw": "y"}], filename="a"), "set.json: image 'a' appears twice"),
        (karpathy, b'{"images": [], "images": []}', "the name 'images' appears twice in an object"),
        (karpathy, NESTED, "not Karpathy's JSON: RecursionError"),
        (karpathy, b'{"images": [{"filename": "\xff"}]}', "not Karpathy's JSON: UnicodeDecodeError"),
    ],
)
def test_what_cannot_be_used_is_named(folder, read, content, message):
    with pytest.raises(vse.FileFormatError, match=message):
        read(folder, content)


LINES = [json.dumps(record) for record in EMOJI]


@pytest.mark.parametrize(
    ("texts", "rows", "message"),
    [
        ([*LINES, LINES[0]], None, "emoji.jsonl, line 3: '1F600' is listed twice"),
        ([LINES[0], "{"], None, "emoji.jsonl, line 2: not an emoji: JSONDecodeError"),
        ([LINES[0], "[" * 100_000], None, "emoji.jsonl, line 2: not an emoji: RecursionError"),
        (
            [LINES[0], '{"hex": "a", "label": null, "tags": [], "keywords": []}'],
            None,
            "line 2: not an emoji: Attribute",
        ),
        (None, b"row\tvendor\n", "images.tsv, line 1: expected the columns 'vendor' and 'hex'"),
        (None, b"", "images.tsv, line 1: expected the columns 'vendor' and 'hex'"),
        (None, b"vendor\thex\n\nnoto\n", "images.tsv, line 3: 1 cells, but the first line has 2"),
        (None, b"vendor\thex\nnoto\t1F601\nnoto\t1F600\n", "images.tsv: '1F601' is not in emoji.jsonl"),
        (None, b"vendor\thex\nnoto\t1F600\nnoto\t1F600\n", "image 'noto/1F600' appears twice"),
    ],
)
def test_emoji_that_cannot_be_used_are_named(folder, texts, rows, message):
    with pytest.raises(vse.FileFormatError, match=message):
        emoji(folder, None if texts is None else "\n".join(texts).encode(), rows)

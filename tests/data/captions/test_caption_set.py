"""Caption sets: which images and captions belong together, parts, files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vsenumba as vse
from vsenumba.data import Ragged, grid_features, load_caption_set
from vsenumba.data.captions.semantics import caption_semantics
from vsenumba.storage import write_file


@st.composite
def caption_sets(draw):
    """Draw images of one row or more, and captions; several images may be one subject."""
    n_subjects = draw(st.integers(1, 4))
    image_subjects = [*range(n_subjects), *draw(st.lists(st.integers(0, n_subjects - 1), max_size=4))]
    caption_subjects = [*range(n_subjects), *draw(st.lists(st.integers(0, n_subjects - 1), max_size=4))]
    lengths = [draw(st.integers(1, 3)) for _ in image_subjects]
    rows = [np.full((n, 2), i + 1, np.float32) for i, n in enumerate(lengths)]
    texts = [f"text {j}" for j in range(len(caption_subjects))]
    order = draw(st.permutations(range(len(image_subjects))))
    return vse.CaptionSet(
        Ragged.of([rows[i] for i in order], "image"),
        texts,
        np.array(image_subjects)[list(order)],
        np.array(draw(st.permutations(caption_subjects))),
    )


@given(data=caption_sets())
def test_matches_are_all_pairs_of_one_subject(data):
    expected = {
        (i, j)
        for i in range(data.n_images)
        for j in range(data.n_captions)
        if data.image_subjects[i] == data.caption_subjects[j]
    }
    images, captions = data.matches()
    assert len(images) == len(expected)
    assert set(zip(images.tolist(), captions.tolist(), strict=True)) == expected


@given(data=caption_sets(), draw=st.data())
def test_a_selection_has_the_rows_and_the_captions_of_its_subjects(data, draw):
    rows = draw.draw(st.lists(st.integers(0, data.n_images - 1), min_size=1, unique=True))
    chosen = data.select(np.array(rows))
    for place, row in enumerate(rows):
        assert chosen.images.item(place).tolist() == data.images.item(row).tolist()
        assert sorted(chosen.captions_of(place)) == sorted(data.captions_of(row))
    assert set(chosen.caption_subjects) == set(data.image_subjects[rows])


@given(data=caption_sets(), seed=st.integers(0, 100))
def test_parts_keep_subjects_together(data, seed):
    n_subjects = len(np.unique(data.image_subjects))
    if n_subjects < 2:
        with pytest.raises(vse.InputError, match="too few to split"):
            data.split(train=0.5, test=0.5, rng=seed)
        return
    split = data.split(train=0.5, test=0.5, rng=seed)
    assert split.parts.tolist() == data.split(train=0.5, test=0.5, rng=seed).parts.tolist()
    train, test = split.part("train"), split.part("test")
    assert not set(train.image_subjects) & set(test.image_subjects)
    assert train.n_images + test.n_images == data.n_images


def whole_set():
    return vse.CaptionSet.from_lists(
        [np.eye(3)[:n] for n in (1, 3, 2)], [["a cat", "ein Kätzchen"], "a dog", ["猫"]],
        image_ids=["x", "ü", "z"], classes=[0, 1, 0], parts=["train", "train", "test"],
        thumbnails=np.arange(3 * 4 * 4 * 3, dtype=np.uint8).reshape(3, 4, 4, 3),
        tokens=np.arange(8.0).reshape(4, 2),
    )  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8])
def test_a_file_gives_the_set_back(tmp_path, dtype):
    data = whole_set()
    data.images = Ragged.of([one.astype(dtype) for one in (np.eye(3)[:1], np.eye(3), np.eye(3)[:2])], "image")
    data.save(tmp_path / "set.h5")
    again = load_caption_set(tmp_path / "set.h5")
    for i in range(3):
        assert again.images.item(i).tolist() == data.images.item(i).tolist()
        assert again.captions_of(i) == data.captions_of(i)
    assert again.images.tables[0].dtype == (np.float16 if dtype == np.float16 else np.float32)
    assert isinstance(again.images.tables[0], np.memmap)
    assert again.tokens.take([1, 2])[0].tolist() == [[2, 3], [4, 5]]
    assert list(again.image_ids) == ["x", "ü", "z"]
    for name in ("classes", "parts", "thumbnails", "image_subjects", "caption_subjects"):
        assert np.array_equal(getattr(again, name), getattr(data, name)), name
    # A part of what is on disk can be written again.
    again.part("train").save(tmp_path / "train.h5")
    assert load_caption_set(tmp_path / "train.h5").images.item(1).tolist() == np.eye(3).tolist()


@pytest.mark.parametrize(
    "classes",
    [["cat", "dog", "猫" * 40], np.array(["a", "b", "a"]), np.array(["a", "", "b"], np.dtypes.StringDType()),
     [True, False, True], [1.5, 2, 3]],
    ids=str,
)  # fmt: skip
def test_classes_that_are_taken_are_saved(tmp_path, classes):
    """Found 2026-11: texts were taken as classes, and a set that had them could not be saved."""
    data = vse.CaptionSet.from_lists(np.ones((3, 5)), ["a", "b", "c"], classes=classes)
    data.save(tmp_path / "set.h5")
    again = load_caption_set(tmp_path / "set.h5")
    assert again.classes.tolist() == data.classes.tolist() == list(classes)


def test_shapes_that_images_may_have():
    rng = np.random.default_rng(0)
    for rows, lengths in (
        (rng.normal(size=(3, 4)), [1, 1, 1]),
        (rng.normal(size=(3, 2, 4)), [2, 2, 2]),
        ([rng.normal(size=4), rng.normal(size=(3, 4)), [[1, 2, 3, 4]]], [1, 3, 1]),
    ):
        assert vse.CaptionSet.from_lists(rows, ["a", "b", "c"]).images.lengths.tolist() == lengths


def test_rows_of_tokens_instead_of_texts():
    data = vse.CaptionSet.from_lists(np.ones((2, 3)), tokens=np.ones((4, 5)), captions_per_image=2)
    assert data.caption_subjects.tolist() == [0, 0, 1, 1]
    with pytest.raises(vse.InputError, match="no texts"):
        data.captions_of(0)


ONE = np.ones((2, 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vse.CaptionSet.from_lists(ONE, ["a"]), "captions for 1 images, but 2 images"),
        (lambda: vse.CaptionSet.from_lists(ONE, ["a", " "]), "caption 1 is empty"),
        (lambda: vse.CaptionSet.from_lists(ONE, ["a", []]), "image '1' has no caption"),
        (lambda: vse.CaptionSet.from_lists(ONE), "captions are missing"),
        (lambda: vse.CaptionSet(Ragged.of(ONE, "image"), None, [0, 1], [0, 1]), "captions are missing"),
        (lambda: vse.CaptionSet(Ragged.of(ONE, "image"), ["a", "b", "c"], [0, 1], [0, 1, 2]), "caption 2 has no image"),
        (lambda: vse.CaptionSet(Ragged.of(ONE, "image"), ["a"], [0, 1], [0, 1]), "there are 1 captions for 2 captions"),
        (lambda: vse.CaptionSet.from_lists(ONE, ["a", "b"], classes=[1]), "there are 1 classes for 2 images"),
        (lambda: vse.CaptionSet.from_lists(ONE, ["a", "b"], tokens=np.ones((3, 1))), "3 rows of captions for 2"),
        (lambda: vse.CaptionSet.from_lists(ONE, ["a", "b"], image_ids=["x", "x"]), "'x' appears twice"),
        (lambda: vse.CaptionSet.from_lists(ONE * np.inf, ["a", "b"]), "image 0 has NaN, inf"),
        (lambda: vse.CaptionSet.from_lists(ONE * 1e300, ["a", "b"]), "too large for float32"),
        (lambda: vse.CaptionSet.from_lists([ONE, 0 * ONE], ["a", "b"]), "image 1 has only rows of zeros"),
        (
            lambda: vse.CaptionSet.from_lists([np.ones((1, 3)), np.ones((0, 3))], ["a", "b"]),
            "image 1 must have one row",
        ),
        (lambda: vse.CaptionSet.from_lists([np.ones(3), np.ones(4)], ["a", "b"]), "image 1 must have one row or more"),
        (lambda: vse.CaptionSet.from_lists([], []), "there is no image"),
        (lambda: vse.CaptionSet.from_lists("pictures", ["a"]), "must be numbers"),
        (lambda: vse.CaptionSet.from_lists(3, ["a"]), "must be an array or a list of arrays"),
        (lambda: vse.CaptionSet.from_lists(np.ones((2, 3), complex), ["a", "b"]), "must be numbers"),
        (lambda: vse.CaptionSet.from_lists(np.ones(3), ["a"]), r"must be \(n, d\)"),
        (lambda: Ragged.of_rows(ONE, np.array([0, 1]), "image"), "offsets of images must rise"),
        (lambda: Ragged.of_rows(ONE, np.array([0, 0, 2]), "image"), "image 0 has no rows"),
        (lambda: Ragged.join([Ragged.of(ONE, "image"), Ragged.of(np.ones((1, 2)), "image")]), "2 and 3 numbers"),
        (lambda: whole_set().part("tset"), "did you mean 'test'"),
        (lambda: whole_set().select(np.array([], int)), "no image was selected"),
        (lambda: whole_set().split(train=0.5), "add up to 1"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(vse.VsenumbaError, match=message):
        make()


@pytest.mark.parametrize(
    ("captions", "message"),
    [
        ("abc", "captions must be a list of texts, not 'abc'"),
        ({"a", "b", "c"}, "captions must be a list of texts, not {"),
        ([{"a", "b"}, "b", "c"], "captions must be a list of texts, not {"),
        (["a", None, "c"], "captions must be a list of texts, not None"),
        (["a", b"b", "c"], "captions must be a list of texts, not b'b'"),
        (["a", ["b", None], "c"], "caption 1 must be a text, not None"),
        (["a", ["b", 5], "c"], "caption 1 must be a text, not 5"),
        (5, "captions must be a list of texts, not 5"),
    ],
)
def test_captions_that_are_no_texts_are_refused(captions, message):
    """One text became a caption a letter, None the text "None", a set came in the order of Python's hash seed."""
    with pytest.raises(vse.InputError, match=message):
        vse.CaptionSet.from_lists(np.ones((3, 5)), captions)


def test_files_that_are_no_caption_set(tmp_path):
    elements = whole_set().to_elements()
    missing = {name: value for name, value in elements.items() if name != "image_subjects"}
    write_file(tmp_path / "missing.h5", "caption-set", missing)
    wrong = {**whole_set().to_elements(), "classes": np.zeros(1)}
    write_file(tmp_path / "wrong.h5", "caption-set", wrong)
    for name, message in (
        ("missing", "image_subjects is missing"),
        ("wrong", r"classes has the shape \(1,\); expected \(n_images = 3,\)"),
    ):
        with pytest.raises(vse.FileFormatError, match=message):
            load_caption_set(tmp_path / f"{name}.h5")


class TestReaders:
    @pytest.fixture
    def regions(self, tmp_path):
        rows = np.random.default_rng(0).normal(size=(6, 2, 3)).astype(np.float32)
        np.save(tmp_path / "regions.npy", rows)
        return rows

    def precomputed(self, folder, part, rows, lines):
        folder.mkdir(exist_ok=True)
        np.save(folder / f"{part}_ims.npy", rows)
        (folder / f"{part}_caps.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def test_precomputed(self, tmp_path, regions):
        folder = tmp_path / "f30k"
        self.precomputed(folder, "train", regions, [f"train {i}" for i in range(30)])
        # As in SCAN's folders: every image of the smaller parts stands five times.
        self.precomputed(folder, "dev", np.repeat(regions[:2], 5, axis=0), [f"dev {i}" for i in range(10)])
        data = load_caption_set(folder)
        assert (data.part("train").n_images, data.part("dev").n_images) == (6, 2)
        assert data.part("dev").captions_of(1) == [f"dev {i}" for i in range(5, 10)]
        assert data.part("train").captions_of(5) == [f"train {i}" for i in range(25, 30)]
        assert np.array_equal(data.part("dev").images.item(1), regions[1])

    def test_karpathy(self, tmp_path, regions):
        images = [
            {"filename": f"{i}.jpg", "split": "restval" if i else "test", "sentences": [{"raw": f"A {i}."}]}
            for i in range(6)
        ]
        images[2]["sentences"] = [{"tokens": ["two", "words"]}, {"raw": "Another."}]
        (tmp_path / "set.json").write_text(json.dumps({"images": images}))
        data = load_caption_set(tmp_path / "set.json", tmp_path / "regions.npy")
        assert data.part("train").n_images == 5
        assert data.captions_of(2) == ["two words", "Another."]
        assert list(data.image_ids)[:2] == ["0.jpg", "1.jpg"]

    def test_flickr_tokens(self, tmp_path, regions):
        lines = [f"{name}.jpg#{j}\tcaption {j} of {name}" for name in "fedcba" for j in range(2)]
        (tmp_path / "f8k.token.txt").write_text("\n".join(lines))
        data = load_caption_set(tmp_path / "f8k.token.txt", tmp_path / "regions.npy")
        assert data.image_ids[0] == "f.jpg"
        assert data.captions_of(5) == ["caption 0 of a", "caption 1 of a"]

    def test_emoji(self, tmp_path):
        records = [
            {"hex": "1F600", "label": "grinning face", "tags": ["happy", "grin"], "keywords": ["big_smile"]},
            {"hex": "1F697", "label": "automobile", "tags": [], "keywords": ["car"]},
            {"hex": "2049", "label": "drawn by nobody", "tags": ["x"], "keywords": []},
        ]
        (tmp_path / "emoji.jsonl").write_text("\n".join(map(json.dumps, records)))
        rows = [("noto", "1F697"), ("noto", "1F600"), ("openmoji", "1F697")]
        table = "row\tvendor\thex\n" + "".join(f"{i}\t{vendor}\t{code}\n" for i, (vendor, code) in enumerate(rows))
        (tmp_path / "images.tsv").write_text(table)
        np.savez(tmp_path / "thumbs64.npz", images=np.zeros((3, 64, 64, 3), np.uint8))
        data = load_caption_set(tmp_path)
        assert data.captions_of(1) == ["grinning face", "happy grin", "big smile"]
        assert data.captions_of(0) == data.captions_of(2) == ["automobile", "car"]
        assert data.n_captions == 5
        assert data.image_ids[2] == "openmoji/1F697"
        assert data.thumbnails.shape == (3, 64, 64, 3)

    def test_what_is_refused(self, tmp_path, regions):
        folder = tmp_path / "odd"
        self.precomputed(folder, "train", regions, ["one caption"] * 7)
        blank = tmp_path / "blank"
        self.precomputed(blank, "train", regions, ["one caption"] * 5 + [""])
        tokens = tmp_path / "f8k.txt"
        tokens.write_text("a.jpg#0\tone\nno caption\n")
        (tmp_path / "a.txt").write_text("neither")
        (tmp_path / "a.json").write_text('{"images": [{}]}')
        (tmp_path / "good.txt").write_text("a.jpg#0\tone\n")
        np.save(tmp_path / "flat.npy", np.zeros(1))
        for source, features, message in (
            ("nowhere", None, "there is no file"),
            ("odd", None, "7 captions for the 6 images"),
            ("odd", "regions.npy", "leave out features"),
            ("blank", None, "line 6: the caption is empty"),
            ("f8k.txt", "regions.npy", "line 2: expected"),
            ("a.txt", None, "not in a supported layout"),
            ("a.json", None, "not Karpathy's JSON: KeyError"),
            ("good.txt", None, "give the image features"),
            ("good.txt", "regions.npy", "features for 6 images, but .*good.txt has 1"),
            ("good.txt", "a.txt", "not an .npy file"),
            ("good.txt", "none.npy", "cannot read"),
            ("good.txt", "flat.npy", "must hold"),
        ):
            with pytest.raises(vse.VsenumbaError, match=message):
                load_caption_set(tmp_path / source, None if features is None else tmp_path / features)

    def test_features_stay_on_disk(self, tmp_path, regions):
        (tmp_path / "a.txt").write_text("".join(f"{i}.jpg#0\tone\n" for i in range(6)))
        data = load_caption_set(tmp_path / "a.txt", tmp_path / "regions.npy")
        assert isinstance(data.images.tables[0], np.memmap)


def test_grid_features_of_a_picture_of_two_colours():
    picture = np.zeros((1, 64, 64, 3), np.uint8)
    picture[:, :, 32:] = 255
    rows = grid_features(picture, cells=2).astype(float)[0]
    assert rows.shape == (4, 58)
    assert np.allclose(rows[[0, 2], :48], -1)
    assert np.allclose(rows[[1, 3], :48], 1)
    # The edge runs down where the halves meet: the picture gets lighter to the right.
    assert (rows[:, 48] > 0).all()
    assert np.allclose(rows[:, 49:56], 0)
    assert rows[:, 56:].tolist() == [[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]]
    with pytest.raises(vse.InputError, match="cannot be divided"):
        grid_features(picture, cells=7)
    with pytest.raises(vse.InputError, match="must be"):
        grid_features(picture[0])


def test_semantics_are_alike_for_texts_of_like_words():
    texts = ["a black cat sleeps", "the black cat sleeps", "two dogs run", "a dog and dogs run", "42 of 7"]
    vectors = caption_semantics(texts, 3)
    assert vectors.shape == (5, 3)
    cosine = vectors @ vectors.T
    assert cosine[0, 1] == pytest.approx(cosine[0, 0], abs=1e-4)
    assert abs(cosine[0, 2]) < 1e-4
    assert np.allclose(vectors[4], 0, atol=1e-6)
    for texts, message in ((["the", "a"], "contain only stop words"), (["cat", "cat"], "too few different words")):
        with pytest.raises(vse.InputError, match=message):
            caption_semantics(texts)


def test_words_with_vowel_signs_count_as_words():
    """Of Hindi none of the words with vowel signs did, as str.isalpha says that they are not of letters."""
    vectors = caption_semantics(["काली बिल्ली सोती है", "वह काली बिल्ली सोती", "दो कुत्ते दौड़ते हैं", "x_1 42"], 2)
    cosine = vectors @ vectors.T
    assert cosine[0, 1] > 0.5 * cosine[0, 0] > 0
    assert abs(cosine[0, 2]) < 1e-4
    assert np.allclose(vectors[3], 0, atol=1e-6)


def test_the_real_emoji():
    folder = Path(__file__).parents[4] / "shared" / "data" / "emoji"
    if not folder.exists():
        pytest.skip("the emoji are not here")
    data = load_caption_set(folder)
    assert (data.n_images, len(np.unique(data.image_subjects))) == (7074, 1914)


def test_the_digest_tells_sets_apart(tmp_path):
    rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    one = vse.CaptionSet.from_lists(rows, [["a", "b"], ["c"]])
    one.save(tmp_path / "a.h5")
    assert one.digest() == vse.CaptionSet.load(tmp_path / "a.h5").digest()
    half = vse.CaptionSet.from_lists(rows.astype(np.float16), [["a", "b"], ["c"]], image_ids=["x", "y"])
    assert one.digest() == half.digest()
    others = [
        vse.CaptionSet.from_lists(rows[::-1], [["a", "b"], ["c"]]),
        vse.CaptionSet.from_lists(rows, [["a"], ["b", "c"]]),
        vse.CaptionSet.from_lists(rows, [["a\0b", "b"], ["c"]]),
        vse.CaptionSet.from_lists(rows, [["b", "a"], ["c"]]),
        vse.CaptionSet.from_lists(rows.reshape(1, 2, 2), ["a"]),
        vse.CaptionSet.from_lists(rows, tokens=rows),
    ]
    assert len({one.digest(), *(other.digest() for other in others)}) == len(others) + 1


ROWS = np.ones((2, 3))


@pytest.mark.parametrize("subjects", [[0.2, 0.7], [0, 2**63], [0, np.nan], [0, 2**64], ["0", "1"], [0, 9.3e18], {0, 1}])
def test_subjects_that_no_int64_holds_are_refused(subjects):
    """Found 2026-11: 0.2 and 0.7 both became 0, and 2**63 wrapped."""
    images = Ragged.of(ROWS, "image")
    for pair in ((subjects, [0, 1]), ([0, 1], subjects)):
        with pytest.raises(vse.InputError, match="subjects must be (whole numbers|an array|a one-dimensional)"):
            vse.CaptionSet(images, ["a", "b"], *pair)
    assert vse.CaptionSet(images, ["a", "b"], [0.0, 1.0], [1, 0]).image_subjects.dtype == np.int64


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"image_ids": {"a", "b"}}, "image names must have an order, and a set has none"),
        ({"image_ids": 5}, "image names must be a sequence"),
        ({"parts": {"train", "test"}}, "parts must be a list of names"),
        ({"parts": "ab"}, "parts must be a list of names"),
        ({"parts": ["a", "\ud800"]}, "not valid Unicode"),
        ({"classes": {0, 1}}, "classes must be an array or a list"),
        ({"classes": [0, np.nan]}, "classes must be numbers or texts without missing values"),
        ({"classes": [0, None]}, "classes must be numbers or texts without missing values"),
        ({"classes": np.zeros((2, 2))}, "classes must be one-dimensional"),
        ({"classes": [1j, 2]}, "classes must be numbers or texts"),
        ({"thumbnails": [1, 2]}, "thumbnails must be .n, height, width, 3. uint8"),
        ({"thumbnails": np.zeros((2, 4, 4, 3))}, "thumbnails must be .n, height, width, 3. uint8"),
        ({"captions": ["a", "\ud800"]}, "caption 1 is not valid Unicode"),
        ({"captions": None, "tokens": ROWS, "captions_per_image": 1.5}, "captions_per_image must be a whole number"),
        ({"images": [[[1, 2], [3]], [[1, 2]]]}, "the rows of image 0 must be an array, or lists of equal length"),
        ({"tokens": [[[1, 2], [3]], [[1, 2]]]}, "the rows of caption 0 must be an array, or lists of equal length"),
    ],
)
def test_what_no_set_is_made_of_is_refused(about, message):
    """Found 2026-11: sets were taken in the order of their hashes, the others were raw errors or taken."""
    with pytest.raises(vse.InputError, match=message):
        vse.CaptionSet.from_lists(**{"images": ROWS, "captions": ["a", "b"], **about})


def test_parts_are_names():
    r"""Found 2026-11: of a part "cafe\u0301" nothing was found by "café"."""
    parts = ["cafe\u0301 ", "test"]
    data = vse.CaptionSet.from_lists(ROWS, ["a", "b"], parts=parts)
    assert data.parts.tolist() == ["café", "test"]
    for name in ("cafe\u0301", "café", " café"):
        assert data.part(name).captions_of(0) == ["a"]
    halves = vse.CaptionSet.from_lists(ROWS, ["a", "b"]).split(café=0.5, test=0.5, rng=0)
    assert halves.part("café").n_images == 1


@pytest.mark.parametrize("shares", [{"train": np.nan}, {"train": "all"}, {"train": 0.5, "test": None}])
def test_shares_that_are_no_numbers_are_refused(shares):
    """Found 2026-11: NaN passed, texts were a raw TypeError."""
    with pytest.raises(vse.InputError, match="the shares of the parts must be positive"):
        vse.CaptionSet.from_lists(ROWS, ["a", "b"]).split(**shares, rng=0)


@pytest.mark.parametrize("images", [[5], [0.5], "a", [True]])
def test_images_that_are_not_there_are_not_selected(images):
    """Found 2026-11: it was a raw IndexError."""
    with pytest.raises(vse.InputError, match="images must be numbers of the 2 images, or a mask"):
        vse.CaptionSet.from_lists(ROWS, ["a", "b"]).select(images)


@pytest.mark.parametrize("name", [" a", "e\u0301", "\u200b", " "])
@pytest.mark.parametrize("element", ["parts", "image_ids"])
def test_names_in_files_are_in_their_form(name, element, tmp_path):
    """Found 2026-11: a crafted file's names were read otherwise than they stood there."""
    data = vse.CaptionSet.from_lists(np.ones((2, 1)), ["text"] * 2, parts=["train", "test"], image_ids=["x", "y"])
    elements = data.to_elements()
    elements[element] = np.array([name, "y"], np.dtypes.StringDType())
    write_file(tmp_path / "set.h5", "caption-set", elements)
    with pytest.raises(vse.FileFormatError, match=r"set.h5: (part|image) name .* is not in Unicode form NFC"):
        vse.CaptionSet.load(tmp_path / "set.h5")

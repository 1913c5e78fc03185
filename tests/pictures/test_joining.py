"""Images of a table are found among pictures by path, or by what is left of it; never by guessing."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vsenumba as vse
from vsenumba.errors import InputError
from vsenumba.pictures.joining import WAYS, join, tagged_pictures

PICTURES = ["a.jpg", "birds/b.jpg", "birds/old/c.PNG", "cats/b.jpg", "d.e.jpg", "Dogs/F.jpg"]
PATH, NAME, STEM, CASE = WAYS


@pytest.mark.parametrize(
    ("image", "picture", "way"),
    [
        ("a.jpg", 0, PATH),
        ("./a.jpg", 0, PATH),
        ("birds\\b.jpg", 1, PATH),
        ("birds//b.jpg", 1, PATH),
        ("c.PNG", 2, NAME),
        ("old/c.PNG", 2, NAME),
        ("/home/me/photos/birds/b.jpg", 1, NAME),
        ("C:\\photos\\birds\\b.jpg", 1, NAME),
        ("photos/a.jpg", 0, NAME),
        ("a", 0, STEM),
        ("birds/b", 1, STEM),
        ("c", 2, STEM),
        ("c.jpg", 2, STEM),  # converted since
        ("d.e", 4, STEM),
        ("photos/cats/b", 3, STEM),
        ("birds/old/C.png", 2, CASE),
        ("A.JPG", 0, CASE),
        ("f", 5, CASE),
    ],
)
def test_each_way(image, picture, way):
    found = join([image], PICTURES)
    assert found.rows.tolist() == [picture]
    assert found.ways == {way: 1}
    assert found.lost == []


@pytest.mark.parametrize("image", ["dogs/a.jpg/x", "cows/b.jpg", "e", "d", "b.e.jpg", "", "/", "..", "xa.jpg"])
def test_what_is_no_picture_is_counted(image):
    """Of these cows/b.jpg is the trap: its name is that of two pictures, its folder that of none."""
    found = join([image, "a.jpg"], PICTURES)
    assert found.rows.tolist() == [-1, 0]
    assert found.lost == [image]


def test_the_same_path_goes_before_all_else():
    found = join(["a", "x/a.jpg", "a.jpg"], ["a.jpg", "x/a.jpg", "a"])
    assert found.rows.tolist() == [2, 1, 0]
    assert found.ways == {PATH: 3}


def test_the_whole_of_a_path_goes_before_its_end():
    assert join(["a"], ["x/a.jpg", "a.png"]).rows.tolist() == [1]


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ("b.jpg", r"'b.jpg' in the tags could be 'birds/b.jpg' or 'cats/b.jpg'; use the path"),
        ("b", r"'b' in the tags could be 'birds/b.jpg' or 'cats/b.jpg'"),
        ("B", r"could be"),
    ],
)
def test_what_could_be_several_is_asked_about(image, says):
    with pytest.raises(InputError, match=says):
        join(["a.jpg", image], PICTURES)
    many = [f"{i}/b.jpg" for i in range(9)]
    with pytest.raises(InputError, match="or 6 others"):
        join(["b.jpg"], many)
    with pytest.raises(InputError, match=r"could be 'a.jpg' or 'a.png'"):
        join(["a"], ["a.jpg", "a.png"])


@pytest.mark.parametrize("images", [("x/a.jpg", "y/a.jpg"), ("a.jpg", "a"), ("a.jpg", "./a.jpg"), ("a", "A")])
def test_two_images_that_would_be_one_picture(images):
    with pytest.raises(InputError, match="both match the picture 'a.jpg'"):
        join(images, ["a.jpg", "b.jpg"])


def test_none_is_an_error_with_the_nearest_name():
    with pytest.raises(
        InputError, match=r"none of the 2 images in t.csv is a picture in photos: 'brids/bb.jpg' \(nearest"
    ):
        join(["brids/bb.jpg", "?"], PICTURES, source="t.csv", root="photos")
    with pytest.raises(InputError, match="pictures are called like 'a.jpg'"):
        join(["0000000000000"], PICTURES)
    assert join([], PICTURES).rows.tolist() == []


NAMES = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=3).map("/".join)


@given(st.lists(NAMES.map(lambda name: f"{name}.jpg"), min_size=1, max_size=12, unique=True), st.data())
def test_every_picture_is_found_by_its_own_path(pictures, data):
    order = data.draw(st.permutations(range(len(pictures))))
    for change in (str, lambda one: f"/photos/{one}", lambda one: one.replace("/", "\\"), str.upper):
        images = [change(pictures[i]) for i in order]
        if change is str or not any(one.endswith(f"/{other}") for one in pictures for other in pictures):
            assert join(images, pictures).rows.tolist() == order
            continue
        # Paths that are the ends of others are found, or asked about, but never taken for another.
        with suppress(InputError):
            assert join(images, pictures).rows.tolist() == order


def test_labels_go_to_the_pictures():
    tags = vse.AnnotationSet.from_lists(
        [["cat", "pet"], ["dog"], ["rare"], []], ["b", "pictures/a.jpg", "gone", "c.jpg"]
    ).with_features([[1.0], [2.0], [3.0], [4.0]])
    pictures = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    data = tagged_pictures(tags, pictures, join(tags.image_ids, pictures))
    assert list(data.image_ids) == pictures
    assert [data.labels_of(one) for one in pictures] == [["dog"], ["cat", "pet"], [], []]
    assert sorted(data.label_names) == ["cat", "dog", "pet"]
    assert data.features is None


def test_verified_absences_go_along():
    names = ["cat", "dog", "gone", "never"]
    tags = vse.AnnotationSet([0, 1, 2, 3], [0, 1, 2], 4, ["b", "a", "x"], names)
    tags = tags.with_absent(vse.AnnotationSet([0, 1, 2, 3], [3, 0, 0], 4, ["b", "a", "x"], names))
    pictures = ["a.jpg", "b.jpg", "c.jpg"]
    data = tagged_pictures(tags, pictures, join(tags.image_ids, pictures))
    assert list(data.label_names) == ["cat", "dog", "never"]
    assert [data.labels_of(one) for one in pictures] == [["dog"], ["cat"], []]
    absent = [[data.label_names[j] for j in data.absent.columns_of(i)] for i in range(3)]
    assert absent == [["cat"], ["never"], []]

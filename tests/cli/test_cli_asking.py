"""``annotate``, ``find`` and ``similar``: limits, several labels, other sets, and what is like what."""

from __future__ import annotations

import csv
import json
import warnings

import pytest

import vsenumba as vse


def told(text):
    return [tuple(row) for row in csv.reader(text.splitlines())][1:]


@pytest.fixture
def model(folder):
    return vse.load_model("model.h5")


def test_suggestions_within_limits(succeeds, folder, model):
    words = ("annotate", "model.h5", "--labels", "cat", "--json")
    everything = json.loads(succeeds(*words).out)[0]["suggestions"]
    (only,) = json.loads(succeeds(*words, "--only", "plant, garden").out)
    assert {one["name"] for one in only["suggestions"]} == {"plant", "garden"}
    (without,) = json.loads(succeeds(*words, "--without", "plant,garden").out)
    assert without["suggestions"] == [one for one in everything if one["name"] not in ("plant", "garden")]
    (high,) = json.loads(succeeds(*words, "--least-score", everything[1]["score"]).out)
    assert high["suggestions"] == everything[:2]
    assert succeeds(*words[:-1], "--least-score", "99").out == "new image\nknown labels: cat\nno suggestions\n"


def test_limits_hold_for_all_images(succeeds, folder, model):
    rows = told(succeeds("annotate", "model.h5", "--all", "--only", "plant,pet", "--least-score", "-99").out)
    expected = model.annotate(model.seen_, only=["plant", "pet"])
    assert [(image, label) for image, label, _ in rows] == [
        (image, match.name) for image, found in zip(model.image_ids_, expected, strict=True) for match in found
    ]
    assert {label for _, label, _ in rows} == {"plant", "pet"}


@pytest.mark.filterwarnings("default:skipped")
def test_images_of_another_set_are_annotated(succeeds, folder, model):
    (folder / "new.csv").write_text("image,tag\na.jpg,cat\na.jpg,brand new\nb.jpg,plant\n")
    outcome = succeeds("annotate", "model.h5", "--set", "new.csv", "-n", "2")
    expected = model.annotate([["cat"], ["plant"]], n=2)
    assert told(outcome.out) == [
        (image, match.name, f"{match.score:.4f}")
        for image, found in zip(("a.jpg", "b.jpg"), expected, strict=True)
        for match in found
    ]
    assert "warning: " in outcome.err
    assert "'brand new'" in outcome.err
    outcome = succeeds("annotate", "model.h5", "--set", "new.csv", "-n", "2", "-o", "out.csv")
    assert outcome.err.splitlines()[-1] == "saved out.csv: 4 suggestions for 2 images"


@pytest.mark.filterwarnings("ignore:.* label")
def test_images_of_another_set_are_found(succeeds, folder, model):
    (folder / "new.csv").write_text("image,tag\na.jpg,cat\nb.jpg,plant\nc.jpg,plant\nc.jpg,tree\n")
    found = json.loads(succeeds("find", "model.h5", "tree", "--set", "new.csv", "--json").out)
    assert found["labels"] == ["tree"]
    assert {one["name"] for one in found["images"]} == {"a.jpg", "b.jpg"}
    found = json.loads(succeeds("similar", "model.h5", "--image", "c.jpg", "--set", "new.csv", "--json").out)
    assert found["image"] == "c.jpg"
    assert {one["name"] for one in found["similar"]} == {"a.jpg", "b.jpg"}


def test_images_are_found_by_several_labels(succeeds, folder, model):
    found = json.loads(succeeds("find", "model.h5", "animal", "pet", "--json").out)
    assert found["labels"] == ["animal", "pet"]
    assert [tuple(one.values()) for one in found["images"]] == model.find_images(["animal", "pet"])
    assert (
        "no image found with a score of at least 99"
        in succeeds("find", "model.h5", "animal", "--least-score", "99").out
    )
    for image in model.image_ids_:
        assert {"animal", "plant"} - set(model.seen_.labels_of(image))
    everything = succeeds("find", "model.h5", "animal", "plant", "-o", "f.csv")
    assert everything.err == f"saved f.csv: {len(model.image_ids_)} images\n"


def test_what_is_alike_is_shown(succeeds, folder, model):
    shown = json.loads(succeeds("similar", "model.h5", "--label", "cat", "-n", "3", "--json").out)
    assert shown["label"] == "cat"
    assert [tuple(one.values()) for one in shown["similar"]] == model.similar_labels("cat", n=3)
    text = succeeds("similar", "model.h5", "--image", "rose.jpg", "-n", "2").out.splitlines()
    assert text[0].split() == ["image", "similarity"]
    assert [line.split()[0] for line in text[1:]] == [match.name for match in model.similar_images("rose.jpg", n=2)]
    assert succeeds("similar", "ease.h5", "--label", "cat", "-o", "s.csv").err.startswith("saved s.csv: ")
    assert (folder / "s.csv").read_text().startswith("label,likeness\n")


def test_images_are_found_by_an_index(succeeds, fails, folder, model, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of SWIG, which faiss is wrapped by
        pytest.importorskip("faiss")
    assert "weights between labels; fit it with max_neighbours=0" in fails("index", "model.h5", "-o", "i.ann")
    model = vse.ImageAnnotator(n_factors=4, n_epochs=1, max_neighbours=0, random_state=0).fit(model.seen_)
    model.save("model.h5")
    model.set_params(random_state=1).fit(model.seen_).save("all.h5")
    model = vse.load_model("model.h5")
    assert "an index needs 1,000,000 images, not 6" in fails("index", "model.h5", "-o", "i.ann")
    monkeypatch.setattr("vsenumba.models.image_index.LEAST_IMAGES", 1)
    said = succeeds("index", "model.h5", "-o", "i.ann").out
    assert said.startswith("saved i.ann: 6 images, recall@10 ")
    made = json.loads(succeeds("index", "model.h5", "-o", "j.ann", "--json").out)
    assert (made["index"], made["images"]) == ("j.ann", 6)
    found = json.loads(succeeds("find", "model.h5", "animal", "--index", "i.ann", "--json").out)["images"]
    exact = dict(model.find_images("animal"))
    assert found
    assert all(one["score"] == pytest.approx(exact[one["name"]], rel=1e-4) for one in found)
    assert "another model or other images" in fails("find", "all.h5", "animal", "--index", "i.ann")
    assert "not an index" in fails("find", "model.h5", "animal", "--index", "tags.csv")
    words = ("find", "model.h5", "animal", "--index", "i.ann", "--least-score", "1")
    assert "cannot be combined" in fails(*words, status=2)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("annotate model.h5 --labels cat --only catt", "unknown label 'catt'; did you mean 'cat'"),
        ("annotate model.h5 --labels cat --without nope", "unknown label 'nope'"),
        ("annotate model.h5 --set none.csv", "none.csv"),
        ("find model.h5 cat anima", "unknown label 'anima'; did you mean 'animal'"),
        ("similar model.h5 --label catt", "unknown label 'catt'; did you mean 'cat'"),
        ("similar model.h5 --image cat-3.jpg", "unknown image 'cat-3.jpg'"),
        ("similar ease.h5 --image cat-1.jpg", "has no image vectors"),
        ("similar words.h5 --label cat", "holds a model of words"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_line(fails, words, what):
    assert what in fails(*words.split())


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("annotate model.h5 --all --set tags.csv", "--all and --set cannot be combined"),
        ("annotate model.h5 --set tags.csv --json", "--set cannot be combined with IMAGE, --labels or --json"),
        ("annotate model.h5 rose.jpg --all", "--all cannot be combined with IMAGE, --labels or --json"),
        ("annotate model.h5 --labels cat --least-score high", "not a valid float"),
        ("find model.h5", "Missing argument 'LABEL...'"),
        ("similar model.h5", "give either --label or --image"),
        ("similar model.h5 --label cat --image rose.jpg", "give either --label or --image"),
        ("similar model.h5 --label cat --set tags.csv", "--set requires --image"),
        ("similar model.h5 --label cat --excel", "--excel requires -o"),
        ("similar model.h5 --label cat --json -o a.csv", "-o and --json cannot be combined"),
    ],
)
def test_wrong_usage(fails, words, what):
    assert what in fails(*words.split(), status=2)

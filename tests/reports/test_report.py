"""A report says what the files hold: its numbers are the scores, and what is not there is said in a sentence."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest
from report_pages import Page, small_model

import vsenumba as vse
from vsenumba.data import AnnotationSet
from vsenumba.errors import FileFormatError, InputError
from vsenumba.experiments import Delivery, measurement
from vsenumba.reports.labels_section import ENDS
from vsenumba.training import History

METRICS = ("mrr", "recall@5", "recall@10", "auc")


@pytest.fixture(scope="module")
def data():
    return vse.synthetic(400, 90, 2500, rng=0)


@pytest.fixture(scope="module")
def parts(data):
    return vse.leave_one_out(data, rng=0)


@pytest.fixture(scope="module")
def model(parts):
    return small_model().fit(parts[0])


@pytest.fixture(scope="module")
def compared(data):
    return vse.compare(
        data, samplers=["uniform", "warp"], n_epochs=2, n_seeds=2, n_factors=4, by="popularity", deterministic=True
    )


def report(run, path, **settings):
    vse.write_report(run, path, **settings)
    return Page(path.read_text(encoding="utf-8"))


def columns(table):
    return {name: [row[i] for row in table[1:]] for i, name in enumerate(table[0])}


def test_scores_of_a_model_on_pairs_that_it_has_not_seen(model, parts, tmp_path):
    train, test = parts
    page = report(model, tmp_path / "report.html", data=test)
    scores = vse.evaluate(model, test, exclude=train, metrics=METRICS, by="label")
    assert page.tables["results"][1:] == [
        [name if "@" in name else name.upper(), f"{value:.4f}"] for name, value in scores.mean.items()
    ]
    pairs = zip(scores.groups.n_test_pairs, scores.groups.micro["mrr"], strict=True)
    by_label = dict(zip(scores.groups.names, pairs, strict=True))
    best, worst = page.tables["best-labels"], page.tables["worst-labels"]
    for label, _, n_pairs, mrr, _ in best[1:] + worst[1:]:
        assert [n_pairs, mrr] == [f"{by_label[label][0]:,}", f"{by_label[label][1]:.3f}"]
    ordered = sorted(value for _, value in by_label.values())
    assert [row[3] for row in worst[1:]] == [f"{value:.3f}" for value in ordered[:ENDS]]
    assert [row[3] for row in best[1:]] == [f"{value:.3f}" for value in ordered[::-1][:ENDS]]
    groups = vse.evaluate(model, test, exclude=train, metrics=METRICS, by="popularity").groups
    shown = columns(page.tables["popularity"])
    assert shown["training images"] == [*groups.names, "all"]
    assert shown["AUC"] == [f"{value:.3f}" for value in [*groups.micro["auc"], groups.micro_mean["auc"]]]
    assert shown["held-out pairs"][-1] == str(test.n_pairs)


def test_all_labels_are_in_one_table_where_they_are_few(tmp_path):
    train, test = vse.leave_one_out(vse.synthetic(60, 12, 240, rng=0), rng=0)
    page = report(small_model().fit(train), tmp_path / "report.html", data=test)
    assert len(page.tables["labels"]) == 1 + int((test.label_counts > 0).sum())


def test_a_model_that_knows_all_is_trained_again_as_it_was_measured(data, parts, model, tmp_path):
    train, test = parts
    scores = vse.evaluate(model, test, exclude=train, metrics=METRICS)
    measured = measurement(data, scores.n_images, test.n_pairs, scores.mean, 2)
    whole = small_model().fit(data, callbacks=Delivery(2, measured))
    page = report(whole, tmp_path / "report.html", data=data)
    # It is the same to the last bit, so there is one column.
    assert page.tables["results"][0] == ["metric", "value"]
    assert page.tables["results"][1][1] == f"{scores.mean['mrr']:.4f}"
    given = report(whole, tmp_path / "given.html", data=data, measured_model=model)
    assert given.tables["results"] == page.tables["results"]
    assert given.tables["best-labels"] == page.tables["best-labels"]
    # Of a split that cannot be found again there are no scores by label.
    whole.provenance_["measured"]["n_pairs"] -= 1
    page = report(whole, tmp_path / "report.html", data=data)
    assert "best-labels" not in page.tables
    assert any("cannot be found again" in text for text in page.texts)


def test_numbers_of_a_comparison(compared, data, tmp_path):
    comparison, model = compared
    page = report(compared, tmp_path / "report.html", data=data)
    shown = columns(page.tables["results"])
    assert shown["sampler or model"] == ["uniform", "warp", "popularity ranking", "EASE"]
    for name, best, low, high in zip(
        *(shown[key] for key in ("sampler or model", "best MRR", "lowest", "highest")), strict=True
    ):
        if name in comparison.samplers:
            values = [run.best("mrr") for run in comparison.runs_of(name)]
            assert [best, low, high] == [f"{one:.3f}" for one in (np.median(values), min(values), max(values))]
        else:
            assert best == f"{comparison.references[name]['mrr']:.3f}"
    groups = columns(page.tables["compared-popularity"])
    for i, name in enumerate(comparison.groups["names"]):
        expected = [np.median(runs, axis=0)[i] for runs in comparison.groups["values"].values()]
        assert groups[name] == [f"{value:.3f}" for value in expected]
    # The best model was trained again on the split: its mean is the one that was measured.
    assert columns(page.tables["popularity"])["MRR"][-1] == f"{model.provenance_['measured']['metrics']['mrr']:.3f}"
    assert set(columns(page.tables["laws"])["sampler"]) == {"uniform", "warp"}
    last = comparison.runs_of("warp")[0].history
    assert f"warp, epoch {last[-1]['epoch']}" in " ".join(page.tips)


def test_points_say_their_values(compared, tmp_path):
    comparison, _ = compared
    page = report(comparison, tmp_path / "report.html")
    for sampler in comparison.samplers:
        runs = comparison.runs_of(sampler)
        for i in range(2):
            value = np.median([run.history["mrr"][i] for run in runs])
            found = [tip for tip in page.tips if re.match(rf"{sampler}, epoch {i + 1}, .*MRR {value:.4f}", tip)]
            assert len(found) == 2


def test_a_folder_and_its_files(compared, data, tmp_path):
    comparison, model = compared
    comparison.save(tmp_path / "runs.h5")
    page = report(tmp_path, tmp_path / "report.html")
    assert page.headings == [
        "Data",
        "Results",
        "Convergence",
        "By popularity of the label",
        "Best and worst labels",
        "Run it again",
    ]
    assert page.tables["hashes"][1] == ["pairs and names of the data", data.digest()]
    model.save(tmp_path / "model.h5")
    page = report(tmp_path, tmp_path / "report.html")
    assert "Laws of the samplers" in page.headings
    for name in ("runs.h5", "model.h5"):
        assert [name, hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()] in page.tables["hashes"]
    assert ["numba", *[__import__("numba").__version__] * 2] in page.tables["versions"]
    assert ["random_state", "0"] in page.tables["settings"]
    assert "of images and labels" in " ".join(report(tmp_path / "model.h5", tmp_path / "report.html").texts)
    assert "2 samplers, 2 seeds" in " ".join(report(tmp_path / "runs.h5", tmp_path / "report.html").texts)


def test_data_and_what_was_left_out(tmp_path):
    data = AnnotationSet.from_lists([["a", "b"], ["a"], [], ["b", "c"]] + [["a", "b", "c"]] * 4)
    data = data.with_columns(np.array([0, 1, 2]), vse.Vocabulary(["a", "b", "c", "never"], "label"))
    train, _ = vse.leave_one_out(data, rng=0)
    other = AnnotationSet.from_pairs(["0", "0"], ["c", "unknown"])
    page = report(small_model().fit(train), tmp_path / "report.html", data=other)
    texts = "\n".join(page.texts)
    for sentence in (
        "1 image without a label.",
        "1 label without an image.",
        "1 pair of the data set with 1 label that the model does not know.",
        "3 labels without a held-out pair",
    ):
        assert sentence in texts
    assert page.tables["frequent"][1][1] == str(train.label_counts.max())
    assert f"{int((train.label_counts == 0).sum())} label with 0 images" in page.tips


@pytest.mark.parametrize(
    "other", [vse.EaseAnnotator(), vse.PopularityAnnotator()], ids=lambda model: type(model).__name__
)
def test_models_that_are_not_trained_by_steps(other, parts, tmp_path):
    page = report(other.fit(parts[0]), tmp_path / "report.html", data=parts[1])
    assert {"Results", "Examples"} <= set(page.headings)
    assert not {"Training", "Law of the sampler"} & set(page.headings)


def test_without_a_data_set_it_says_what_to_give(model, tmp_path):
    page = report(model, tmp_path / "report.html")
    assert any("Give the data set as well" in text for text in page.texts)
    assert any("Nothing was measured" in text for text in page.texts)


def test_runs_that_say_nothing_but_their_metric(tmp_path):
    history = History()
    history.append({"epoch": 1, "seconds": 0.1, "steps": 10, "mrr": 0.5, "validation_mrr": 0.5})
    settings = {"metric": "mrr", "data": "gone", "samplers": 3, "command": ["no", "text"], "parameters": None}
    comparison = vse.Comparison([vse.Run("mine <b>", "logistic", 0, history)], {}, settings)
    page = report(comparison, tmp_path / "report.html")
    assert page.tables["results"][1][0] == "mine <b>"
    assert any("No command is recorded" in text for text in page.texts)


def test_the_same_run_gives_the_same_bytes(model, parts, tmp_path):
    for name in ("a.html", "b.html"):
        vse.write_report(model, tmp_path / name, data=parts[1])
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_thumbnails_of_a_folder_of_pictures(tmp_path):
    from PIL import Image

    lists = [["red", "warm"], ["blue", "cold"], ["old", "dim"], ["red", "dim", "old"], ["blue", "warm", "cold"]]
    ids = [f"set/{i}.png" for i in range(5)]
    (tmp_path / "set").mkdir()
    for i, image in enumerate(ids[:3]):
        Image.new("RGB", (40, 30), (60 * i, 0, 0)).save(tmp_path / image)
    train, test = vse.leave_one_out(AnnotationSet.from_lists(lists, ids), rng=0)
    page = report(small_model().fit(train), tmp_path / "report.html", data=test, pictures=tmp_path)
    sources = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert len(sources) == 3
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (3, "a report is of a comparison, of a model"),
        ((1, 2), "a report is of a comparison, of a model"),
        ("no-such-file.h5", "no-such-file.h5"),
        ("comparison.json", "name the folder that it is in"),
        (".", "holds neither runs.h5 nor model.h5"),
    ],
)
def test_what_no_report_is_of(run, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "comparison.json").write_text("{}")
    with pytest.raises((InputError, FileFormatError), match=message):
        vse.write_report(run, "report.html")
    assert not (tmp_path / "report.html").exists()


def test_what_does_not_fit_together(compared, model, data, tmp_path):
    comparison, _ = compared
    with pytest.raises(InputError, match=r"ends in '\.txt'; name it \.html"):
        vse.write_report(model, tmp_path / "report.txt")
    with pytest.raises(InputError, match="cannot write"):
        vse.write_report(model, tmp_path / "nowhere" / "report.html")
    with pytest.raises(InputError, match="not the one that was compared on"):
        vse.write_report(compared, tmp_path / "report.html", data=vse.synthetic(60, 12, 240, rng=1))
    data.save(tmp_path / "set.h5")
    with pytest.raises(FileFormatError, match="kind 'annotation-set'; a report is of what"):
        vse.write_report(tmp_path / "set.h5", tmp_path / "report.html")
    comparison.save(tmp_path / "runs.h5")
    model.save(tmp_path / "model.h5")
    with pytest.raises(InputError, match="they are of different data"):
        vse.write_report(tmp_path, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()

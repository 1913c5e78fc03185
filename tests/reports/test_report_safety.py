"""Hostile names are text wherever they stand; the page asks for nothing, and is small."""

from __future__ import annotations

import base64
import hashlib
import re

import numpy as np
import pytest
from report_pages import HOSTILE, Page, hostile_set, small_model

import vsenumba as vse
from vsenumba.data import AnnotationSet
from vsenumba.printable import printable


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    train, test = vse.leave_one_out(hostile_set(), rng=0)
    model = small_model().fit(train)
    model.provenance_["command"] = "vsenumba fit '</script><script>alert(1)</script>' \x1b[31m"
    path = folder / "<b>&.h5"
    model.save(path)
    vse.write_report(path, folder / "report.html", data=test)
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_names_are_text(page):
    shown = {row[0] for row in page.tables["labels"][1:]}
    assert len(shown) > 15
    assert shown <= {printable(name) for name in HOSTILE}
    assert "alert(1)" in "".join(page.texts)
    assert "<b>&.h5" in page.texts


def test_no_name_becomes_markup(page, text):
    assert page.tags.count("script") == 2
    assert page.tags.count("style") == 1
    assert "img" not in page.tags
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name == "style"]
    # Within the data no '<' stands at all, so that nothing can end the element.
    assert "<" not in page.scripts[0]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b]", text)


def test_the_data_say_the_names(page):
    rows = page.copies["labels"]["csv"]["rows"]
    assert any("<script>alert(1)</script>" in row for row in rows)


def test_the_page_allows_nothing_but_its_own(page, text):
    def digest(own):
        return f"'sha256-{base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()}'"

    assert page.policy == (
        f"default-src 'none'; img-src data:; style-src {digest(page.styles[0])}; script-src {digest(page.scripts[1])}; "
        "base-uri 'none'; form-action 'none'"
    )
    assert "http" not in text.replace("http-equiv", "")
    addresses = [value for _, name, value in page.attributes if name in ("href", "src", "action", "data")]
    assert all(address.startswith("#") for address in addresses)
    assert "@import" not in page.styles[0]
    assert "url(" not in page.styles[0]


def test_all_that_is_linked_to_is_there_once(page):
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    named = {value.lstrip("#") for _, name, value in page.attributes if name in ("href", "aria-labelledby")}
    assert named <= set(ids)


def test_landmarks_and_headers(page):
    assert {"header", "nav", "main", "footer"} <= set(page.tags)
    assert page.tags.count("caption") == page.tags.count("table") == len(page.tables)
    assert ("a", "class", "skip") in page.attributes
    assert page.tags.index("a") < page.tags.index("header")


def test_ten_thousand_labels_are_no_large_file(tmp_path):
    rng = np.random.default_rng(0)
    n_labels = 10_000
    labels = np.concatenate([np.arange(n_labels), (n_labels * rng.random(20_000) ** 3).astype(int)])
    images = rng.permutation(len(labels)) % 6_000
    names = [f"a label of many, with a long name {label}" for label in labels]
    data = AnnotationSet.from_pairs([f"pictures/{image:06}.jpg" for image in images], names)
    train, test = vse.leave_one_out(data, rng=0)
    vse.write_report(small_model(n_epochs=1, max_neighbours=0).fit(train), tmp_path / "report.html", data=test)
    assert (tmp_path / "report.html").stat().st_size < 2_000_000
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert sum(map(len, page.tables.values())) < 150


def test_a_long_history_is_no_large_file(tmp_path):
    history = vse.History()
    for epoch in range(1, 2001):
        values = dict.fromkeys(("mrr", "recall@5", "recall@10", "auc", "validation_mrr"), 1 - 1 / epoch)
        history.append({"epoch": epoch, "seconds": 0.1 * epoch, "steps": epoch, "trials": 3.0} | values)
    samplers = ["uniform", "warp", "rank", "adaptive", "adaptive (lam=0.1)", "mine", "yours"]
    runs = [vse.Run(sampler, "logistic", 0, history) for sampler in samplers]
    vse.write_report(vse.Comparison(runs, {}, {"metric": "mrr"}), tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 2_000_000

"""Model cards: every fact comes from the model, and no name breaks out of its place."""

from __future__ import annotations

import html
import re

import pytest
from markdown_it import MarkdownIt
from worlds import WORLDS

import vsenumba as vse
from vsenumba.cli.app import cli
from vsenumba.experiments import Delivery

NASTY = [
    "a|b",
    "`code`",
    "<script>alert(1)</script>",
    "**bold**",
    "[x](http://evil.example)",
    "www.evil.example",
    "&amp;",
]


def fitted(**parameters):
    data = vse.synthetic(60, 12, 240, rng=0)
    return vse.ImageAnnotator(n_factors=4, n_epochs=2, random_state=7, **parameters).fit(data)


def rendered(card):
    """Return the card without its front matter as HTML."""
    return MarkdownIt("commonmark").enable("table").render(card.split("---\n", 2)[2])


def code_of(card):
    (block,) = [token for token in MarkdownIt("commonmark").parse(card) if token.info == "python"]
    return block.content


class TestFacts:
    def test_the_front_matter_is_what_the_hub_reads(self):
        yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
        front = yaml.safe_load(fitted().model_card(license="apache-2.0").split("---\n")[1])
        assert front["library_name"] == "vsenumba"
        assert front["license"] == "apache-2.0"
        assert "image-tagging" in front["tags"]
        assert "license" not in yaml.safe_load(fitted().model_card().split("---\n")[1])

    @pytest.mark.parametrize("licence", ["apache 2.0", "mit\nx: y", "", 3, "MIT: yes"])
    def test_a_licence_that_is_none_is_refused(self, licence):
        with pytest.raises(vse.InputError, match="license must be an identifier of the hub"):
            fitted().model_card(license=licence)

    def test_a_set_of_the_catalogue_brings_its_terms(self):
        card = fitted().model_card(data="corel5k")
        assert "Licence of the data: none stated; research use" in card
        assert "Duygulu" in card
        assert "The file does not name the training data." in fitted().model_card()
        assert "Holiday pictures, mine." in fitted().model_card(data="Holiday pictures, mine.")

    def test_counts_parameters_and_the_seed_are_those_of_the_model(self):
        model = fitted(sampler=vse.AdaptiveSampler(lam=0.25))
        card = model.model_card()
        assert f"- Pairs of an image and a label: {model.seen_.n_pairs:,}" in card
        assert "lam=0.25" in card
        assert "| n\\_factors | 4 |" in card
        assert "- Random seed: 7" in card
        # What stands for a parameter that was left out.
        assert f"| learning\\_rate | {model.chosen('learning_rate')} |" in card

    def test_what_was_held_out_is_said_with_the_scores(self):
        measured = {
            "n_images": 40,
            "n_pairs": 44,
            "of_pairs": 1240,
            "n_epochs": 2,
            "metrics": {"mrr": 0.5, "auc": None},
        }
        model = fitted().fit(vse.synthetic(60, 12, 240, rng=0), callbacks=Delivery(2, measured))
        card = model.model_card()
        assert "44 of 1,240 pairs, of 40 images, were held out" in card
        assert "| mrr | 0.5000 |" in card
        assert "| auc | not defined |" in card

    def test_a_validation_set_is_said_to_be_one(self):
        train, test = vse.leave_one_out(vse.synthetic(60, 12, 240, rng=0), rng=0)
        model = vse.ImageAnnotator(n_factors=4, n_epochs=3, random_state=0).fit(train, validation=test)
        card = model.model_card()
        assert f"| mrr | {model.history_[-1]['mrr']:.4f} |" in card
        assert "after epoch 3, the last" in card
        assert "| trials |" not in card
        stopping = vse.EarlyStopping("mrr", patience=1)
        model = vse.ImageAnnotator(n_factors=4, n_epochs=9, random_state=0)
        model.fit(train, validation=test, callbacks=stopping)
        card = model.model_card()
        assert f"after epoch {stopping.best_epoch_}, the best epoch by mrr" in card
        assert f"| mrr | {stopping.best_value_:.4f} |" in card

    def test_without_a_measurement_it_says_so(self):
        assert "contains no scores" in fitted().model_card()
        assert "contains no scores" in vse.PopularityAnnotator().fit([["a", "b"]]).model_card()

    def test_fit_stores_the_name_of_a_set_in_the_catalogue_and_of_no_other(self, tmp_path, monkeypatch):
        from click.testing import CliRunner

        monkeypatch.chdir(tmp_path)
        words = ["-o", "m.h5", "--epochs", "1", "--set", "max_neighbours=0", "--hold-out", "none"]
        assert CliRunner().invoke(cli, ["fit", "openclipart", *words]).exit_code == 0
        assert "The set `openclipart` of vsenumba's catalogue" in vse.load_model("m.h5").model_card()
        (tmp_path / "secret.csv").write_text("image,label\na,x\na,y\nb,x\nb,z\n")
        assert CliRunner().invoke(cli, ["fit", "secret.csv", *words]).exit_code == 0
        assert "secret" not in vse.load_model("m.h5").model_card()


@pytest.mark.parametrize("name", WORLDS)
def test_the_code_on_the_card_runs(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    model = WORLDS[name].make().fit(WORLDS[name].data)
    (tmp_path / "me" / "model").mkdir(parents=True)
    model.save("me/model/model.h5")
    card = vse.load_model("me/model/model.h5").model_card(repo_id="me/model")
    exec(compile(code_of(card), "card", "exec"), {})  # noqa: S102  # it is our own
    assert capsys.readouterr().out.strip()


class TestNames:
    def test_nothing_but_text_comes_of_names(self):
        plain = rendered(fitted().model_card())
        for name in NASTY:
            shown = rendered(fitted().model_card(data=name, repo_id=f"me/{name}"))
            # The same elements, and the name as it is.
            assert re.findall(r"<[^>]*>", shown) == re.findall(r"<[^>]*>", plain)
            assert html.unescape(shown).count(name) >= 2

    def test_a_line_break_begins_no_heading(self):
        card = fitted().model_card(data="one\n# two\n\n---\nx: y", repo_id="me/one\n## two")
        assert "\n# two" not in card
        assert "\n## two" not in card

    @pytest.mark.parametrize("label", ["```\nrm -rf /", "'; import os; '", '"""', "\u202eabc", "back\\slash"])
    def test_a_label_in_the_code_is_a_text(self, label):
        import ast

        model = vse.PopularityAnnotator().fit([[label, "b"], [label]])
        call = ast.parse(code_of(model.model_card())).body[-1].value.args[0]
        assert label in ast.literal_eval(call.args[0])[0]

    def test_addresses_are_no_links(self):
        card = fitted().model_card(data="see www.evil.example and https://evil.example, mail a@evil.example")
        assert not re.search(r"www\.|https://|a@", card)

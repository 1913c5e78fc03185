"""Plots of the package's objects on axes."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

import vsenumba as vse

TRAIN, TEST = vse.leave_one_out(vse.synthetic(80, 12, 320, rng=0), rng=0)


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(scope="module")
def model():
    return vse.ImageAnnotator(n_factors=4, n_epochs=3, n_threads=1, random_state=0).fit(TRAIN, validation=TEST)


@pytest.fixture(scope="module")
def comparison():
    data = vse.synthetic(80, 12, 320, rng=0)
    names = ["uniform", "adaptive"]
    return vse.compare(data, samplers=names, n_factors=4, n_epochs=2, n_seeds=2, by="popularity")[0]


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def scores(model, by):
    return vse.evaluate(model, TEST, exclude=TRAIN, metrics=["auc", "mrr"], by=by)


class TestAxes:
    def test_pyplots_current_axes_are_used_and_kept_open(self):
        made = vse.plot.popularity(TRAIN)
        assert made is vse.plot.popularity(TEST) is pyplot.gca()
        assert len(made.get_lines()) == 2
        assert len({line.get_color() for line in made.get_lines()}) == 2
        _, (left, right) = pyplot.subplots(1, 2)
        assert vse.plot.popularity(TRAIN) is right
        assert not left.get_lines()

    @pytest.mark.parametrize("axis", ["x", "y"])
    def test_limits_of_a_linear_axis_give_way_to_a_logarithmic_one(self, ax, axis):
        ax.set(**{f"{axis}lim": (0, 3)})
        vse.plot.popularity(TRAIN, ax=ax)
        low, high = getattr(ax, f"get_{axis}lim")()
        least, most = {"x": (1, TRAIN.n_labels), "y": (TRAIN.label_counts.min(), TRAIN.label_counts.max())}[axis]
        assert 0 < low < least
        assert high > most > 3

    def test_given_axes_leave_pyplot_alone(self, ax):
        assert vse.plot.popularity(TRAIN, ax=ax) is ax
        assert pyplot.get_fignums() == []

    @pytest.mark.parametrize("wrong", ["left", np.zeros(2), Figure()])
    def test_what_is_not_axes_is_refused(self, wrong):
        with pytest.raises(vse.InputError, match="ax must be one matplotlib Axes"):
            vse.plot.popularity(TRAIN, ax=wrong)

    def test_names_are_no_formulas(self, ax, model):
        vse.plot.convergence({"_a $x$ \x1b": model}, ax=ax)
        (text,) = ax.get_legend().get_texts()
        assert text.get_text() == "_a $x$ \\x1b"
        assert not text.get_parse_math()
        ax.figure.canvas.draw()


class TestConvergence:
    def test_a_comparison_brings_its_metric_and_its_references(self, ax, comparison):
        vse.plot.convergence(comparison, ax=ax)
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("training time (s)", "MRR")
        assert legend_of(ax)[:2] == ["uniform", "adaptive"]
        assert len(legend_of(ax)) == 2 + len(comparison.references)
        vse.plot.convergence(comparison, metric="auc", references={}, ax=ax)
        assert ax.get_ylabel() == "AUC"
        assert legend_of(ax) == ["uniform", "adaptive"]

    def test_curves_are_the_recorded_values(self, ax, model):
        vse.plot.convergence(model, x="epoch", ax=ax)
        (line,) = ax.get_lines()
        assert line.get_xdata().tolist() == [1, 2, 3]
        assert line.get_ydata() == pytest.approx(model.history_["mrr"])
        assert ax.get_legend() is None

    def test_runs_come_in_many_forms(self, model, comparison):
        for runs in (model.history_, comparison.runs[0], [model, model.history_], {"a": [model], "b": model.history_}):
            ax = vse.plot.convergence(runs, references={"best": 0.5}, ax=Figure().subplots())
            assert len(ax.get_lines()) >= 1 + isinstance(runs, dict)

    def test_without_validation_it_is_the_loss(self, ax):
        model = vse.ImageAnnotator(n_factors=4, n_epochs=2, random_state=0).fit(TRAIN)
        assert vse.plot.convergence(model, ax=ax).get_ylabel() == "Loss"

    def test_what_is_no_run_is_refused(self, model):
        with pytest.raises(vse.InputError, match="a run must be a History"):
            vse.plot.convergence({"ease": vse.EaseAnnotator().fit(TRAIN)})
        with pytest.raises(vse.UnknownNameError, match="unknown x 'steps'"):
            vse.plot.convergence(model, x="steps")
        with pytest.raises(vse.InputError, match="histories is empty"):
            vse.plot.convergence({})
        with pytest.raises(vse.InputError, match="holds no 'ap'"):
            vse.plot.convergence(model, metric="ap")
        assert pyplot.get_fignums() == []


class TestLaw:
    def test_dots_are_the_exact_law_of_the_image(self, ax, model):
        image = TRAIN.image_ids[0]
        vse.plot.law(model, image, sampler="popularity", n_draws=500, ax=ax)
        own = TRAIN.indices[TRAIN.indptr[0] : TRAIN.indptr[1]]
        vectors = model.embed(TRAIN[:1])
        law = vse.PopularitySampler().law(vectors, model.label_factors_, [own], label_counts=TRAIN.label_counts)[0]
        dots = next(line for line in ax.get_lines() if line.get_linestyle() == "None" and len(line.get_xdata()) > 2)
        assert np.sort(dots.get_ydata()) == pytest.approx(np.sort(law[law > 0]), rel=1e-5)
        assert "500 draws" in legend_of(ax)
        assert any(text.startswith("uniform, total variation") for text in legend_of(ax))

    def test_the_models_own_sampler_is_the_default(self, ax, model):
        vse.plot.law(model, TRAIN.image_ids[0], n_draws=10, ax=ax)
        assert any(text.startswith(model.member("sampler").name) for text in legend_of(ax))

    def test_unknown_images_and_unfitted_models_are_refused(self, model):
        with pytest.raises(vse.UnknownNameError, match="nobody"):
            vse.plot.law(model, "nobody")
        with pytest.raises(vse.InputError, match="not fitted"):
            vse.plot.law(vse.ImageAnnotator(), "0")
        assert pyplot.get_fignums() == []


class TestGroups:
    def test_popularity_is_a_line_over_the_ranges(self, ax, model):
        found = scores(model, "popularity")
        vse.plot.groups(found, metric="mrr", ax=ax)
        (line,) = ax.get_lines()
        assert line.get_ydata() == pytest.approx(found.groups.micro["mrr"])
        assert [tick.get_text() for tick in ax.get_xticklabels()] == found.groups.names
        assert ax.get_legend() is None

    def test_labels_are_dots(self, ax, model):
        found = scores(model, "label").groups
        vse.plot.groups({"mine": found, "again": found}, ax=ax)
        line = ax.get_lines()[1]
        assert line.get_xdata() == pytest.approx(found.n_train_pairs)
        assert line.get_ydata() == pytest.approx(found.micro["auc"])
        assert ax.get_ylabel() == "AUC"
        assert legend_of(ax) == ["mine", "again"]

    def test_a_comparison_has_its_references(self, ax, comparison):
        vse.plot.groups(comparison, ax=ax)
        assert set(legend_of(ax)) == {"uniform", "adaptive", *comparison.references}
        values = np.median(comparison.groups["values"]["adaptive"], axis=0)
        line = ax.get_lines()[legend_of(ax).index("adaptive")]
        assert line.get_ydata() == pytest.approx(values)

    def test_what_has_no_groups_or_others_is_refused(self, model, comparison):
        plain = vse.evaluate(model, TEST, exclude=TRAIN)
        with pytest.raises(vse.InputError, match="have no groups"):
            vse.plot.groups(plain)
        with pytest.raises(vse.InputError, match="have no groups"):
            vse.plot.groups({})
        with pytest.raises(vse.InputError, match="groups that differ"):
            vse.plot.groups({"a": scores(model, "label"), "b": scores(model, "popularity")})
        with pytest.raises(vse.UnknownNameError, match="'map'"):
            vse.plot.groups(scores(model, "label"), metric="map")
        with pytest.raises(vse.UnknownNameError, match="'auc'"):
            vse.plot.groups(comparison, metric="auc")
        with pytest.raises(vse.InputError, match="the comparison has no groups"):
            vse.plot.groups(vse.Comparison(comparison.runs, {}, comparison.settings))
        assert pyplot.get_fignums() == []


class TestPopularity:
    def test_counts_fall(self, ax):
        vse.plot.popularity([["a", "b"], ["b"], []], ax=ax)
        (line,) = ax.get_lines()
        assert line.get_ydata().tolist() == [2, 1]
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        ax.figure.canvas.draw()
        assert not any("$" in tick.get_text() for tick in ax.get_xticklabels())

    def test_words_of_a_corpus(self, ax):
        vse.plot.popularity(vse.Corpus.from_sentences([["the", "cat", "the"]]), ax=ax)
        assert ax.get_lines()[0].get_ydata().tolist() == [2, 1]
        assert ax.get_ylabel() == "occurrences of the word"

    def test_nothing_is_refused(self):
        with pytest.raises(vse.InputError, match="no image has a label"):
            vse.plot.popularity([[], []])


def test_figures_are_shown_by_notebooks_without_pyplot():
    figure = vse.plot.contact_sheet(np.zeros((1, 4, 4, 3), np.uint8), ["one"])
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert pyplot.get_fignums() == []

"""Parameters by name on the command line: of the model, of its members, of members of members; variants compared."""

from __future__ import annotations

import json

import pytest
from command_line import SMALL

import vsenumba as vse
from vsenumba.experiments import Comparison, compare, models_to_compare
from vsenumba.losses import SoftmaxLoss
from vsenumba.plotting.style import SAMPLER_LOOKS, looks

FIT = ("fit", "tags.csv", "-o", "m.h5", "--epochs", "1", "--factors", "4")
WORDS = ("words", "fit", "notes.txt", "-o", "m.h5", "--epochs", "1", "--factors", "4", "--min-count", "1")
RETRIEVAL = ("retrieval", "fit", "pictures.h5", "-o", "m.h5", "--epochs", "1", "--factors", "4", "--min-count", "1")


def sets(**settings):
    return [word for name, value in settings.items() for word in ("--set", f"{name.replace('__', '.')}={value}")]


@pytest.mark.parametrize(
    ("words", "parameter", "expected"),
    [
        # Of the default sampler too, which used to be refused.
        ((*FIT, "--set", "lam=0.2"), "sampler", vse.AdaptiveSampler(lam=0.2, n_candidates=None)),
        ((*FIT, *sets(sampler__lam=0.2)), "sampler", vse.AdaptiveSampler(lam=0.2, n_candidates=None)),
        ((*FIT, "--sampler", "warp:max_trials=3", "--loss", "hinge:margin=2"), "loss", vse.HingeLoss(margin=2.0)),
        ((*FIT, "--sampler", "warp:max_trials=3,margin=2"), "sampler", vse.WarpSampler(max_trials=3, margin=2.0)),
        ((*FIT, "--sampler", "uniform", "--loss", "hinge", *sets(loss__margin=2)), "loss", vse.HingeLoss(margin=2.0)),
        ((*FIT, "--sampler", "uniform", *sets(optimiser__initial=0.5)), "optimiser", vse.RowAdagrad(initial=0.5)),
        ((*FIT, "--sampler", "uniform", *sets(l2=0.5)), "l2", 0.5),
        ((*FIT, "--sampler", "uniform", *sets(l2="none")), "l2", None),
        ((*FIT, "--sampler", "uniform", *sets(deterministic="true")), "deterministic", True),
        ((*FIT, "--sampler", "uniform", "--inputs", "labels+ids"), "inputs", ("labels", "ids")),
        ((*WORDS, *sets(sampler__power=0.5)), "sampler", vse.PopularitySampler(power=0.5)),
        ((*RETRIEVAL, *sets(objective__temperature=0.5)), "objective", vse.AdOpt(temperature=0.5)),
        (
            (*RETRIEVAL, "--objective", "lseh", *sets(objective__margin__weight=0.5)),
            "objective",
            vse.LSEH(margin=vse.SemanticMargin(weight=0.5)),
        ),
        (
            (*RETRIEVAL, *sets(objective__negatives="hardest", weight_decay=0.5)),
            "weight_decay",
            0.5,
        ),
        (
            (*RETRIEVAL, "--image-pooling", "top-mean", "--set", "image_pooling.k=2"),
            "image_pooling",
            vse.TopMeanPooling(k=2),
        ),
    ],
    ids=lambda value: " ".join(value[7:]) if isinstance(value, tuple) and len(value) > 6 else None,
)  # fmt: skip
def test_settings_reach_the_model(run, folder, monkeypatch, words, parameter, expected):
    models = []

    def fit(model, *data, **settings):
        models.append(model)
        model.check_parameters()
        raise vse.InputError("the model is all that was wanted")

    for model in (vse.ImageAnnotator, vse.WordEmbedder, vse.CrossModalRetriever):
        monkeypatch.setattr(model, "fit", fit)
    assert "the model is all that was wanted" in run(*words).err
    assert getattr(models[0], parameter) == expected


def test_what_was_set_is_in_the_file(succeeds, folder):
    succeeds(*FIT, "--sampler", "uniform", "--set", "l2=0.5", "--set", "optimiser.initial=0.5")
    model = vse.load_model("m.h5")
    assert (model.l2, model.optimiser) == (0.5, vse.RowAdagrad(initial=0.5))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*FIT, "--set", "lamb=1"), "unknown parameter 'lamb'; did you mean 'lam'"),
        ((*FIT, "--set", "sampler.lamb=1"), "unknown parameter of adaptive 'lamb'; did you mean 'lam'"),
        ((*FIT, "--set", "smpler.lam=1"), "unknown parameter 'smpler'; did you mean 'sampler'"),
        ((*FIT, "--set", "l2.lam=1"), "l2 is 0.001, which has no parameters of its own"),
        ((*FIT, "--set", "sampler.lam.x=1"), "lam of adaptive is 0.1, which has no parameters of its own"),
        ((*FIT, "--set", "sampler.lam=x"), "lam must be a number, not 'x'"),
        ((*FIT, "--set", "sampler.lam=-1"), "lam must be a positive, finite fraction"),
        ((*FIT, "--set", "loss.margin=1"), "logistic has no parameters"),
        (
            (*FIT, "--sampler", "warp", "--loss", "hinge", "--set", "margin=2"),
            "margin is ambiguous; use sampler.margin or loss.margin",
        ),
        ((*FIT[:6], "--set", "n_factors=0"), "n_factors must be a whole number of at least 1, not 0"),
        ((*WORDS, "--set", "power=9"), "power must be from 0 to 4, not 9.0"),
        ((*RETRIEVAL, "--set", "objective.margin.weight=1"), "margin of adopt is 0.2, which has no parameters"),
        ((*RETRIEVAL, "--set", "k=1"), "unknown parameter 'k'"),
        (("compare", "tags.csv", "--out", "c", "--set", "loss.margn=1"), "no parameters"),
    ],
    ids=lambda value: " ".join(value[-1:]) if isinstance(value, tuple) else None,
)
def test_settings_that_fit_nothing_are_named(fails, folder, words, message):
    assert message in fails(*words)


@pytest.mark.parametrize("words", [(*FIT, "--set", "lam"), (*FIT, "--set", "=1"), (*FIT, "--sampler", "warp:margin")])
def test_what_is_no_setting_is_wrong_usage(fails, folder, words):
    assert "is not of the form" in fails(*words, status=2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*FIT, "--set", "n_factors=8"), "n_factors is given twice, with --factors and with --set"),
        ((*FIT, "--seed", "1", "--set", "random_state=2"), "random_state is given twice, with --seed and with --set"),
        ((*WORDS, "--set", "n_epochs=2"), "n_epochs is given twice, with --epochs and with --set"),
        ((*RETRIEVAL, "--set", "n_epochs=2"), "n_epochs is given twice, with --epochs and with --set"),
        (("compare", "tags.csv", "--out", "c", "--set", "n_epochs=2"), "--set cannot set n_epochs; use --epochs"),
        (
            ("compare", "tags.csv", "--out", "c", "--set", "sampler=warp"),
            "--set cannot set sampler; use --sampler",
        ),
    ],
)
def test_what_an_option_gives_is_not_set_again(fails, folder, words, message):
    """Found 2026-11: one of the two was taken without a word."""
    assert message in fails(*words, status=2)


def test_a_setting_sees_what_was_set_before_it(succeeds, folder):
    succeeds(*FIT, "--set", "sampler=warp", "--set", "loss=hinge", "--set", "sampler.max_trials=3")
    assert vse.load_model("m.h5").sampler == vse.WarpSampler(max_trials=3)


COMPARE = ("compare", "tags.csv", "--out", "c", "--epochs", "1", "--factors", "4", "--seeds", "1")


def test_variants_are_compared_and_named(succeeds, folder):
    words = (*COMPARE, "--loss", "logistic")
    variants = ("--sampler", "adaptive", "--sampler", "adaptive:n_candidates=4", "--sampler", "warp:max_trials=3")
    outcome = succeeds(*words, *variants, "--set", "sampler.lam=0.2", "--set", "l2=0.01", "--json")
    document = json.loads(outcome.out)
    names = ["adaptive (lam=0.2)", "adaptive (lam=0.2, n_candidates=4)", "warp (max_trials=3)"]
    assert list(document["samplers"]) == names
    assert list(document["settings"]["samplers"]) == names
    # WARP of whatever parameters is what the speed-up is against.
    assert document["samplers"][names[0]]["speed_up_against_warp"]["of"] == 1
    table = succeeds(*words, *variants, "--force").out
    assert "adaptive (n_candidates=4)" in table
    assert "time of WARP" in table
    assert vse.load_model("c/model.h5").l2 in (None, 0.01)
    assert (folder / "c" / "convergence.png").stat().st_size > 0


def test_samplers_are_compared_by_a_loss_that_a_setting_makes_possible(succeeds, fails, folder):
    """Found 2026-11: models were checked before they were set, and no sampler goes with a softmax of all labels."""
    words = (*COMPARE, "--loss", "softmax")
    samplers = ("--sampler", "uniform", "--sampler", "popularity")
    outcome = succeeds(*words, *samplers, "--set", "loss.n_negatives=3", "--json")
    assert list(json.loads(outcome.out)["samplers"]) == ["uniform", "popularity"]
    assert vse.load_model("c/model.h5").loss == SoftmaxLoss(n_negatives=3)
    assert "leave out sampler and n_negatives, or set the loss's own" in fails(*words, *samplers, "--force")
    assert "which the sampler warp does not provide" in fails(
        *words, "--force", "--sampler", "warp", "--set", "loss.n_negatives=3"
    )


def test_compare_takes_nested_parameters_in_python():
    data = vse.synthetic(40, 8, 160, rng=0)
    comparison, model = compare(
        data, samplers=["uniform", vse.WarpSampler(max_trials=3)], n_epochs=1, n_seeds=1, n_factors=4, loss="hinge",
        sampler__margin=0.5, loss__margin=2,
    )  # fmt: skip
    # Of those that have it.
    assert comparison.samplers == ["uniform", "warp (max_trials=3, margin=0.5)"]
    assert {run.loss for run in comparison.runs} == {"hinge (margin=2)"}
    assert model.loss == vse.HingeLoss(margin=2)


def test_the_same_sampler_twice_is_refused():
    with pytest.raises(vse.InputError, match="can appear only once in a comparison, found uniform, uniform"):
        models_to_compare(samplers=["uniform", vse.UniformSampler()])
    with pytest.raises(vse.InputError, match="uniform has no parameters"):
        models_to_compare(samplers=["uniform"], sampler__lam=0.1)


def test_a_variant_keeps_what_it_was_given():
    models = models_to_compare(samplers=["adaptive", vse.AdaptiveSampler(lam=0.3)], sampler__lam=0.1)
    assert [model.sampler.lam for model in models] == [0.1, 0.3]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sampler": "warp"}, "list them in `samplers`"),
        ({"samplers": "uniform"}, "samplers must be a list"),
        ({"samplers": []}, "samplers must be a list"),
        ({"random_state": None}, "random_state must be a whole number"),
        ({"data": "tags.csv"}, "there is no file tags.csv"),
    ],
)
def test_what_compare_cannot_use_is_named(settings, message):
    settings = {"data": vse.synthetic(40, 8, 160, rng=0), "n_epochs": 1, "n_seeds": 1} | settings
    with pytest.raises(vse.InputError, match=message):
        compare(settings.pop("data"), **settings)


def test_a_comparison_with_members_is_saved(tmp_path):
    """Found 2026-11: a member among the settings was no JSON, and the comparison was lost when it was saved."""
    data = vse.synthetic(40, 8, 160, rng=0)
    comparison, _ = compare(
        data, samplers=["uniform"], n_epochs=1, n_seeds=1, n_factors=4, optimiser=vse.RowAdagrad(initial=0.2)
    )
    comparison.save(tmp_path / "c.h5")
    settings = Comparison.load(tmp_path / "c.h5").settings
    assert settings["parameters"]["optimiser"] == {"name": "adagrad", "initial": 0.2}


def test_variants_look_like_their_sampler_and_not_like_each_other():
    names = ["adaptive", "adaptive (lam=0.1)", "adaptive (lam=0.2)", "warp (max_trials=3)", "mine"]
    found = looks(names)
    assert {found[name].color for name in names[:3]} == {SAMPLER_LOOKS["adaptive"].color}
    assert len({found[name] for name in names}) == 5
    assert found["warp (max_trials=3)"] == SAMPLER_LOOKS["warp"]


def test_a_variant_looks_the_same_in_all_panels():
    """Found 2026-11: beside the samplers that try many labels, a variant had the look of its sampler."""
    from vsenumba.plotting import convergence_figure

    def history(trials):
        history = vse.History()
        for epoch in (1, 2, 3):
            history.append({"epoch": epoch, "seconds": 0.1 * epoch, "mrr": 0.1 * epoch, "trials": trials})
        return [history]

    figure = convergence_figure({"adaptive": history(1.0), "adaptive (lam=0.1)": history(4.0)})
    shown = [{line.get_label(): line.get_marker() for line in panel.lines} for panel in figure.axes]
    assert [set(panel) for panel in shown] == [set(shown[0])] * 3
    assert len({panel["adaptive (lam=0.1)"] for panel in shown}) == 1


def test_help_says_what_the_table_says(succeeds):
    text = " ".join(succeeds("fit", "--help").out.split())
    assert "Loss to minimise. [default: depends on the inputs]" in text
    assert "Weight decay per step. [default: depends on the inputs, sampler, loss and optimiser]" in text
    assert "[ids|labels|features]" in text
    assert SMALL

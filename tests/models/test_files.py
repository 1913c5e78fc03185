"""Models in files: every kind, every random state, members of every family, and of one's own."""

from __future__ import annotations

import json

import numpy as np
import pytest
from checkerboards import PLAIN, checkerboard, model_of
from golden_files import golden_path

import vsenumba as vse
from vsenumba.models import MODELS
from vsenumba.samplers import SAMPLERS


@pytest.mark.parametrize("random_state", [np.random.default_rng(3), np.random.SeedSequence(4), None, 2**100])
def test_every_kind_of_random_state_can_be_saved(random_state, tmp_path):
    model = model_of(random_state=random_state).fit(checkerboard())
    model.save(tmp_path / "m.h5")
    loaded = vse.load_model(tmp_path / "m.h5")
    assert loaded.seed_entropy_ == model.seed_entropy_
    assert np.array_equal(loaded.label_factors_, model.label_factors_)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_models_members_survive_as_json(name):
    model = model_of(sampler=SAMPLERS[name](), loss=vse.HingeLoss(margin=0.5), optimiser=vse.Sgd())
    parameters = model.get_params(deep=False)
    kinds = model.PARAMETERS
    text = json.dumps({name: kinds[name].to_json(value) for name, value in parameters.items()})
    assert {name: kinds[name].from_json(value) for name, value in json.loads(text).items()} == parameters


def test_a_models_members_survive_saving(tmp_path):
    model = model_of(loss=vse.HingeLoss(margin=0.5), optimiser=vse.Sgd())
    model.fit(checkerboard()).save(tmp_path / "m.h5")
    assert vse.load_model(tmp_path / "m.h5").get_params() == model.get_params()


def test_a_model_file_of_version_1_still_loads():
    model = vse.load_model(golden_path("model", 1))
    assert model.sampler == vse.AdaptiveSampler(lam=0.05)
    assert model.annotate(["a"])[0] == [("dog", pytest.approx(0.5 / 2**0.75))]
    assert model.fold_in([["猫"]]).tolist() == [[0.5, 0.5]]
    assert model.history_["epoch"].tolist() == [1, 2]
    assert model.seed_entropy_ == 7


def test_all_kinds_can_be_loaded(tmp_path):
    captioned = vse.CaptionSet.from_lists(np.eye(2), ["a cat", "a dog"])
    settings = {
        vse.ImageAnnotator: PLAIN,
        vse.CrossModalRetriever: {"n_factors": 2, "min_count": 1, "n_epochs": 1, "random_state": 0},
    }
    data = {vse.WordEmbedder: [["a", "b"]], vse.CrossModalRetriever: captioned}
    for kind, cls in MODELS.items():
        model = cls(**settings.get(cls, {}))
        model.fit(data.get(cls, checkerboard())).save(tmp_path / f"{kind}.h5")
        assert type(vse.load_model(tmp_path / f"{kind}.h5")) is cls

"""Models with a sampler, a loss or a pooling that a user wrote: in files they are names, and never taken for others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from checkerboards import checkerboard, model_of

import vsenumba as vse
from vsenumba.losses import Loss
from vsenumba.losses.logistic import LogisticState


@dataclass(frozen=True, kw_only=True)
class MildSampler(vse.PopularitySampler):
    """A sampler with a name of its own."""

    power: float = 0.25
    name: ClassVar[str] = "mild"


@dataclass(frozen=True, kw_only=True)
class Namesake(vse.PopularitySampler):
    """A sampler of one's own that bears the name of one of the package's."""

    power: float = 3.0


@dataclass(frozen=True, kw_only=True)
class OwnLoss(Loss):
    name: ClassVar[str] = "own"

    def state(self, n_labels):
        return LogisticState(0.0)


@dataclass(frozen=True, kw_only=True)
class OwnPooling(vse.MeanPooling):
    name: ClassVar[str] = "own-mean"


def saved(tmp_path, **parameters):
    model = model_of(**parameters).fit(checkerboard())
    model.save(tmp_path / "m.h5")
    return model, tmp_path / "m.h5"


@pytest.mark.parametrize(
    ("parameters", "member"),
    [
        ({"sampler": MildSampler(power=0.5)}, MildSampler),
        ({"sampler": Namesake()}, Namesake),
        ({"loss": OwnLoss()}, OwnLoss),
    ],
)
def test_a_model_loads_when_the_class_is_handed_in(tmp_path, parameters, member):
    model, path = saved(tmp_path, **parameters)
    # It used to advise an update.
    with pytest.raises(vse.FileFormatError, match=rf"members=\[{member.__name__}\]\)"):
        vse.load_model(path)
    loaded = vse.load_model(path, members=[member])
    name = next(iter(parameters))
    assert getattr(loaded, name) == parameters[name]
    assert type(getattr(loaded, name)) is member
    data = checkerboard()
    assert np.array_equal(loaded.score_block(data, np.arange(3)), model.score_block(data, np.arange(3)))
    # It trains on with the member it was made with.
    assert len(loaded.partial_fit(data).history_) == len(model.history_) + 1


def test_a_pooling_of_ones_own(tmp_path):
    data = vse.CaptionSet.from_lists(np.eye(4), ["a cat", "a dog", "a fish", "a bird"])
    settings = {"n_factors": 4, "min_count": 1, "n_epochs": 1, "n_threads": 1, "random_state": 0}
    model = vse.CrossModalRetriever(image_pooling=OwnPooling(), **settings).fit(data)
    model.save(tmp_path / "m.h5")
    with pytest.raises(vse.FileFormatError, match="the pooling 'own-mean' is of the user-defined class OwnPooling"):
        vse.load_model(tmp_path / "m.h5")
    loaded = vse.load_model(tmp_path / "m.h5", members=[OwnPooling, MildSampler])
    assert np.array_equal(loaded.embed_images(data), model.embed_images(data))


def test_what_is_handed_in_are_classes(tmp_path):
    _, path = saved(tmp_path)
    with pytest.raises(vse.InputError, match="members must be classes, not MildSampler"):
        vse.load_model(path, members=[MildSampler()])
    with pytest.raises(vse.InputError, match="expect must be a model class"):
        vse.load_model(path, expect=int)


def test_one_class_needs_no_list(tmp_path):
    _, path = saved(tmp_path, sampler=MildSampler())
    assert vse.load_model(path, members=MildSampler).sampler == MildSampler()


def test_a_namesake_is_not_taken_for_the_packages_own(tmp_path):
    """Found 2026-11: a class handed in took the place of the package's where they had one name."""
    _, path = saved(tmp_path, sampler=vse.PopularitySampler())
    assert type(vse.load_model(path, members=[Namesake]).sampler) is vse.PopularitySampler


def test_a_member_of_a_newer_version_asks_for_an_update_too(tmp_path):
    from vsenumba import storage

    _, path = saved(tmp_path, sampler=vse.AdaptiveSampler())
    elements = storage.read_file(path, "model").elements
    plain = {name: elements.pop(name) for name in ("class", "seed", "about", "parameters")}
    for sampler, message in (
        ({"name": "psychic"}, "does not know the sampler 'psychic'; if it is your own class, pass it with"),
        ({"name": "adaptive", "telepathy": 1}, "this version cannot use the parameters of .*pip install -U vsenumba"),
        ({"name": "adaptive", "lam": "x"}, "this version cannot use the parameters"),
        ({"name": ["x"]}, "this version does not know"),
    ):
        plain["parameters"]["sampler"] = sampler
        storage.write_file(
            tmp_path / "new.h5", "model", {**{k: storage.Json(v) for k, v in plain.items()}, **elements}
        )  # fmt: skip
        with pytest.raises(vse.FileFormatError, match=message):
            vse.load_model(tmp_path / "new.h5")

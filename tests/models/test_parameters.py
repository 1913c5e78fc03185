"""Parameters: checked by the same rules in all models, set by name, read from text."""

from __future__ import annotations

import pytest
from checkerboards import checkerboard, model_of

import vsenumba as vse


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_factors": 0}, "n_factors must be a whole number"),
        ({"n_epochs": 1.5}, "n_epochs must be a whole number"),
        ({"n_negatives": True}, "n_negatives must be a whole number"),
        ({"learning_rate": 0}, "learning_rate must be positive"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive"),
        ({"l2": -1}, "l2 must be finite"),
        ({"device": "tpu"}, "unknown device 'tpu'"),
        ({"inputs": "pixels"}, "unknown inputs 'pixels'"),
        ({"sampler": "adaptve"}, "did you mean 'adaptive'"),
        ({"loss": 3}, "loss must be a name or an instance of Loss"),
        ({"schedule": "never"}, "unknown schedule 'never'"),
        ({"random_state": "seed"}, "random_state must be"),
        ({"n_threads": 0}, "n_threads must be"),
    ],
)
def test_bad_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(vse.VsenumbaError, match=message):
        model_of(**parameters).fit(checkerboard())

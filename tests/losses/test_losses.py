"""Every loss: value and slope against the oracle, and the slope against finite differences."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsenumba.errors import InputError, UnknownNameError
from vsenumba.losses import LOSSES, as_loss


def expected(name, difference, trials, n_labels):
    if name in ("logistic", "softmax"):
        return oracle.logistic(difference)
    return oracle.hinge(difference) if name == "hinge" else oracle.warp(difference, trials, n_labels)


@pytest.mark.parametrize("name", LOSSES)
class TestEveryLoss:
    @given(difference=st.floats(-1e4, 1e4), trials=st.integers(1, 40), n_labels=st.integers(1, 30))
    def test_value_and_slope(self, name, difference, trials, n_labels):
        values, slopes = LOSSES[name]().value_and_grad([difference], n_labels, trials)
        value, slope = expected(name, difference, trials, n_labels)
        assert values[0] == pytest.approx(value, rel=1e-9, abs=1e-12)
        assert slopes[0] == pytest.approx(slope, rel=1e-9, abs=1e-12)

    @given(difference=st.floats(-20, 20).filter(lambda d: abs(d - 1) > 1e-3))
    def test_slope_is_the_derivative(self, name, difference):
        step = 1e-5
        (below, above), _ = LOSSES[name]().value_and_grad([difference - step, difference + step])
        _, (slope,) = LOSSES[name]().value_and_grad([difference])
        assert slope == pytest.approx((above - below) / (2 * step), abs=1e-5)

    def test_loss_never_pays_for_a_wrong_order(self, name):
        values, slopes = LOSSES[name]().value_and_grad(np.linspace(-5, 5, 101))
        assert (values >= 0).all()
        assert (slopes <= 0).all()
        assert (np.diff(values) <= 0).all()

    def test_nan_stays_nan(self, name):
        values, _ = LOSSES[name]().value_and_grad([np.nan])
        assert np.isnan(values[0])

    def test_by_name(self, name):
        assert as_loss(name) == LOSSES[name]()


@pytest.mark.parametrize("name", ["hinge", "warp"])
@pytest.mark.parametrize("margin", [0, -1, float("nan"), float("inf")])
def test_bad_margins_are_refused(name, margin):
    with pytest.raises(InputError, match="margin must be positive and finite"):
        LOSSES[name](margin=margin)


def test_an_unknown_loss_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown loss 'hing'; did you mean 'hinge'"):
        as_loss("hing")


def test_the_warp_weight_falls_with_the_number_of_trials():
    values = [LOSSES["warp"]().value_and_grad([0.0], 1000, trials)[0][0] for trials in (1, 2, 10, 1000, 5000)]
    assert values[0] == 1
    assert values == sorted(values, reverse=True)
    assert values[-1] > 0

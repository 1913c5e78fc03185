"""Pairwise losses: functions of the positive's score less the negative's."""

from __future__ import annotations

from vsenumba.losses.hinge import HingeLoss
from vsenumba.losses.logistic import LogisticLoss
from vsenumba.losses.loss import Loss, value_and_slope
from vsenumba.losses.warp import WarpLoss
from vsenumba.registry import member

LOSSES: dict[str, type[Loss]] = {loss.name: loss for loss in (LogisticLoss, HingeLoss, WarpLoss)}


def as_loss(loss: Loss | str) -> Loss:
    """Return a loss as it is, or the one of that name with its default parameters; see `registry.member`."""
    return member("loss", loss, Loss, LOSSES)  # type: ignore[type-abstract]  # the base only names the family


__all__ = ["LOSSES", "HingeLoss", "LogisticLoss", "Loss", "WarpLoss", "as_loss", "value_and_slope"]

"""Losses of the difference between the scores of a positive and its negatives."""

from __future__ import annotations

from vsenumba.losses.hinge import HingeLoss
from vsenumba.losses.logistic import LogisticLoss
from vsenumba.losses.loss import Loss, value_and_grad
from vsenumba.losses.softmax import SoftmaxLoss
from vsenumba.losses.warp import WarpLoss
from vsenumba.registry import Family

as_loss = Family("loss", Loss, (LogisticLoss, HingeLoss, WarpLoss, SoftmaxLoss))  # type: ignore[type-abstract]  # names the family
LOSSES = as_loss.members

__all__ = ["LOSSES", "HingeLoss", "LogisticLoss", "Loss", "SoftmaxLoss", "WarpLoss", "as_loss", "value_and_grad"]

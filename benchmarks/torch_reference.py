"""Poolings and objectives of image-text retrieval in PyTorch, on padded tensors, as in the code of their authors.

A tensor has the shape (items, longest, d), with a mask of the real rows. The package works on segments without padding
and computes its gradients without PyTorch, so this is an independent reference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.nn import functional

Parameters = Mapping[str, torch.Tensor]


def padded(rows: torch.Tensor, offsets: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Return rows as (items, longest, d), padded with zeros, and the mask of the real rows."""
    lengths = torch.as_tensor(np.diff(offsets))
    items = torch.nn.utils.rnn.pad_sequence(torch.split(rows, lengths.tolist()), batch_first=True)
    return items, torch.arange(items.shape[1]) < lengths[:, None]


def ranked(items: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return every column in descending order, with zeros after the real rows."""
    values = items.masked_fill(~mask[..., None], -math.inf).sort(dim=1, descending=True).values
    return values.masked_fill(~mask[..., None], 0)


def mean(items: torch.Tensor, mask: torch.Tensor, parameters: Parameters, settings: Any) -> torch.Tensor:
    """Pool by the mean."""
    return (items * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)


def largest(items: torch.Tensor, mask: torch.Tensor, parameters: Parameters, settings: Any) -> torch.Tensor:
    """Pool by the maximum."""
    return items.masked_fill(~mask[..., None], -math.inf).max(dim=1).values


def top_mean(items: torch.Tensor, mask: torch.Tensor, parameters: Parameters, settings: Any) -> torch.Tensor:
    """Pool by the mean of the k largest."""
    counted = mask.sum(dim=1, keepdim=True).clamp(max=settings.k)
    return ranked(items, mask)[:, : settings.k].sum(dim=1) / counted


def gpo(items: torch.Tensor, mask: torch.Tensor, parameters: Parameters, settings: Any) -> torch.Tensor:
    """Pool with learnt weights of the ranks."""
    width = parameters["code_weights"].shape[0]
    powers = 10_000 ** (torch.arange(0, width, 2) / width)
    angles = torch.arange(items.shape[1])[:, None] / powers
    codes = torch.cat([angles.sin(), angles.cos()], dim=1)
    hidden = functional.relu(codes @ parameters["code_weights"] + parameters["code_bias"])
    logits = (hidden @ parameters["rank_weights"] / settings.temperature).expand(mask.shape)
    weights = logits.masked_fill(~mask, -math.inf).softmax(dim=1)
    return (weights[..., None] * ranked(items, mask)).sum(dim=1)


def adpool(items: torch.Tensor, mask: torch.Tensor, parameters: Parameters, settings: Any) -> torch.Tensor:
    """Pool adaptively."""
    values, absent = ranked(items, mask), ~mask[..., None]
    own = (values.masked_fill(absent, -math.inf).softmax(dim=1) * values).sum(dim=1)
    logits = functional.relu(functional.linear(values, parameters["token_weights"], parameters["token_bias"]))
    if settings.padding == "masked":
        logits = logits.masked_fill(absent, -math.inf)
    token = (logits.softmax(dim=1) * values).sum(dim=1)
    scores = torch.stack([token @ parameters["mix_weights"], own @ parameters["mix_weights"]], dim=1)
    mix = scores.softmax(dim=1)
    return mix[:, :1] * token + mix[:, 1:] * own


POOLINGS = {"mean": mean, "max": largest, "top-mean": top_mean, "gpo": gpo, "adpool": adpool}


def margins_of(objective: Any, scores: torch.Tensor, semantics: torch.Tensor | None) -> torch.Tensor:
    """Return the margins of all pairs."""
    if not objective.needs_semantics:
        return torch.full_like(scores, objective.margin)
    products = semantics @ semantics.T
    largest = products.max(dim=1, keepdim=True).values
    return objective.margin.base + objective.margin.weight * products / largest.masked_fill(largest == 0, 1)


def objective_loss(
    objective: Any, scores: torch.Tensor, same: torch.Tensor, group_size: int, semantics: torch.Tensor | None
) -> torch.Tensor:
    """Return the loss of an objective of the package, given the number of negatives of a query."""
    margins = margins_of(objective, scores, semantics)
    total = scores.new_zeros(())
    for queries, asked, absent in ((scores, margins, same), (scores.T, margins.T, same.T)):
        matches = queries.diagonal()
        others = (queries + asked).masked_fill(absent | torch.eye(len(queries), dtype=torch.bool), -math.inf)
        negatives = others.topk(min(group_size, len(queries) - 1), dim=1).values
        if hasattr(objective, "temperature"):
            logits = torch.cat([matches[:, None], negatives], dim=1) / objective.temperature
            total = total + (logits.logsumexp(dim=1) - logits[:, 0]).mean() / 2
        else:
            total = total + functional.relu(negatives - matches[:, None]).sum()
    return total

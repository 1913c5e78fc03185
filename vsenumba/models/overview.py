"""The overview of a model in a notebook: its parameters, its training data and its training."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from vsenumba import html
from vsenumba.errors import VsenumbaError
from vsenumba.models.unfitted import NotFittedError, check_is_fitted
from vsenumba.registry import Member
from vsenumba.training.history import validation_names


def model_html(model: Any) -> html.Html:
    """Return the overview of any model."""
    try:
        check_is_fitted(model)
    except NotFittedError:
        return html.panel(type(model).__name__, "not fitted", *_parameters(model, fitted=False))
    facts = html.facts(_learnt_from(model) | _training(model) | _learnt(model))
    return html.panel(type(model).__name__, "fitted", facts, *_parameters(model, fitted=True))


def _parameters(model: Any, *, fitted: bool) -> list[html.Html]:
    """Return a table of the parameters that differ from their defaults, and a collapsed table of the others."""
    signature = inspect.signature(type(model).__init__).parameters
    changed, left = [], []
    for name, value in model.get_params(deep=False).items():
        shown, default = _shown(model, name, value, fitted), signature[name].default
        # Compare like scikit-learn, because == on arrays does not give one truth value.
        if repr(value) == repr(default):
            left.append((name, shown))
        else:
            changed.append((html.Html(f"<strong>{html.text(name)}</strong>"), shown, _plain(default)))
    tables = [html.table(changed, ("changed parameter", "value", "default"))]
    if left:
        n = f"{len(left)} parameter{'s' * (len(left) != 1)} at {'their defaults' if len(left) > 1 else 'its default'}"
        tables.append(html.details(n, html.table(left)))
    return tables


def _shown(model: Any, name: str, value: Any, fitted: bool) -> str:
    meaning = getattr(model.PARAMETERS.get(name), "none", None)
    if value is not None or meaning is None:
        return _plain(value)
    if fitted:
        try:
            chosen = model.chosen(name)
        except VsenumbaError:  # another parameter has an invalid value, which is shown too
            chosen = None
        if chosen is not None:
            return f"{_plain(chosen)} ({meaning})"
    return f"None ({meaning})"


def _plain(value: Any) -> str:
    # Show numbers without commas, as you type them.
    return " + ".join(value) if isinstance(value, tuple) else str(value) if isinstance(value, Member) else f"{value}"


def _learnt_from(model: Any) -> dict[str, str]:
    seen = getattr(model, "seen_", None)
    if seen is not None:
        return {"learnt from": f"{seen.n_images:,} images, {seen.n_labels:,} labels, {seen.n_pairs:,} pairs"}
    about: Mapping[str, Any] = getattr(model, "provenance_", {})
    if "n_captions" in about:
        return {"learnt from": f"{about['n_images']:,} images, {about['n_captions']:,} captions"}
    words = getattr(model, "words_", None)
    return {} if words is None else {"learnt from": f"text of {len(words):,} different words"}


def _training(model: Any) -> dict[str, Any]:
    """Return the length of the training, and the last metrics."""
    history: Any = getattr(model, "history_", None)
    if not history:
        return {}
    last = history[-1]
    values = {
        "trained": f"{len(history):,} epoch{'s' * (len(history) != 1)} in {html.number(float(last['seconds']))} s"
    }
    for name in ("loss", *validation_names(history.columns)):
        if name in last:
            values[name] = html.Html(f"{html.number(float(last[name]))} {html.curve(history[name])}")
    if model.best_epoch_:
        values["best epoch"] = f"{model.best_epoch_:,}, by {model.best_.metric}"
    return values


def _learnt(model: Any) -> dict[str, Any]:
    tables = getattr(model, "tables_", {})
    values: dict[str, Any] = {}
    if tables:
        values["parameters learnt"] = sum(table.size for table in tables.values())
    weights = getattr(getattr(model, "pairs_", None), "weights", getattr(model, "weights_", None))
    if weights is not None:
        values["weights between labels"] = int(getattr(weights, "nnz", weights.size))
    return values

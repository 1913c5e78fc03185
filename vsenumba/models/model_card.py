"""Model cards in Markdown: purpose, training data, scores and limitations of a model."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from vsenumba.data.annotation.catalogue import DATASETS
from vsenumba.errors import InputError, UnknownNameError
from vsenumba.evaluation.metrics import parse_metric
from vsenumba.models.parameters import MemberOf
from vsenumba.printable import printable
from vsenumba.storage.provenance import provenance

# Characters with a meaning in Markdown or HTML, and those that turn addresses into links.
_MARKUP = re.compile(r"([\\`*_\[\]<>#|&~$@]|(?<=www)\.|:(?=//))", flags=re.IGNORECASE)
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]*")

# For each subject of a model: its purpose, its tags on the hub, and its limitations.
_ABOUT: Mapping[str, Mapping[str, Any]] = {
    "images and labels": {
        "does": "It suggests labels for images: the labels that an image should have rank first.",
        "tags": ("image-tagging", "multi-label-classification", "embeddings"),
        "limits": (
            "It knows only the labels that it was trained on.",
            "Its suggestions reflect the habits, gaps and biases of the people who labelled the training images.",
            "Scores rank the labels of one image. They are not probabilities, and not comparable between models.",
            "The file contains the ids and labels of the training images. Anyone who has the file can read them.",
        ),
    },
    "words": {
        "does": "It represents words by vectors: words in similar contexts have similar vectors.",
        "tags": ("word-embeddings", "embeddings"),
        "limits": (
            "It knows only the words that it was trained on, and has one vector for all meanings of a word.",
            "Its vectors reflect the training text, including the habits and prejudices of its authors.",
        ),
    },
    "images and captions": {
        "does": "It finds images for captions and captions for images.",
        "tags": ("image-text-retrieval", "embeddings"),
        "limits": (
            "It needs image features, not pictures. They must come from the same network as the training features.",
            "All words that were rare in the training captions count as one unknown word.",
            "Its results reflect the habits and biases of the people who wrote the training captions.",
        ),
    },
}

# The validation metrics of a retriever.
_RETRIEVAL_METRIC = re.compile("rsum|i2t_.*|t2i_.*")


def model_card(model: Any, *, repo_id: str | None, data: str | None, license: str | None) -> str:
    """Return the card of a fitted model; see `vsenumba.models.sharing.Shared.model_card`."""
    about = _ABOUT[model.subject]
    title = repo_id.rpartition("/")[2] if repo_id else type(model).__name__
    parts = [
        _front_matter(("vsenumba", *about["tags"]), license),
        f"# {_plain(title)}",
        f"A model of {model.subject}, made with vsenumba. {about['does']}",
        "## How to use it",
        _code(model, repo_id or "user/name"),
        "## What it was trained on",
        _data(model, data),
        "## Parameters",
        _parameters(model),
        "## How it was measured",
        _scores(model),
        "## How it was made",
        _origin(model),
        "## Limitations",
        "\n".join(f"- {limit}" for limit in about["limits"]),
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(tags: Iterable[str], license: str | None) -> str:
    """Return the metadata that the hub reads."""
    lines = ["---", "library_name: vsenumba"]
    if license is not None:
        if not isinstance(license, str) or not _LICENCE.fullmatch(license):
            raise InputError(f"license must be an identifier of the hub, such as 'apache-2.0', not {license!r}")
        lines.append(f"license: {license}")
    return "\n".join([*lines, "tags:", *(f"- {tag}" for tag in tags), "---"])


def _code(model: Any, repo_id: str) -> str:
    """Return code that installs the package, and loads and uses the model, with names that the model knows."""
    # A subclass outside the package is loaded as its base class.
    name = next(one.__name__ for one in type(model).__mro__ if one.__module__.startswith("vsenumba."))
    members = {type(model.member(name)) for name, one in model.PARAMETERS.items() if _is_member(model, name, one)}
    own = sorted(one.__name__ for one in members if not one.__module__.startswith("vsenumba."))
    handed = f", members=[{', '.join(own)}]" if own else ""
    lines = ["import vsenumba as vse", ""]
    lines += (
        [f"# {' and '.join(own)}: not in the file, which contains no code. Ask the author for them."] if own else []
    )
    lines.append(f"model = vse.{name}.from_pretrained({repo_id!r}{handed})")
    if model.subject == "images and labels":
        order = model.seen_.label_counts.argsort(kind="stable")[::-1]
        known = [model.label_names_[int(column)] for column in order[:2]]
        lines.append(f"print(model.annotate([{known!r}]))  # an image with these known labels")
    elif model.subject == "words":
        lines.append(f"print(model.neighbors({model.words_[int(model.counts_.argmax())]!r}))")
    elif model.words_ is not None:
        lines.append('print(model.embed_captions(["a caption of your own"]))')
    return '```sh\npip install "vsenumba[hub]"\n```\n\n```python\n' + "\n".join(lines) + "\n```"


def _data(model: Any, data: str | None) -> str:
    """Return the known facts about the training data: its name, licence and size."""
    about = getattr(model, "provenance_", {})
    data = about.get("data") if data is None else data
    lines = []
    if data in DATASETS:
        entry = DATASETS[data]
        lines += [
            f"The set `{entry.name}` of vsenumba's catalogue: {_plain(entry.description)}.",
            "",
            f"- Licence of the data: {_plain(entry.licence)}",
            f"- Source: {_plain(entry.source)}",
        ]
        lines += [f"- Citation: {_plain(entry.citation)}"] if entry.citation else []
    elif data is not None:
        lines += [_plain(data), ""]
    else:
        lines += ["The file does not name the training data.", ""]
    return "\n".join([*lines, *(f"- {name}: {count:,}" for name, count in _counts(model).items())])


def _counts(model: Any) -> dict[str, int]:
    """Return the size of the training data."""
    if model.subject == "images and labels":
        seen = model.seen_
        return {"Images": seen.n_images, "Labels": seen.n_labels, "Pairs of an image and a label": seen.n_pairs}
    if model.subject == "words":
        return {"Words": len(model.words_), "Occurrences of these words": int(model.counts_.sum())}
    return {"Images": model.provenance_["n_images"], "Captions": model.provenance_["n_captions"]}


def _parameters(model: Any) -> str:
    """Return a table of the parameters, with the values that the model chose for those left to their default."""
    rows = []
    for name, parameter in model.PARAMETERS.items():
        if parameter.in_file:
            value = model.member(name) if _is_member(model, name, parameter) else parameter.to_json(model.chosen(name))
            rows.append((name, str(value), parameter.meaning))
    return _table(("parameter", "value", "meaning"), rows)


def _is_member(model: Any, name: str, parameter: Any) -> bool:
    return isinstance(parameter, MemberOf) and model.chosen(name) is not None


def _scores(model: Any) -> str:
    """Return the scores and their test data: the pairs that `vsenumba fit` held out, or else the validation set."""
    measured = getattr(model, "provenance_", {}).get("measured")
    if measured is not None:
        text = (
            f"{measured['n_pairs']:,} of {measured['of_pairs']:,} pairs, of {measured['n_images']:,} images, were held "
            "out. A model with the same parameters was trained without them, and these are its scores over the full "
            "ranking of all labels. They are slightly optimistic if these pairs also chose the number of epochs. "
            "This model was then trained on all pairs."
        )
        values = measured["metrics"]
    else:
        epoch, values = _validated(model)
        if not values:
            return "The model file contains no scores."
        best = getattr(model, "best_", None)
        which = (
            "the last" if best is None else f"the best epoch by {_plain(best.metric)}, so they are slightly optimistic"
        )
        text = (
            f"These are the scores on a validation set after epoch {epoch}, {which}. The file does not contain the "
            "size of that set."
        )
    return f"{text}\n\n{_table(('metric', 'value'), [(name, _value(value)) for name, value in values.items()])}"


def _validated(model: Any) -> tuple[int, dict[str, float]]:
    """Return the epoch of the model's tables, and the validation metrics after it, if there are any."""
    if not len(getattr(model, "history_", ())):
        return 0, {}
    epoch = model.best_epoch_ or int(model.history_[-1]["epoch"])
    record = next(record for record in model.history_ if record["epoch"] == epoch)
    return epoch, {name: value for name, value in record.items() if _is_metric(name)}


def _is_metric(name: str) -> bool:
    try:
        parse_metric(name)
    except (InputError, UnknownNameError):
        return _RETRIEVAL_METRIC.fullmatch(name) is not None
    return True


def _origin(model: Any) -> str:
    """Return the length of the training, the random seed, the device and the versions."""
    facts: dict[str, Any] = {}
    if hasattr(model, "history_"):
        facts["Epochs"] = len(model.history_)
        facts["Seconds of training"] = f"{model.history_[-1]['seconds']:.1f}" if len(model.history_) else "0"
        facts["Random seed"] = model.seed_entropy_
    about = getattr(model, "provenance_", {})
    facts |= {label: about[name] for label, name in (("Device", "device"), ("Threads", "n_threads")) if name in about}
    facts["Versions"] = ", ".join(f"{name} {version}" for name, version in provenance().items())
    return "\n".join(f"- {name}: {_plain(str(fact))}" for name, fact in facts.items())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *(tuple(map(_plain, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _value(value: float | None) -> str:
    return "not defined" if value is None or math.isnan(value) else f"{value:.4f}"


def _plain(text: str) -> str:
    r"""Escape a text so that Markdown shows it unchanged, on one line.

    Examples
    --------
    >>> print(_plain("a|b `c`\n<b>"))
    a\|b \`c\`\\n\<b\>
    """
    return _MARKUP.sub(r"\\\1", printable(text))

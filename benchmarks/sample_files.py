"""One small file of every kind and model, with everything that it can contain, for `robustness` to damage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import vsenumba as vse
from vsenumba import storage
from vsenumba.data.captions.readers import load_caption_set
from vsenumba.models import Trained
from vsenumba.storage import Json

TEXT = np.dtypes.StringDType()


@dataclass(frozen=True)
class Sample:
    """A file, and functions that load and use it.

    Parameters
    ----------
    name : str
        The content of the file.
    kind : str
        The kind of file.
    elements : dict
        The elements of the file.
    load, use : callable
        A function that loads a file from its path, and one that uses the loaded object.
    """

    name: str
    kind: str
    elements: dict[str, Any]
    load: Callable[[Path], Any]
    use: Callable[[Any], object]


def save(loaded: Any, path: Path) -> None:
    """Write the loaded object to a file."""
    if isinstance(loaded, Trained):
        loaded.save(path, include_optimiser=True)
    else:
        loaded.save(path)


def samples(folder: Path) -> list[Sample]:
    """Return all samples, with elements that the package itself wrote."""
    path = folder / "sample.h5"
    result = []
    for name, kind, elements, load, use in _drafts():
        storage.write_file(path, kind, elements)
        loaded = load(path)
        save(loaded, path)
        result.append(Sample(name, kind, storage.read_file(path, kind).elements, load, use))
    return result


def _drafts() -> list[tuple[str, str, dict[str, Any], Callable[[Path], Any], Callable[[Any], object]]]:
    models = [
        ("image-annotator of labels", _image_annotator("labels", "context_factors", 4), _annotate),
        ("image-annotator of labels and their pairs", _annotator_of_pairs(), _annotate),
        ("image-annotator of ids", _image_annotator("ids", "image_factors", 3), _annotate),
        ("image-annotator of features", _annotator_of_features(), _annotate),
        ("ease-annotator", _annotator("ease-annotator", {"l2": 2.0}, {"weights": _table(4, 4)}), _annotate),
        ("sparse ease-annotator", _sparse_ease(), _annotate),
        ("popularity-annotator", _annotator("popularity-annotator", {}, {"counts": np.array([2, 1, 1, 1])}), _annotate),
        ("word-embedder", _word_embedder(), lambda model: model.neighbors(model.words_[0], 2)),
        ("cross-modal-retriever", _retriever(), lambda model: model.get_params()),
    ]
    sets: list[Any] = [
        (
            "annotation-set",
            _annotation_set(),
            vse.load_dataset,
            lambda data: [data.absent and data.absent.columns_of(0), data.labels_of(data.image_ids[0])],
        ),
        ("caption-set", _caption_set(), load_caption_set, lambda data: (data.matches(), data.select([0]))),
        ("corpus", _corpus(), vse.Corpus.load, lambda corpus: corpus.sentence(0)),
        ("runs", _runs(), vse.Comparison.load, lambda runs: (runs.to_json(), runs.reference_values(runs.metric))),
    ]
    return [(kind, kind, elements, load, use) for kind, elements, load, use in sets] + [
        (name, "model", elements, vse.load_model, use) for name, elements, use in models
    ]


def _annotate(model: Any) -> None:
    model.annotate([model.image_ids_[0]], 2)
    model.find_images(model.label_names_[0], 2)


def _table(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).standard_normal(shape, np.float32)


def _names(*names: str) -> np.ndarray:
    return np.array(names, TEXT)


def _pairs() -> dict[str, Any]:
    return {
        "indptr": np.array([0, 2, 4, 5]),
        "indices": np.array([0, 2, 1, 3, 0], np.int32),
        "image_ids": _names("a.jpg", "ü.png", "猫"),
        "label_names": _names("cat", "dog", "猫", "red dot"),
    }


def _annotation_set() -> dict[str, Any]:
    numbered = {"image_ids": Json({"prefix": "image-", "count": 3})}
    absent = {"indptr": np.array([0, 1, 1, 3]), "indices": np.array([1, 1, 3], np.int32)}
    titles = _names("", "two words", "é")
    return {**_pairs(), **numbered, "features": _table(3, 2), "titles": titles, "absent": absent}


def _caption_set() -> dict[str, Any]:
    return {
        "image_rows": _table(4, 3).astype(np.float16),
        "image_offsets": np.array([0, 2, 4]),
        "image_ids": _names("a.jpg", "b.jpg"),
        "image_subjects": np.array([0, 1]),
        "caption_subjects": np.array([0, 0, 1]),
        "captions": _names("a cat", "ein Kätzchen", "猫"),
        "token_rows": _table(5, 2),
        "token_offsets": np.array([0, 1, 3, 5]),
        "classes": np.array([1, 0]),
        "parts": _names("train", "test"),
        "thumbnails": np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3),
    }


def _corpus() -> dict[str, Any]:
    return {
        "tokens": np.array([0, 1, 0, 2, 1], np.int32),
        "offsets": np.array([0, 3, 5]),
        "words": _names("the", "naïve", "猫"),
        "counts": np.array([2, 2, 1]),
        "about": Json({"sources": ["a.txt"], "max_vocab": None, "n_sentences": 2}),
    }


def _history(**columns: Any) -> dict[str, np.ndarray]:
    past = {"epoch": [1, 2], "seconds": [0.5, 1.0], "steps": [10, 20], **columns}
    return {name: np.array(values) for name, values in past.items()}


def _runs() -> dict[str, Any]:
    run = {"sampler": "adaptive", "loss": "logistic", "seed": 0}
    history = _history(mrr=[0.25, 0.5], validation_mrr=[0.5, 0.25])
    sizes = {"n_labels": [2, 1], "n_train_pairs": [4, 5], "n_test_pairs": [2, 1]}
    values = {"adaptive": [[0.25, 0.5]], "EASE": [[0.5, 0.75]]}
    groups = {"by": "popularity", "metric": "mrr", "names": ["1–3", "4–10"], **sizes, "values": values}
    return {
        "settings": Json({"metric": "mrr", "n_seeds": 1}),
        "references": Json({"EASE": {"mrr": 0.75}}),
        "groups": Json(groups),
        "runs": {"0": {"run": Json(run), "history": history}},
    }


def _annotator(kind: str, parameters: dict[str, Any], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    return {"class": Json(kind), "parameters": Json(parameters), "seen": _pairs(), "arrays": arrays}


def _trained(n_epochs: int) -> dict[str, Any]:
    return {
        "history": _history(loss=[0.7, np.nan]),
        "seed": Json({"entropy": "7", "spawn_key": [1]}),
        "about": Json({"device": "cpu", "n_threads": 1, "best_epoch": 1, "best_metric": "mrr"}),
        "best_value": np.array([0.5]),
    }


def _image_annotator(inputs: str, table: str, n_rows: int) -> dict[str, Any]:
    arrays = {"label_factors": _table(4, 2), table: _table(n_rows, 2)}
    sums = {name: np.full(len(one), 0.1, np.float32) for name, one in arrays.items()}
    parameters = {"inputs": inputs, "n_factors": 2, "sampler": {"name": "adaptive", "lam": 0.05}, "random_state": 7}
    return {
        **_annotator("image-annotator", parameters, arrays), **_trained(2), "optimiser_sums": sums, "best": arrays,
    }  # fmt: skip


def _annotator_of_features() -> dict[str, Any]:
    elements = _image_annotator("features", "feature_projection", 513)
    own = {"feature_weights": _table(4, 512), "feature_mean": _table(3), "feature_spread": np.abs(_table(3)) + 1}
    tables = elements["arrays"] | {"feature_weights": own["feature_weights"]}
    moments = {name: np.ones(2 * one.size + 1, np.float32) for name, one in tables.items() if name != "label_factors"}
    sums = {"label_factors": np.full(4, 0.1, np.float32)} | moments
    backbone = {"name": "of.onnx", "digest": "ab" * 32}
    return elements | {
        "arrays": tables | own, "optimiser_sums": sums, "best": tables | own, "feature_vectors": _table(3, 2),
        "backbone": Json(backbone),
    }  # fmt: skip


def _sparse_weights() -> dict[str, np.ndarray]:
    return {
        "weights": _table(3),
        "weight_targets": np.array([2, 3, 0], np.int32),
        "weight_indptr": np.array([0, 1, 2, 3, 3]),
    }


def _annotator_of_pairs() -> dict[str, Any]:
    pairs = {**_sparse_weights(), "l2": np.array([0.5]), "strength": np.array([4.0])}
    return _image_annotator("labels", "context_factors", 4) | {"pairs": pairs}


def _sparse_ease() -> dict[str, Any]:
    return _annotator("ease-annotator", {"l2": 2.0, "max_neighbours": 2}, _sparse_weights())


def _word_embedder() -> dict[str, Any]:
    arrays = {"word_factors": _table(3, 2), "output_factors": _table(3, 2)}
    return {
        "class": Json("word-embedder"),
        "parameters": Json({"n_factors": 2}),
        "words": _names("the", "naïve", "猫"),
        "counts": np.array([5, 2, 1]),
        "arrays": arrays,
        **_trained(2),
        "optimiser_sums": {name: np.zeros(0, np.float32) for name in arrays},
        "best": arrays,
    }


def _retriever() -> dict[str, Any]:
    model = vse.CrossModalRetriever(n_factors=4, caption_pooling="gpo")
    arrays = {name: _table(*shape) for name, shape in model._branch_shapes(3, 2).items()} | {"words": _table(5, 2)}
    moments = {f"{turn}.{name}": np.abs(one) for name, one in arrays.items() for turn in "12"}
    return {
        "class": Json("cross-modal-retriever"),
        "parameters": Json({"n_factors": 4, "caption_pooling": "gpo"}),
        "words": _names("<unknown>", "a", "cat", "dog", "猫"),
        "arrays": arrays,
        **_trained(2),
        "about": Json({"image_width": 3, "n_images": 9, "n_captions": 9, "best_epoch": 2, "best_metric": "rsum"}),
        "moments": moments | {"steps": np.array([20])},
        "best": arrays,
    }

"""A reader made of ``docs/reference/file-format.md`` alone, with h5py and NumPy, scores as the models do."""

from __future__ import annotations

import itertools
import json

import h5py
import numpy as np
import pytest

import vsenumba as vse


@pytest.fixture(scope="module")
def files(benchmark, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    damage, found = benchmark("damage"), {}
    for sample in benchmark("sample_files").samples(folder):
        if sample.kind == "model":
            found[sample.name] = folder / f"{sample.name}.h5"
            vse.storage.write_file(found[sample.name], "model", damage.as_written(sample.elements))
    return found


def read(node):
    """Return an element as the page says what it is."""
    kind = node.attrs["encoding-type"]
    if kind == b"array":
        return node[...]
    if kind == b"json":
        return json.loads(node[()])
    if kind == b"string-array":
        text, ends = read(node["data"]).tobytes(), read(node["offsets"])
        return [text[a:b].decode() for a, b in itertools.pairwise(ends)]
    return {name: read(node[name]) for name in node}


def names(element):
    return [f"{element['prefix']}{i}" for i in range(element["count"])] if isinstance(element, dict) else element


class Reader:
    """An annotator's file, read."""

    def __init__(self, path):
        with h5py.File(path) as file:
            assert (file.attrs["encoding-type"], file.attrs["encoding-version"]) == (b"model", b"1")
            self.elements = {name: read(file[name]) for name in file}
        self.arrays, self.parameters = self.elements["arrays"], self.elements["parameters"]
        if "seen" in self.elements:
            self.seen = self.elements["seen"]
            self.images, self.labels = (names(self.seen[name]) for name in ("image_ids", "label_names"))

    def known(self, image):
        row = self.images.index(image)
        return self.seen["indices"][self.seen["indptr"][row] : self.seen["indptr"][row + 1]]

    def scores(self, image):
        known = self.known(image)
        if self.elements["class"] == "ease-annotator":
            return self.weights(self.arrays)[known].sum(axis=0)
        if self.elements["class"] == "popularity-annotator":
            return self.arrays["counts"]
        inputs = self.parameters.get("inputs", "labels")
        vector = np.zeros(self.parameters["n_factors"], np.float32)
        if "labels" in inputs:
            vector += self.arrays["context_factors"][known].sum(axis=0) / np.float32(len(known) ** 0.75)
        if "ids" in inputs:
            vector += self.arrays["image_factors"][self.images.index(image)]
        if "features" in inputs:
            vector += self.elements["feature_vectors"][self.images.index(image)]
        scores = self.arrays["label_factors"] @ vector
        if "pairs" in self.elements:
            pairs = self.elements["pairs"]
            scores = scores + pairs["strength"][0] * self.weights(pairs)[known].sum(axis=0)
        return scores

    def weights(self, arrays):
        weights, ends = arrays["weights"], arrays.get("weight_indptr")
        if ends is None:
            return weights
        dense = np.zeros((len(self.labels), len(self.labels)), np.float32)
        for i in range(len(self.labels)):
            row = slice(ends[i], ends[i + 1])
            dense[i, arrays["weight_targets"][row]] = weights[row]
        return dense

    def vector_of_features(self, x):
        W, U = self.arrays["feature_weights"], self.arrays["feature_projection"]
        x = (x - self.arrays["feature_mean"]) / self.arrays["feature_spread"]
        return np.maximum(x @ W[:-1] + W[-1], 0) @ U[:-1] + U[-1]

    def suggestions(self, image):
        scores = self.scores(image)
        order = [j for j in np.argsort(-scores, kind="stable") if j not in self.known(image)]
        return [(self.labels[j], pytest.approx(scores[j], rel=1e-5)) for j in order]


ANNOTATORS = [
    "image-annotator of labels",
    "image-annotator of labels and their pairs",
    "image-annotator of ids",
    "image-annotator of features",
    "ease-annotator",
    "sparse ease-annotator",
    "popularity-annotator",
]


@pytest.mark.parametrize("name", ANNOTATORS)
def test_annotators(files, name):
    model, reader = vse.load_model(files[name]), Reader(files[name])
    assert reader.images == list(model.image_ids_)
    for image in reader.images:
        assert model.annotate([image])[0] == reader.suggestions(image)


def test_the_sum_of_inputs(files, tmp_path):
    model, ids = (vse.load_model(files[f"image-annotator of {inputs}"]) for inputs in ("labels", "ids"))
    model.tables_["image_factors"] = ids.image_factors_
    model.set_params(inputs=("labels", "ids")).save(tmp_path / "sum.h5")
    reader = Reader(tmp_path / "sum.h5")
    for image in reader.images:
        assert model.annotate([image])[0] == reader.suggestions(image)


def test_new_pictures(files):
    name = "image-annotator of features"
    model, reader = vse.load_model(files[name]), Reader(files[name])
    for x in np.random.default_rng(0).random((5, 3), np.float32):
        scores = reader.arrays["label_factors"] @ reader.vector_of_features(x)
        best = np.argsort(-scores, kind="stable")
        assert model.annotate(features=x[None])[0] == [
            (reader.labels[j], pytest.approx(scores[j], rel=1e-4, abs=1e-4)) for j in best
        ]


def test_words(files):
    model, reader = vse.load_model(files["word-embedder"]), Reader(files["word-embedder"])
    words, vectors = reader.elements["words"], reader.arrays["word_factors"]
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = dict(zip(words[1:], vectors[1:] @ vectors[0], strict=True))
    assert dict(model.neighbors(words[0])) == pytest.approx(expected, rel=1e-5)


def softmax(values):
    powers = np.exp(values - values.max(axis=0))
    return powers / powers.sum(axis=0)


def pooled(rows, pooling, part):
    name, settings = (pooling, {}) if isinstance(pooling, str) else (pooling["name"], pooling)
    ordered = -np.sort(-rows, axis=0)
    if name == "mean":
        return rows.mean(axis=0)
    if name == "max":
        return rows.max(axis=0)
    if name == "top-mean":
        return ordered[: settings.get("k", 5)].mean(axis=0)
    if name == "gpo":
        angles = np.arange(len(rows))[:, None] / 10000 ** (2 * np.arange(16) / 32)
        codes = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
        hidden = np.maximum(codes @ part["code_weights"] + part["code_bias"], 0)
        return softmax(hidden @ part["rank_weights"] / settings.get("temperature", 0.1)) @ ordered
    assert name == "adpool"
    e = (softmax(ordered) * ordered).sum(axis=0)
    g = (softmax(np.maximum(ordered @ part["token_weights"].T + part["token_bias"], 0)) * ordered).sum(axis=0)
    return e + (g - e) / (1 + np.exp(-(g - e) @ part["mix_weights"]))


def test_a_retriever(files, tmp_path):
    model = vse.load_model(files["cross-modal-retriever"])
    rows = [np.arange(6, dtype=np.float32).reshape(2, 3) / 7, np.ones((1, 3), np.float32)]
    texts = ["A cat, a DOG", "猫", "!"]
    for image_pooling, projection in (("adpool", "residual"), ("top-mean", "residual"), ("max", "linear")):
        kept = {"projection.weights", "projection.bias"} if projection == "linear" else None
        for name in list(model.tables_):
            side, _, bare = name.partition(".")
            pools = bare.startswith("pooling") and image_pooling != "adpool"
            if side == "image" and (pools or (kept and bare.startswith("projection") and bare not in kept)):
                del model.tables_[name]
        model._memory = None
        model.set_params(image_pooling=image_pooling, image_projection=projection).save(tmp_path / "m.h5")
        reader = Reader(tmp_path / "m.h5")

        def vector(rows, side, pooling, projection, arrays=reader.arrays):
            start = f"{side}.projection."
            p = {name.removeprefix(start): one for name, one in arrays.items() if name.startswith(start)}
            start = f"{side}.pooling."
            part = {name.removeprefix(start): one for name, one in arrays.items() if name.startswith(start)}
            projected = rows @ p["weights"] + p["bias"]
            if projection == "residual":
                projected += np.maximum(rows @ p["hidden_weights"] + p["hidden_bias"], 0) @ p["output_weights"]
            found = pooled(projected, pooling, part)
            return found / np.linalg.norm(found)

        images = [vector(one, "image", image_pooling, projection) for one in rows]
        np.testing.assert_allclose(model.embed_images(rows), images, rtol=1e-4, atol=1e-6)
        known = reader.elements["words"]
        words = [["a", "cat", "a", "dog"], ["猫"], []]
        numbers = [[known.index(word) for word in one] or [0] for one in words]
        pooling = reader.parameters["caption_pooling"]
        captions = [vector(reader.arrays["words"][one], "caption", pooling, "linear") for one in numbers]
        with pytest.warns(UserWarning, match="1 of 3 captions have no word that the model knows"):
            embedded = model.embed_captions(texts)
        np.testing.assert_allclose(embedded, captions, rtol=1e-4, atol=1e-6)

"""
Words that occur in the same places
===================================

Train word vectors on the documentation strings of NumPy, and draw some words by their first two principal components.
"""

import ast
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import vsenumba as vse

texts = []
for file in sorted(Path(np.__file__).parent.rglob("*.py")):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            texts.append(re.findall(r"\w+", (ast.get_docstring(node) or "").lower()))
model = vse.WordEmbedder(n_factors=50, n_epochs=10, random_state=0).fit(texts)
print(model.neighbors("sin", n=3))

# %%
words = ["sin", "cos", "tan", "arcsin", "arccos", "exp", "log", "sqrt", "row", "column", "axis", "shape", "int32"]
words += ["float64", "bool", "complex128"]
vectors = model.word_factors_[model.words_.index(words)]
vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
points = np.linalg.svd(vectors - vectors.mean(axis=0))[0][:, :2]
figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
axes.scatter(*points.T, s=10)
for word, point in zip(words, points, strict=True):
    axes.annotate(word, point, xytext=(3, 3), textcoords="offset points")
axes.set(xticks=[], yticks=[])

"""
Is a model good at rare labels?
===============================

A mean over all pairs hides the rare labels. Score them by popularity.
"""

import matplotlib.pyplot as plt

import vsenumba as vse

data = vse.load_dataset("openclipart")
train, test = vse.leave_one_out(data, rng=0)
models = {
    "popularity": vse.PopularityAnnotator().fit(train),
    "EASE": vse.EaseAnnotator().fit(train),
    "vsenumba": vse.ImageAnnotator(n_epochs=10, random_state=0).fit(train),
}

# %%
# ``by="popularity"`` groups the labels by their number of training images.
figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
for name, model in models.items():
    scores = vse.evaluate(model, test, exclude=train, metrics=["mrr"], by="popularity")
    axes.plot(scores.groups.names, scores.groups.micro["mrr"], marker="o", label=f"{name}: {scores.mean['mrr']:.3f}")
axes.set(xlabel="training images of a label", ylabel="MRR")
axes.tick_params(axis="x", rotation=30)
axes.legend(title="MRR over all")

"""
Is a model good at rare labels?
===============================

A mean over all pairs hides the rare labels. Score them by popularity.
"""

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
scores = {
    name: vse.evaluate(model, test, exclude=train, metrics=["mrr"], by="popularity") for name, model in models.items()
}
axes = vse.plot.groups(scores)

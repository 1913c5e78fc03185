"""
What does a sampler draw?
=========================

A sampler's *law* is the exact probability of each label to be drawn as a negative. Compare the adaptive sampler's law
for one image with the labels' true ranks.
"""

import numpy as np

import vsenumba as vse

data = vse.load_dataset("openclipart")
model = vse.ImageAnnotator(n_epochs=3, max_neighbours=0, random_state=0).fit(data)

# %%
# The image "bat" has four labels. The law of each sampler is a row of probabilities, one for each label.
image = int(data.image_ids.index(["animals/birds/contour_bat"])[0])
known = [data.indices[data.indptr[image] : data.indptr[image + 1]].tolist()]
vector = model.fold_in([data.labels_of(data.image_ids[image])])
scores = vector @ model.label_factors_.T
order = np.argsort(-scores[0])

for sampler in (vse.UniformSampler(), vse.PopularitySampler(), vse.AdaptiveSampler(lam=0.1)):
    law = sampler.law(vector, model.label_factors_, known, label_counts=data.label_counts)[0]
    print(f"{sampler.name:10} mean rank of a negative: {law[order] @ np.arange(len(order)):.0f}")

# %%
# The adaptive sampler draws labels of low rank more often. These still score high, so the model learns more from them.
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
for sampler in (vse.UniformSampler(), vse.PopularitySampler(), vse.AdaptiveSampler(lam=0.1)):
    law = sampler.law(vector, model.label_factors_, known, label_counts=data.label_counts)[0]
    axes.plot(np.cumsum(law[order]), label=sampler.name)
axes.set(xlabel="rank of the label for the image", ylabel="probability of this rank or a better one")
axes.legend()

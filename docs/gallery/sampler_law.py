"""
What does a sampler draw?
=========================

A sampler's *law* is the exact probability of each label to be drawn as a negative. Compare the laws of two samplers for
one image.
"""

import matplotlib.pyplot as plt

import vsenumba as vse

data = vse.load_dataset("openclipart")
model = vse.ImageAnnotator(n_epochs=3, max_neighbours=0, random_state=0).fit(data)
figure, panels = plt.subplots(2, 1, figsize=(7, 8), layout="constrained")
for panel, sampler in zip(panels, (vse.UniformSampler(), vse.AdaptiveSampler(lam=0.1)), strict=True):
    vse.plot.law(model, "animals/birds/contour_bat", sampler=sampler, ax=panel)
    panel.set_title(sampler.name)

# %%
# The adaptive sampler prefers labels that still score high for the image. A model learns more from these.

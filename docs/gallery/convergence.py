"""
Which sampler learns fastest?
=============================

Train with three samplers on the set that ships, and draw accuracy against training time.
"""

import vsenumba as vse

data = vse.load_dataset("openclipart")
comparison, best = vse.compare(data, samplers=["uniform", "warp", "adaptive"], n_epochs=10, n_seeds=2)

# %%
# Each band covers the two seeds.
figure = vse.convergence_figure(comparison.histories(), metric="mrr")

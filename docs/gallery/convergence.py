"""
Which sampler learns fastest?
=============================

Train with three samplers on the set that ships, and draw accuracy against training time.
"""

import vsenumba as vse

data = vse.load_dataset("openclipart")
comparison, best = vse.compare(data, samplers=["uniform", "warp", "adaptive"], n_epochs=10, n_seeds=2)

# %%
# Each line is the median of two seeds, and the band is their range. Horizontal lines are reference models.
axes = vse.plot.convergence(comparison)

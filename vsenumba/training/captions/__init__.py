"""Training of image–text retrieval heads: projections and poolings of each side, and the loop over batches."""

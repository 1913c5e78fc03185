"""Training of image-text retrieval heads: branches, the optimiser, and the loop over batches."""

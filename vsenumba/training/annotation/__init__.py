"""Training of image annotation: pairs of an image and a label, with negatives that a sampler draws."""

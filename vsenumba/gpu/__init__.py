"""Training on a graphics card: the same models, files and laws as on the processor, for those who have a card."""

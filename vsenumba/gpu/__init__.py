"""Training on an NVIDIA GPU, with the same models, files and samplers; see docs/explanation/gpu.md."""

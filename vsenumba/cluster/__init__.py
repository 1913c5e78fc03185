"""Training on a cluster that runs Dask; see ``docs/scale.md``."""

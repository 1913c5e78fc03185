"""Training on a cluster that runs Dask; see ``docs/how-to/cluster.md``."""

"""Training and evaluation on a Dask cluster; see docs/how-to/cluster.md and docs/explanation/cluster.md."""

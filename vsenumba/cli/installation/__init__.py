"""The report of ``vsenumba info``: packages, compiler, cache, threads, GPU and problems."""

"""What ``vsenumba info`` reports: the packages, the compiler, its cache and threads, the GPU, and what is wrong."""

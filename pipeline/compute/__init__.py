"""Where the work runs: devices, threads, and Dask workers."""

"""Execution of work: the device, the threads, the workers of Dask, and the window of tasks."""

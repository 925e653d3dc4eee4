"""A slow reference recomputes a sample of the results."""

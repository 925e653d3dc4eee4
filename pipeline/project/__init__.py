"""The deconvnet: from one unit back to pixels."""

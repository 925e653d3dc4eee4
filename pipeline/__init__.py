"""The feature atlas as a library: data, network, training, scan, projection, crops, checks."""

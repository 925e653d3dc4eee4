"""Rules that turn torch's operations into those of a graph, by kind of operation."""

"""What each operation of torch becomes in a graph, by kind of operation."""

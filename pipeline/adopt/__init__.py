"""Networks from elsewhere: a module of torch read into a graph, its weights, its preprocessing."""

"""Learning as the paper did it."""

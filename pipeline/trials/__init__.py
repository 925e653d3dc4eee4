"""Networks trained for a line of a table alone."""

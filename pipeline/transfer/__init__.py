"""Transfer of a network's features to another data set (paper, section 5.2)."""

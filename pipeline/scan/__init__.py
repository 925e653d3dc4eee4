"""The strongest images of every channel, in one pass over the data."""

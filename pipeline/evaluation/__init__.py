"""Error rates of a trained network on the validation images."""

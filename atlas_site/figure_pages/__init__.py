"""The pages of the paper's other figures, one module each."""

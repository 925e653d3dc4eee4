"""The figures and tables of the paper beside Figure 2, one module each."""

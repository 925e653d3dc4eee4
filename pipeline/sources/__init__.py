"""Where images come from: one module each, behind `protocol.Source`."""

"""Sources of images: one module each, behind `protocol.Source`."""

"""The demo data set: photographs' stand-ins of sixteen classes, drawn from a seed alone."""

from demo.scene import CLASSES, draw

__all__ = ["CLASSES", "draw"]

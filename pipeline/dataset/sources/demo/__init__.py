"""The demo data set: photographs' stand-ins of sixteen classes, drawn from a seed alone."""

from pipeline.dataset.sources.demo.scene import CLASSES, draw
from pipeline.dataset.sources.demo.source import DemoSource

__all__ = ["CLASSES", "DemoSource", "draw"]

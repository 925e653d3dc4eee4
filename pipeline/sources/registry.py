"""The sources by name; each module is imported when it is asked for."""

from pipeline.sources.protocol import Source


def source(name: str) -> Source:
    """The source that `data.source` names. Raises KeyError for an unknown one."""
    match name:
        case "demo":
            from pipeline.sources.demo import DemoSource

            return DemoSource()
        case "folder":
            from pipeline.sources.folder import FolderSource

            return FolderSource()
        case "caltech101":
            from pipeline.sources.caltech101 import Caltech101Source

            return Caltech101Source()
        case "imagenette":
            from pipeline.sources.imagenette import ImagenetteSource

            return ImagenetteSource()
        case "imagenet":
            from pipeline.sources.imagenet import ImagenetSource

            return ImagenetSource()
        case "mnist" | "fashion-mnist" | "cifar10" | "cifar100":
            from pipeline.sources.classics import ClassicSource

            return ClassicSource(name)
    raise KeyError(name)

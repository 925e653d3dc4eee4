"""The sources by name; each module is imported when it is asked for."""

from pipeline.dataset.sources.protocol import Source


def source(name: str) -> Source:
    """The source that `data.source` names. Raises KeyError for an unknown one."""
    match name:
        case "demo":
            from pipeline.dataset.sources.demo import DemoSource

            return DemoSource()
        case "folder":
            from pipeline.dataset.sources.folder import FolderSource

            return FolderSource()
        case "caltech101":
            from pipeline.dataset.sources.caltech101 import Caltech101Source

            return Caltech101Source()
        case "imagenette":
            from pipeline.dataset.sources.imagenette import ImagenetteSource

            return ImagenetteSource()
        case "imagenet":
            from pipeline.dataset.sources.imagenet import ImagenetSource

            return ImagenetSource()
    raise KeyError(name)

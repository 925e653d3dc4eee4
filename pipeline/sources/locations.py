"""Locations of images: a folder, an archive of one, or either at a URL."""

import os
from pathlib import Path

from pipeline.dataset.members import is_archive
from pipeline.dataset.store import file_name
from pipeline.sources.trees import FolderTree, Tree


def open_tree(location: str) -> Tree:
    """The tree at a location as `Workspace.images` gives it."""
    if is_archive(location) and ("://" in location or os.path.isfile(file_name(Path(location)))):
        from pipeline.sources.archives import archive_tree

        return archive_tree(location)
    if "://" in location:
        from pipeline.sources.urls import url_tree

        return url_tree(location)
    return FolderTree(Path(location))

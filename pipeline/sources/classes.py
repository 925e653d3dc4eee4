"""Class folders: the files of each class, by the name of the folder that holds them."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pipeline.dataset.class_names import composed
from pipeline.dataset.manifest import Split
from pipeline.errors import AtlasError
from pipeline.progress import Advance
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection, is_named_as_picture
from pipeline.sources.trees import File, Tree, inside, is_hidden


@dataclass(frozen=True)
class Classes:
    """The content of a folder of class folders."""

    folder: str
    """That folder, relative to the location; empty for the location itself."""
    files: dict[str, list[File]]
    """The files of each class, sorted bytewise by path."""
    rejected: list[Rejection]
    """What needs no opening: hidden, outside a class folder, no file, no UTF-8 name."""

    def candidates(self, split: Split | None) -> Iterator[Candidate]:
        """All the files, as images of one split, or to be divided."""
        for label, files in self.files.items():
            for file in files:
                yield Candidate(split, file.path, label, file.position, file.stamp)


def list_classes(tree: Tree, folder: str, where: str, advance: Advance) -> Classes:
    """List the class folders of a folder and all files below each.

    Folders whose names differ in their Unicode form alone (as macOS and Linux write them) are one
    class. Without any class folder, the pictures in the folder have no class. Raises AtlasError
    where there are neither, or where a class folder holds no file that could be an image.
    """
    names = tree.names(folder)
    folders = [name for name, is_folder in names.items() if is_folder and not is_hidden(name)]
    listing = tree.files(folder, advance)
    rejected = list(listing.rejected)
    if not folders:
        flat = [file for file in listing.files if is_named_as_picture(file.path)]
        if flat:
            return Classes(folder, {"": flat}, rejected + _outside(listing.files))
        raise AtlasError(
            f"{inside(where, folder)} holds no class folders and no pictures, "
            f"only {_others(names)}.",
            fix="Put the images of each class into a folder that bears its name, and decompress "
            "what is compressed.",
        )
    start = len(folder) + 1 if folder else 0
    files: dict[str, list[File]] = defaultdict(list)
    outside = []
    for file in listing.files:
        name, slash, _ = file.path[start:].partition("/")
        if slash:
            files[composed(name)].append(file)
        else:
            outside.append(file)
    rejected += _strays(outside)
    refused = {
        item.path[start:].partition("/")[0]
        for item in rejected
        if not item.stray or "/" not in item.path[start:]
    }
    empty = {composed(name) for name in folders if name not in refused} - files.keys()
    if empty:
        raise AtlasError(
            f"No image is in {_few(sorted(empty))} of {inside(where, folder)}.",
            fix="Put images there, or remove the folder.",
        )
    return Classes(folder, dict(files), rejected)


def _outside(files: list[File]) -> list[Rejection]:
    return _strays([file for file in files if not is_named_as_picture(file.path)])


def _strays(files: list[File]) -> list[Rejection]:
    return [Rejection(file.path, "outside every class folder", stray=True) for file in files]


def _others(names: Collection[str]) -> str:
    """How many other entries there are, with the first one's name."""
    first = f", such as {next(iter(names))!r}" if names else ""
    return f"{len(names)} other entr{'y' if len(names) == 1 else 'ies'}{first}"


def _few(labels: list[str]) -> str:
    shown = ", ".join(repr(label) for label in labels[:3])
    more = f" and {len(labels) - 3} more" if len(labels) > 3 else ""
    return f"class folder{'s' if len(labels) > 1 else ''} {shown}{more}"

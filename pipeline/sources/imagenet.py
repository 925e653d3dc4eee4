"""ImageNet, ILSVRC 2012: `train/<wnid>/` and `val/<wnid>/`, never downloaded."""

import json
import logging
import pickle
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.errors import AtlasError
from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.folder import is_split, list_splits
from pipeline.sources.naming import renamed
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection

log = logging.getLogger(__name__)

_LINE = re.compile(r"(n\d{8})[\s,:]+([^,\t]*[^,\s])")
_UNREADABLE = (
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)


class ImagenetSource:
    """The usual folders, with class names where a names file lies beside them."""

    def locate(
        self, root: Path, data: DataParams, seed: int, advance: Advance
    ) -> Sequence[Candidate | Rejection]:
        """Take train/ and val/ as they are. Raises AtlasError where they are not there."""
        if not is_split(root):
            raise AtlasError(
                f"{root} has no train/ and val/ with a folder for each class.",
                fix="ImageNet cannot be downloaded: unpack ILSVRC2012 there, the validation "
                "images sorted into class folders too, or set data.root to where it lies.",
            )
        return renamed(list_splits(root, "", advance), class_names(root))


def class_names(root: Path) -> dict[str, str]:
    """The first name of each WordNet id, of the first names file that lies in the root.

    Empty where there is none. Raises AtlasError for a file that holds no names.
    """
    for file, read in _READERS.items():
        path = root / file
        if not path.is_file():
            continue
        try:
            names = read(path)
        except _UNREADABLE as error:
            raise AtlasError(
                f"{path} cannot be read as class names: {error}.", fix="Mend or remove it."
            ) from error
        if names:
            return names
    log.warning("no names file in %s: classes keep their WordNet ids", root)
    return {}


def _from_devkit(path: Path) -> dict[str, str]:
    """torchvision's meta.bin: the names of each id, and the order of the validation images."""
    import torch

    names, _ = torch.load(path, weights_only=True)
    return {wnid: several[0] for wnid, several in names.items()}


def _from_json(path: Path) -> dict[str, str]:
    """Keras' index: `{"0": ["n01440764", "tench"], …}`."""
    index = json.loads(path.read_text(encoding="utf-8"))
    return {wnid: name.replace("_", " ") for wnid, name in index.values()}


def _from_lines(path: Path) -> dict[str, str]:
    """Lines such as `n01440764 tench, Tinca tinca`; others are passed over."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {found[1]: found[2] for found in map(_LINE.match, lines) if found}


_READERS: dict[str, Callable[[Path], dict[str, str]]] = {
    "meta.bin": _from_devkit,
    "LOC_synset_mapping.txt": _from_lines,
    "synset_words.txt": _from_lines,
    "words.txt": _from_lines,
    "classes.txt": _from_lines,
    "imagenet_class_index.json": _from_json,
}

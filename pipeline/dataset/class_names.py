"""The classes of an adopted network, and which of them a folder of images means."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.errors import AtlasError

COMMENT = (
    "# The classes of the adopted network, in the order of its scores (written by `atlas adopt`)."
)
WNID = re.compile(r"n\d{8}")
LONGEST = 255
"""Characters of a class's name, as of a folder's."""


def composed(text: str) -> str:
    """Text in composed Unicode form, as Linux has names and macOS has not."""
    return unicodedata.normalize("NFC", text)


def class_name(said: str) -> str | None:
    """The class that a label names, spelled as a folder's name would be; None where it names none.

    A name is a line of no more characters than a folder's name can have, and can be written.
    """
    name = composed(said.strip())
    strange = any(unicodedata.category(character) in ("Cc", "Cs") for character in name)
    return None if strange or len(name) > LONGEST else name


@dataclass(frozen=True)
class ClassNames:
    """Names in the order of a network's scores, each with its WordNet id where it has one."""

    names: tuple[str, ...]
    wnids: tuple[str, ...] = ()
    """As many as names, or none."""

    def meant_by(self, folder: str) -> str | None:
        """The class that a folder's name means: by WordNet id, by number, by name; None for none.

        Names are compared without regard to case, spaces, hyphens and underscores; of a list of
        synonyms (`tench, Tinca tinca`) each will do, unless it names two classes.
        """
        if folder in self._by_wnid:
            return self._by_wnid[folder]
        if _plain(folder) in self._by_name:
            return self._by_name[_plain(folder)]
        if folder.isascii() and folder.isdigit() and int(folder) < len(self.names):
            return self.names[int(folder)]
        return None

    @cached_property
    def _by_wnid(self) -> dict[str, str]:
        return dict(zip(self.wnids, self.names, strict=False))

    @cached_property
    def _by_name(self) -> dict[str, str]:
        whole = {_plain(name): name for name in self.names}
        synonyms: dict[str, set[str]] = {}
        for name in self.names:
            for synonym in name.split(","):
                synonyms.setdefault(_plain(synonym), set()).add(name)
        return {s: min(names) for s, names in synonyms.items() if len(names) == 1} | whole


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def read_class_names(path: Path) -> ClassNames:
    """Read a list of classes: a name a line, or a WordNet id, white space and a name.

    Lines that begin with # are comments; a network whose output is a map has no classes. Raises
    AtlasError where the file is missing or names a class twice.
    """
    try:
        text = composed(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise AtlasError(
            f"{path} cannot be read: {error}.", fix="Name a text file with a class a line."
        ) from None
    lines = [line.strip() for line in text.splitlines()]
    entries = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    with_ids = bool(entries) and all(
        len(entry) == 2 and WNID.fullmatch(entry[0]) for entry in entries
    )
    names = tuple(entry[1] if with_ids else " ".join(entry) for entry in entries)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise AtlasError(f"{path} names {twice!r} twice.", fix="Give each class its own name.")
    return ClassNames(names, tuple(entry[0] for entry in entries) if with_ids else ())


def write_class_names(path: Path, classes: ClassNames) -> None:
    """Write a list of classes as `read_class_names` reads it."""
    ids = classes.wnids or ("",) * len(classes.names)
    lines = [f"{wnid} {name}".strip() for wnid, name in zip(ids, classes.names, strict=True)]
    path.write_text("\n".join([COMMENT, *lines]) + "\n", encoding="utf-8")

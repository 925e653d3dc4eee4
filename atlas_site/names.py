"""names.csv: what people call a channel."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.atlas import Run
from pipeline.errors import AtlasError

COLUMNS = ("layer", "channel", "name", "note", "family")
LONGEST = 500


@dataclass(frozen=True)
class Name:
    """A user's words on a channel; each may be empty."""

    name: str
    note: str
    family: str


Names = Mapping[tuple[str, int], Name]


def read_names(run: Run) -> Names:
    """The workspace's names.csv by (layer, channel); empty where there is none.

    Lines of layers that were not scanned are left out, so that a file outlives a smaller scan.
    Raises AtlasError for a file that is not such a table.
    """
    path = run.workspace.root / "names.csv"
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"layer", "channel"} <= set(reader.fieldnames or ()):
                raise AtlasError(
                    f"{path} has the columns {reader.fieldnames}.",
                    fix=f"Begin it with the line {','.join(COLUMNS)}",
                )
            lines = list(enumerate(reader, start=2))
    except (UnicodeDecodeError, csv.Error) as error:
        raise AtlasError(
            f"{path} is not CSV in UTF-8: {error}.", fix="Save it again as such."
        ) from error
    return {
        (line["layer"], _channel(path, number, line["channel"])): Name(
            *(_text(line.get(column)) for column in COLUMNS[2:])
        )
        for number, line in lines
        if line["layer"] in run.layers
    }


def _channel(path: object, line: int, text: str | None) -> int:
    text = (text or "").strip()
    if not (text.isascii() and text.isdecimal()):
        raise AtlasError(
            f"{path}, line {line}: {text!r} is not a channel number.",
            fix="Write 0, 1, 2 and so on.",
        )
    return int(text)


def _text(value: object) -> str:
    return value.strip()[:LONGEST] if isinstance(value, str) else ""

"""The paper's figures on disk: `artifacts/figures/`, two files each and an index written last."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from pipeline.errors import AtlasError
from pipeline.storage.hashing import sha256_of
from pipeline.storage.provenance import Provenance
from pipeline.storage.sealed import read_sealed, write_sealed

SCHEMA = "feature-atlas/figures"
SCHEMA_VERSION = 1
INDEX = "index.json"
_FIX = "Run `dvc repro -f -s figures`, then `dvc repro`."

Arrays = dict[str, Shaped[np.ndarray, "..."]]
"""By name."""


def save_arrays(file: Path | BytesIO, arrays: Arrays) -> None:
    """Write arrays as an .npz file; equal arrays give equal bytes."""
    np.savez_compressed(file, allow_pickle=False, **arrays)


def load_arrays(file: Path | BytesIO) -> Arrays:
    """Read what `save_arrays` wrote. Raises ValueError where it is damaged."""
    try:
        with np.load(file, allow_pickle=False) as found:
            return dict(found)
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(str(error)) from error


@dataclass(frozen=True)
class FigureData:
    """The facts and arrays that a figure shows."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    """What was chosen and the table of results, as JSON has them."""
    arrays: Arrays = field(default_factory=dict)
    """The numbers and pictures that are too many for a table."""
    summary: Mapping[str, float] = field(default_factory=dict)
    """The few numbers that tell one run from another: its part of `reports/figures.json`."""
    missing: str = ""
    """A sentence: why the figure could not be made for this network or these images."""


def write_figures(folder: Path, figures: Mapping[str, FigureData], made_from: Provenance) -> None:
    """Write the figures into a folder that does not exist yet; equal figures give equal bytes."""
    folder.mkdir()
    listed = {}
    for name, figure in figures.items():
        content = {"missing": figure.missing, "facts": figure.facts, "summary": figure.summary}
        _write_json(folder / f"{name}.json", content)
        save_arrays(folder / f"{name}.npz", figure.arrays)
        listed[name] = {kind: sha256_of(folder / f"{name}.{kind}") for kind in ("json", "npz")}
    root = {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **made_from.attributes()}
    write_sealed(folder / INDEX, {**root, "figures": listed, "complete": True})


def read_figures(folder: Path, made_from: Provenance) -> dict[str, FigureData]:
    """The figures in a folder, in the order in which they were made; none where there is none.

    Raises AtlasError where they are of another model, manifest or scan, or damaged.
    """
    if not folder.exists():
        return {}
    index = read_sealed(folder / INDEX, _FIX)
    if index.get("schema") != SCHEMA or index.get("schema_version") != SCHEMA_VERSION:
        raise _unreadable(folder / INDEX, "it is of another version")
    for name, value in made_from.attributes().items():
        if index.get(name) != value:
            raise _unreadable(folder, f"it was made from another run: {name} differs")
    return {name: _read_figure(folder, name, hashes) for name, hashes in index["figures"].items()}


def _read_figure(folder: Path, name: str, hashes: Mapping[str, str]) -> FigureData:
    for kind, wanted in hashes.items():
        path = folder / f"{name}.{kind}"
        if not path.is_file() or sha256_of(path) != wanted:
            raise _unreadable(path, "it is not the file that was written")
    content = _read_json(folder / f"{name}.json")
    try:
        arrays = load_arrays(folder / f"{name}.npz")
    except ValueError as error:
        raise _unreadable(folder / f"{name}.npz", str(error)) from None
    return FigureData(content["facts"], arrays, content["summary"], content["missing"])


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error)) from None
    return found


def _unreadable(path: Path, why: str) -> AtlasError:
    return AtlasError(f"{path} cannot be used: {why}.", fix=_FIX)

"""The three Zarr stores: their layout, and the promise that they are complete."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.errors import ZarrUserWarning
from zarr.storage import LocalStore

from pipeline.errors import AtlasError
from pipeline.storage.provenance import Provenance
from pipeline.storage.scan_record import (
    EXAMPLE_ARRAYS,
    SCAN_DIMENSIONS,
    ScanRecord,
    Variable,
    scan_record,
)
from pipeline.storage.sealed import content_sha256

SCHEMA_VERSION = 1
_METADATA = "zarr.json"
_SEAL = "metadata_sha256"
SHARD_CHANNELS = 32
Kind = Literal["scan", "projections", "crops"]

DIMENSIONS: dict[Kind, dict[str, tuple[str, ...]]] = {
    "scan": SCAN_DIMENSIONS,
    "projections": {
        "projection": ("channel", "rank", "row", "col", "rgb"),
        "scale": ("channel", "rank"),
        "energy_box": ("channel", "rank", "edge"),
        "control": ("channel", "control_rank", "row", "col", "rgb"),
        "control_scale": ("channel", "control_rank"),
        "activation_map": ("channel", "rank", "map_row", "map_col"),
        "map_range": ("channel", "rank", "end"),
        "patch_similarity": ("channel",),
    },
    "crops": {
        "crop": ("channel", "rank", "row", "col", "rgb"),
        "example_crop": ("channel", "example", "row", "col", "rgb"),
    },
}


def create_store(path: Path, kind: Kind, made_from: Provenance) -> zarr.Group:
    """Begin a store at a path from `publish`; `seal` ends it."""
    attributes = {
        "schema": f"feature-atlas/{kind}",
        "schema_version": SCHEMA_VERSION,
        **made_from.attributes(),
        "complete": False,
    }
    return zarr.create_group(LocalStore(path), zarr_format=3, attributes=attributes)


def create_array(
    layer: zarr.Group, name: str, dimensions: tuple[str, ...], shape: tuple[int, ...], dtype: str
) -> zarr.Array[Any]:
    """An empty array of a layer's group: pictures in a chunk per channel, a shard per 32 channels.

    Chunks compress with zstd and carry a checksum, so that a changed byte is an error when read.
    Chunks of nothing but 0 are written too: one that is not there has been lost. One task writes a
    whole shard: two writers in one lose chunks.
    """
    pictures = bool({"row", "map_row"} & set(dimensions))
    chunk = (1, *shape[1:]) if pictures else shape
    shard = (SHARD_CHANNELS, *shape[1:]) if pictures else None
    return layer.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=tuple(max(1, side) for side in chunk),
        shards=shard,
        compressors=[ZstdCodec(), Crc32cCodec()],
        dimension_names=dimensions,
        fill_value=0,
        config={"write_empty_chunks": True},
    )


def write_scan(
    root: zarr.Group,
    layer: str,
    variables: Mapping[str, Variable],
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Write one layer of the scan store; `facts` are the attributes of its group."""
    group = root.create_group(layer)
    for name, variable in variables.items():
        values = variable.values
        dtype = "string" if values.dtype.kind == "U" else values.dtype.str
        array = create_array(group, name, variable.dimensions, values.shape, dtype)
        array[...] = values
        array.attrs.update(dict(variable.attributes))
    group.attrs.update(dict(facts or {}))


def seal(root: zarr.Group) -> None:
    """Mark a store as complete, consolidate its metadata and sign that: the last thing written.

    Chunks have their own checksums.
    """
    root.attrs["complete"] = True
    with warnings.catch_warnings():
        # Consolidated metadata is not in the format's text yet; zarr and xarray both read it.
        warnings.simplefilter("ignore", ZarrUserWarning)
        zarr.consolidate_metadata(root.store)
    assert isinstance(root.store, LocalStore)
    path = root.store.root / _METADATA
    metadata = json.loads(path.read_text(encoding="utf-8"))
    metadata["attributes"][_SEAL] = content_sha256(metadata)
    path.write_text(json.dumps(metadata, indent=2), encoding="utf-8")


def open_store(path: Path, kind: Kind, made_from: Provenance | None = None) -> zarr.Group:
    """Open a finished store for reading.

    Raises AtlasError where it is missing, unfinished, of another kind or version, or (if
    `made_from` is given) made from another model, manifest or scan.
    """
    fix = f"Run `dvc repro {_STAGE[kind]}`."
    if not path.exists():
        raise AtlasError(f"There is no {path}.", fix=fix)
    try:
        root = zarr.open_group(LocalStore(path, read_only=True), mode="r", zarr_format=3)
    except (FileNotFoundError, ValueError, KeyError) as error:
        raise AtlasError(f"{path} is not a readable Zarr store ({error}).", fix=fix) from None
    attributes = root.attrs.asdict()
    if attributes.get("complete") is not True:
        raise AtlasError(f"{path} was never finished (`complete` is not set).", fix=fix)
    expected = (f"feature-atlas/{kind}", SCHEMA_VERSION)
    if (attributes.get("schema"), attributes.get("schema_version")) != expected:
        raise AtlasError(
            f"{path} is {attributes.get('schema')} version {attributes.get('schema_version')}, "
            f"not {expected[0]} version {expected[1]}.",
            fix=fix,
        )
    if made_from is not None:
        _check_provenance(path, attributes, made_from, fix)
    if _SEAL in attributes:  # not every writer signs
        _check_metadata(path / _METADATA, fix)
    return root


def _check_metadata(path: Path, fix: str) -> None:
    """Raise AtlasError where a store's metadata, those of its layers included, were changed."""
    metadata = json.loads(path.read_text(encoding="utf-8"))
    if metadata["attributes"].pop(_SEAL) != content_sha256(metadata):
        raise AtlasError(f"{path} is not as it was written: its sha256 differs.", fix=fix)


_OTHER = {
    "weights_sha256": "other weights",
    "manifest_sha256": "another manifest",
    "model_sha256": "another model",
    "scan_sha256": "another scan",
}
_STAGE: Mapping[Kind, str] = {"scan": "scan", "projections": "project", "crops": "crop"}
assert set(_STAGE) == set(get_args(Kind)) == set(DIMENSIONS)


def _check_provenance(
    path: Path, attributes: Mapping[str, object], made_from: Provenance, fix: str
) -> None:
    # Not every writer names the scan and the card.
    found = {
        "scan_sha256": made_from.scan_sha256,
        "model_sha256": made_from.model_sha256,
        **attributes,
    }
    for name, expected in made_from.attributes().items():
        if found.get(name) != expected:
            raise AtlasError(
                f"{path} belongs to {_OTHER[name]} "
                f"({str(found.get(name))[:12]}…, now {expected[:12]}…).",
                fix=fix,
            )


def read_scan(root: zarr.Group, layer: str) -> ScanRecord:
    """One layer of an open scan store, in memory. Raises AtlasError for a layer it lacks."""
    group = open_layer(root, layer)
    names = set(dict(group.arrays()))
    wanted = [*SCAN_DIMENSIONS, *(name for name in EXAMPLE_ARRAYS if name in names)]
    arrays = {name: read_array(group, "scan", name) for name in wanted}
    edges: Any = group["histogram"].attrs["edges"]
    return scan_record(arrays, edges)


def read_array(
    layer: zarr.Group, kind: Kind, name: str, channels: slice = slice(None)
) -> np.ndarray[Any, np.dtype[Any]]:
    """Some channels of an array of a layer's group, in memory.

    Raises AtlasError where the array or a chunk is missing, or its bytes are not those that were
    written.
    """
    try:
        array = dict(layer.arrays())[name]
        _require_chunks(array, channels)
        return np.asarray(array[channels])
    except (KeyError, ValueError, RuntimeError) as error:
        raise AtlasError(
            f"{layer.store_path}/{name} is damaged ({' '.join(str(error).split())}).",
            fix=f"Run `dvc repro -f -s {_STAGE[kind]}`, then `dvc repro`.",
        ) from error


def _require_chunks(array: zarr.Array[Any], channels: slice) -> None:
    """Raise ValueError for a chunk, or shard, of some channels that is not there.

    Zarr would read it as zeros. Chunks divide the channels alone; an array without elements, such
    as means over the classes of a network without any, has none.
    """
    if array.size == 0:
        return
    store = array.store_path.store
    assert isinstance(store, LocalStore)
    start, stop, _ = channels.indices(array.shape[0])
    size = (array.shards or array.chunks)[0]
    for number in range(start // size, -(-stop // size)):
        key = array.metadata.encode_chunk_key((number, *[0] * (array.ndim - 1)))
        if not (store.root / array.path / key).is_file():
            raise ValueError(f"its chunk {key} has gone")


def open_layer(root: zarr.Group, layer: str) -> zarr.Group:
    """A layer's group. Raises AtlasError naming the layers there are."""
    groups = dict(root.groups())
    if layer not in groups:
        raise AtlasError(
            f"{root.store_path} has no layer {layer!r}; it holds {', '.join(sorted(groups))}.",
            fix=f"Add {layer!r} to scan.layers in params.yaml, then run `dvc repro`.",
        )
    return groups[layer]

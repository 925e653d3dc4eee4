"""Parquet shards: a column of images {bytes, path} and a column of labels."""

import json
from collections.abc import Sequence
from typing import Any

from pipeline.dataset.class_names import class_name
from pipeline.dataset.manifest import Split
from pipeline.dataset.members import UnreachableError, parquet_library, row_position
from pipeline.dataset.remote import RemoteStore
from pipeline.dataset.store import FolderStore
from pipeline.dataset.unreadable import unreadable
from pipeline.errors import AtlasError
from pipeline.sources.archives import stamp_of_file
from pipeline.sources.protocol import Candidate
from pipeline.sources.samples import Samples, label_of, named_all, no_name, out_of_range

_IMAGE_COLUMNS = ("image", "img", "jpg", "png")
_LABEL_COLUMNS = ("label", "labels", "fine_label", "class", "target", "cls")


def parquet_samples(
    store: FolderStore | RemoteStore,
    path: str,
    split: Split | None,
    names: Sequence[str],
) -> Samples:
    """The rows of a parquet file as the Hugging Face hub has them.

    Class names are those of the features metadata in the file, else `names`. An image's path is
    the file's and the number of its row. Raises AtlasError for another schema.
    """
    parquet = parquet_library()
    try:
        with store.open(path) as source:
            file = parquet.ParquetFile(source)
            image, label = _columns(file.schema_arrow, f"{store}/{path}")
            names = _names(file.schema_arrow, label, f"{store}/{path}") or names
            return _rows(file, path, stamp_of_file(source), split, names, image, label)
    except UnreachableError as error:
        raise unreadable(f"{store}/{path}", error) from None
    except (ValueError, OSError) as error:  # pyarrow's own errors are ValueErrors
        raise AtlasError(
            f"{store}/{path} cannot be read as parquet: {' '.join(str(error).split())}.",
            fix="Fetch it again.",
        ) from None


def _rows(
    file: Any,
    path: str,
    stamp: str,
    split: Split | None,
    names: Sequence[str],
    image: str,
    label: str | None,
) -> Samples:
    samples, row = Samples(), 0
    for group in range(file.num_row_groups):
        if label is None:
            labels: Sequence[object] = [None] * file.metadata.row_group(group).num_rows
        else:
            labels = file.read_row_group(group, columns=[label]).column(0).to_pylist()
        for place, said in enumerate(labels):
            name = f"{path}/{row:08}"
            row += 1
            if isinstance(said, int):
                found, refusal = label_of(said, names), out_of_range(name, said, names)
            else:
                found, refusal = class_name(str(said or "")), no_name(name)
            if found is None:
                samples.rejected.append(refusal)
                continue
            position = row_position(group, place, image)
            samples.candidates.append(Candidate(split, name, found, position, stamp))
    return samples


def _columns(schema: Any, where: str) -> tuple[str, str | None]:
    """The names of the columns of images and of labels."""
    images = [field.name for field in schema if _is_image(field.type)]
    image = next((name for name in _IMAGE_COLUMNS if name in images), None) or next(
        iter(images), None
    )
    if image is None:
        raise AtlasError(
            f"{where} has the columns {', '.join(schema.names[:8])}, "
            "none of which holds images as {bytes, path}.",
            fix="Give parquet files with an image column, as `datasets` writes them.",
        )
    label = next((name for name in _LABEL_COLUMNS if name in schema.names), None)
    if label is not None and not _is_label(kind := schema.field(label).type):
        raise AtlasError(
            f"{where} has {kind} in its column {label}, neither numbers nor names of classes.",
            fix="Give parquet files with one class an image, as `datasets` writes them.",
        )
    return image, label


def _is_image(kind: Any) -> bool:
    import pyarrow.types as types

    if not types.is_struct(kind):
        return False
    fields = {kind.field(n).name: kind.field(n).type for n in range(kind.num_fields)}
    data = fields.get("bytes")
    return data is not None and (types.is_binary(data) or types.is_large_binary(data))


def _is_label(kind: Any) -> bool:
    import pyarrow.types as types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    accepted = (
        types.is_integer,
        types.is_boolean,
        types.is_string,
        types.is_large_string,
        types.is_null,
    )
    return any(is_kind(kind) for is_kind in accepted)


def _names(schema: Any, label: str | None, where: str) -> Sequence[str]:
    """The class names in the features that `datasets` embeds; none where it did not."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        names = [str(name) for name in features[label]["names"]]
    except (KeyError, TypeError, ValueError, RecursionError):
        return ()
    return named_all(names, where)

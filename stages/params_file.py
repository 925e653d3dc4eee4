"""Writing params.yaml: whole, with a line for every value that changes."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import yaml

from pipeline.errors import printable
from pipeline.params.strict_yaml import as_json, read_text
from pipeline.storage.publish import publish


def write_params(path: Path, text: str, origin: str) -> None:
    """Write params.yaml and say what changed, key by key."""
    old, new = read_params_file(path), yaml.safe_load(text)
    with publish(path) as fresh:
        fresh.write_text(text, encoding="utf-8")
    click.echo("\n".join(_report(path, origin, old, dict(_flat(new)))))


def dumped(content: Mapping[str, object]) -> str:
    """The text of a params.yaml, in the order of its keys."""
    text: str = yaml.safe_dump(
        content, sort_keys=False, allow_unicode=True, default_flow_style=None
    )
    return text


def read_params_file(path: Path) -> Mapping[str, object] | None:
    """The keys of a YAML file; None where it is missing, or no mapping that parameters may be."""
    try:
        content = json.loads(as_json(read_text(path)))
    except (FileNotFoundError, RecursionError, ValueError, yaml.YAMLError):
        return None
    return content if isinstance(content, dict) else None


def _flat(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Dotted names and values; an empty mapping is a value."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _report(
    path: Path, origin: str, old: Mapping[str, object] | None, new: Mapping[str, object]
) -> Iterator[str]:
    if old is None:
        yield f"{path} written from {origin}; there was no readable one before."
        return
    lines = list(changes(dict(_flat(old)), new))
    if not lines:
        yield f"{path} already says what {origin} says."
        return
    yield f"{path} written from {origin}; changed:"
    yield from (f"  {line}" for line in lines)


def changes(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    """A line for every key whose value differs, is gone or has come; the new file's order."""
    for key in [*new, *(key for key in old if key not in new)]:
        before, after = _shown(old, key), _shown(new, key)
        if before != after:
            yield f"{printable(key)}: {before} → {after}"


def _shown(values: Mapping[str, object], key: str) -> str:
    if key not in values:
        return "(not there)"
    return yaml.safe_dump(values[key], default_flow_style=True).removesuffix("...\n").strip()

"""`atlas preset NAME`: write params.yaml from a preset and say what changed."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import yaml

from pipeline.params import load_params
from pipeline.storage.publish import publish
from pipeline.workspace import Workspace
from stages.command import stage

PRESETS = Path(__file__).resolve().parents[1] / "presets"


def names() -> list[str]:
    """The presets there are."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


@stage
@click.argument("name", type=click.Choice(names()))
def main(workspace: Workspace, name: str) -> None:
    """Write params.yaml from the preset NAME and say what changed, key by key.

    Every old value that goes is printed.
    """
    source = PRESETS / f"{name}.yaml"
    load_params(source)
    old = _read(workspace.params)
    with publish(workspace.params) as path:
        path.write_bytes(source.read_bytes())
    click.echo("\n".join(_report(workspace.params, name, old, dict(_flat(_read(source) or {})))))


def _read(path: Path) -> Mapping[str, object] | None:
    """The keys of a YAML file; None where it is missing or is no mapping."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError, yaml.YAMLError):
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
    path: Path, name: str, old: Mapping[str, object] | None, new: Mapping[str, object]
) -> Iterator[str]:
    if old is None:
        yield f"{path} written from the preset {name}; there was no readable one before."
        return
    lines = list(changes(dict(_flat(old)), new))
    if not lines:
        yield f"{path} already says what the preset {name} says."
        return
    yield f"{path} written from the preset {name}; changed:"
    yield from (f"  {line}" for line in lines)


def changes(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    """A line for every key whose value differs, is gone or has come; the new file's order."""
    for key in [*new, *(key for key in old if key not in new)]:
        before, after = _shown(old, key), _shown(new, key)
        if before != after:
            yield f"{key}: {before} → {after}"


def _shown(values: Mapping[str, object], key: str) -> str:
    if key not in values:
        return "(not there)"
    return yaml.safe_dump(values[key], default_flow_style=True).removesuffix("...\n").strip()

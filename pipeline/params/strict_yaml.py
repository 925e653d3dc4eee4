"""YAML as `params.yaml` may hold it: short, without aliases, no key twice."""

from pathlib import Path
from typing import Any

import yaml
from pydantic_core import to_json

LONGEST = 100_000
"""Characters of a file of parameters."""


def read_text(path: Path) -> str:
    """The content of a file of parameters, which is a few kilobytes long. Raises ValueError."""
    if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would be waited for
        raise ValueError("it is not a file")
    with path.open(encoding="utf-8") as file:
        text = file.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST} characters")
    return text


class _Loader(yaml.SafeLoader):
    """Reads YAML, and refuses a key that appears twice, of which YAML keeps the last.

    It refuses aliases too: ten lines of them can stand for gigabytes.
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem="aliases (*) are not supported", problem_mark=event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        scalars = (key for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for key in scalars:
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"`{key.value}` appears twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def as_json(text: str) -> bytes:
    """The document as JSON, whose arrays may become tuples under exact types."""
    return to_json(yaml.load(text, Loader=_Loader), inf_nan_mode="strings")


def yaml_fault(error: yaml.YAMLError) -> str:
    """What is wrong with a document, and in which line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return " ".join(str(error).split())

"""Which files of the project a file of the project imports, read from the source."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pipeline", "stages", "atlas_site", "demo", "benchmarks")


def modules() -> list[Path]:
    """Every module of the project, relative to its root, tests aside."""
    return sorted(
        path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")
    )


def names_imported(path: Path) -> Iterator[str]:
    """Dotted names that a file imports anywhere in it; `from a import b` gives `a` and `a.b`."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.level == 0, f"{path} imports relatively"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from [node.value] * node.value.startswith(tuple(f"{p}." for p in PACKAGES))


@cache
def imported(path: Path) -> frozenset[Path]:
    """The modules of the project that a module imports, its packages' `__init__.py` among them.

    Dotted names in string constants count too: `import_module("pipeline.…")` is an import.
    """
    found = {module for name in names_imported(path) for module in _files(name)}
    return frozenset(found - {path})


def _files(name: str) -> Iterator[Path]:
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return
    for end in range(1, len(parts) + 1):
        stem = Path(*parts[:end])
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if (ROOT / path).is_file():
                yield path


def closure(path: Path, ends: frozenset[Path] = frozenset()) -> set[Path]:
    """A module and all that it imports, directly or not; not what the ends import."""
    seen: set[Path] = set()
    ahead = [path]
    while ahead:
        module = ahead.pop()
        if module not in seen:
            seen.add(module)
            ahead.extend(() if module in ends else imported(module))
    return seen


@cache
def is_empty(path: Path) -> bool:
    """Whether a module holds nothing but a docstring."""
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)

"""The code behind each stage's resumable state: `python -m tests.state_versions --write`.

A record of what was looked at. When the code of a stage has changed, somebody decides whether its
half-done work may still be resumed: if not, raises the version; then writes the record.
"""

import ast
import hashlib
import json
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pipeline.storage.versions import VERSIONS, Stateful
from tests.dvc_deps import CANNOT_CHANGE_A_RESULT
from tests.imports import ROOT, closure, is_empty

RECORD = ROOT / "tests" / "state_versions.json"


PIXELS = (Path("pipeline/dataset/images.py"), Path("pipeline/dataset/framing.py"))


def entries(stage: Stateful) -> tuple[Path, ...]:
    """The modules that are a stage's code, with what they import."""
    return PIXELS if stage == "pixels" else (Path(f"stages/{stage}.py"),)


def record(stages: Iterable[Stateful] = tuple(VERSIONS)) -> dict[str, dict[str, object]]:
    """The version and the hash of the code, by stage."""
    return {
        stage: {"version": VERSIONS[stage], "code": _sha256_of_code(entries(stage))}
        for stage in stages
    }


def _sha256_of_code(starts: Iterable[Path]) -> str:
    """One hash over modules and all that they import: neither comments, docstrings nor layout."""
    digest = hashlib.sha256()
    read = {path for start in starts for path in closure(start)}
    for path in sorted(read - CANNOT_CHANGE_A_RESULT):
        if not is_empty(path):
            code = _code((ROOT / path).read_text(encoding="utf-8"))
            digest.update(f"{path}\0{code}\0".encode())
    return digest.hexdigest()[:16]


@cache
def _code(text: str) -> str:
    """What a module does, in a form without its layout."""
    return ast.dump(_without_docstrings(ast.parse(text)))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [line for line in node.body if not _is_text(line)] or [ast.Pass()]
    return tree


def _is_text(line: ast.stmt) -> bool:
    value = line.value if isinstance(line, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def main() -> None:
    """Print the record, or write it."""
    text = json.dumps(record(), indent=2) + "\n"
    if "--write" in sys.argv[1:]:
        RECORD.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()

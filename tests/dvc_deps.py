"""The code that each stage of `dvc.yaml` depends on: `python -m tests.dvc_deps --write`.

Found by following imports. A stage lists its command and, of the library, whole packages: an edit
in one of them reruns it.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.imports import PACKAGES, ROOT, closure, is_empty

DVC_YAML = ROOT / "dvc.yaml"
IMAGES = Path("stages/images.py")
CANNOT_CHANGE_A_RESULT = {
    Path("pipeline/errors.py"),  # words
    Path("pipeline/parent.py"),  # when a process ends
    Path("pipeline/params"),  # DVC follows the values themselves
    Path("pipeline/cores.py"),  # speed
    Path("pipeline/progress.py"),  # bars
    Path("pipeline/compute"),  # where and how fast: results are equal for any workers
    Path("pipeline/workspace.py"),  # paths: test_outs_are_where_the_workspace_says
    Path("stages/command.py"),  # options of speed, the log
    Path("stages/training_bar.py"),  # a bar
    IMAGES,  # every image is verified by its hash
    Path("stages/cli.py"),  # which command is which
}


def code_deps(stage: str) -> list[str]:
    """Paths of the code that runs when a stage runs: packages of the library, its own command."""
    read = closure(Path("stages", f"{stage}.py"), frozenset([IMAGES]))
    packages = {_package(path) for path in read if not is_empty(path)}
    return sorted(str(path) for path in packages - CANNOT_CHANGE_A_RESULT)


def _package(path: Path) -> Path:
    """What is listed for a module: its package in the library, a command itself, a top folder."""
    depth = 2 if path.parts[0] in ("pipeline", "stages") else 1
    return Path(*path.parts[:depth])


def with_code_deps(text: str) -> str:
    """`dvc.yaml` with every stage's code dependencies replaced, all other lines as they are."""
    return "\n".join(_lines(text.split("\n")))


def _lines(lines: list[str]) -> Iterator[str]:
    code = re.compile(rf"      - ({'|'.join(PACKAGES)})(/\S*)?$")
    stage, in_deps = "", False
    for line in lines:
        if found := re.fullmatch(r"  (\w+):", line):
            stage = found[1]
        if in_deps and not line.startswith("      - "):
            yield from (f"      - {path}" for path in code_deps(stage))
            in_deps = False
        in_deps = in_deps or line == "    deps:"
        if not (in_deps and code.fullmatch(line)):
            yield line


def main() -> None:
    """Print the file as it should be, or write it."""
    text = with_code_deps(DVC_YAML.read_text(encoding="utf-8"))
    if "--write" in sys.argv[1:]:
        DVC_YAML.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()

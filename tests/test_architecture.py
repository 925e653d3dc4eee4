"""Imports point as docs/architecture.md says, modules stay small, and tests mirror the tree."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.imports import ROOT, imported, modules, names_imported

MODULES = modules()
LINES_AT_MOST = 400
BROAD_EXCEPT = re.compile(r"except(:| \(?(Base)?Exception\b)[^#\n]*$", re.MULTILINE)
SITE_SEES = {"atlas", "cores", "errors", "parent", "progress"}
"""What of `pipeline` the site may import."""


def packages() -> list[str]:
    """The packages in the order of the table in docs/architecture.md."""
    table = (
        (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("## The packages")[1]
    )
    return re.findall(r"^\| `([\w/.]+)` \|", table, flags=re.MULTILINE)


def place_of(path: Path) -> int | None:
    """The place of a module's package in the table; None for a package's own `__init__.py`."""
    for place, name in enumerate(packages()):
        if path.as_posix().startswith(name) or path.as_posix() == name:
            return place
    assert path.name == "__init__.py" or path.parts[0] == "benchmarks", f"{path} is in no package"
    return None


def third_parties(path: Path) -> set[str]:
    return {name.split(".")[0] for name in names_imported(path)}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_point_up_the_table_of_packages(path):
    here = place_of(path)
    if here is not None:
        below = {str(other) for other in imported(path) if (place_of(other) or 0) > here}
        assert not below


def of(package: str) -> list[Path]:
    return [path for path in MODULES if path.parts[0] == package]


@pytest.mark.parametrize("path", of("pipeline"), ids=str)
def test_the_library_knows_neither_the_command_line_nor_the_site(path):
    assert not third_parties(path) & {"click", "tqdm", "jinja2", "dvc", "stages", "atlas_site"}


def test_the_check_shares_no_code_with_what_it_checks():
    checked = ("pipeline/scan/", "pipeline/project/", "pipeline/crop/")
    checks = [path for path in MODULES if path.as_posix().startswith("pipeline/verify/")]
    shared = {str(other) for path in checks for other in imported(path)}
    assert not [name for name in shared if name.startswith(checked)]


@pytest.mark.parametrize("path", of("atlas_site"), ids=str)
def test_the_site_sees_the_artifacts_only_through_the_reader(path):
    seen = {other for other in imported(path) if other.parts[0] == "pipeline"}
    assert {other.stem for other in seen} - {"__init__"} <= SITE_SEES


def own_packages(path: Path) -> set[Path]:
    """The packages that a module is in; importing it imports them first."""
    return {folder / "__init__.py" for folder in path.parents}


def test_no_two_modules_import_each_other_however_indirectly():
    ahead = {path: imported(path) - own_packages(path) for path in MODULES}
    while leaves := [path for path, others in ahead.items() if others.isdisjoint(ahead)]:
        for leaf in leaves:
            del ahead[leaf]
    assert not ahead


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_is_short_and_named_for_what_it_holds(path):
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LINES_AT_MOST
    assert path.stem not in {"utils", "util", "helpers", "common", "misc"}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_says_what_it_is_and_hides_no_fault(path):
    source = (ROOT / path).read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert ast.get_docstring(tree)
    assert "from __future__ import annotations" not in source, "it switches the shape checks off"
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", source)
    assert not BROAD_EXCEPT.search(source), "catch what is meant, or give the reason beside it"


@pytest.mark.parametrize("line", ["except Exception:", "except (BaseException) as e:", "except:"])
def test_a_broad_except_is_found_where_no_reason_is_beside_it(line):
    assert BROAD_EXCEPT.search(f"try:\n    work()\n{line}\n    pass")
    assert not BROAD_EXCEPT.search(f"try:\n    work()\n{line}  # torch raises anything\n    pass")


TESTS = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("path", TESTS, ids=str)
def test_what_tests_share_is_in_no_file_of_tests(path):
    names = {part for name in names_imported(path) for part in name.split(".")}
    assert not {name for name in names if name.startswith("test_")}


UNTESTED_LINES = 60
"""Of a module that has no test of its own name at most."""


def test_every_module_has_a_test_of_its_own_name():
    """A test of a module is `test_NAME.py` or `test_NAME_*.py` in the folder that mirrors its."""
    lacking = []
    for path in MODULES:
        lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
        if path.parts[0] == "benchmarks" or path.name == "__init__.py" or lines <= UNTESTED_LINES:
            continue
        folder = ROOT / "tests" / path.parent
        own = [*folder.glob(f"test_{path.stem}.py"), *folder.glob(f"test_{path.stem}_*.py")]
        if not own:
            lacking.append(str(path))
    assert not lacking


def test_every_test_is_where_its_subject_is():
    """A test of a module bears its name; one of a whole package is in the package's folder."""
    strays = []
    for package in ("pipeline", "stages", "atlas_site", "demo"):
        for path in (ROOT / "tests" / package).rglob("test_*.py"):
            folder = ROOT / path.parent.relative_to(ROOT / "tests")
            subject = path.stem.removeprefix("test_")
            known = [folder.name, *(other.stem for other in folder.glob("*"))]
            named = any(subject == name or subject.startswith(f"{name}_") for name in known)
            if not (named or folder == ROOT / "atlas_site"):
                strays.append(str(path.relative_to(ROOT)))
    assert not strays


def public_names(path: Path, kind: type[ast.ClassDef] | type[ast.FunctionDef]) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names = {node.name for node in tree.body if isinstance(node, kind)}
    return {name for name in names if not name.startswith("_") and name != "main"}


@pytest.mark.parametrize("kind", [ast.ClassDef, ast.FunctionDef])
def test_no_two_modules_have_a_public_class_or_function_of_one_name(kind):
    product = [path for path in MODULES if path.parts[0] != "benchmarks"]
    defined = Counter(name for path in product for name in public_names(path, kind))
    assert not [name for name, times in defined.items() if times > 1]


TOPS = ("pipeline", "stages", "atlas_site", "benchmarks", "demo", "nets", "tests")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = {"nets/mine.py"}
"""What a user is to write."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_names_files_that_are_there(document):
    named = set(re.findall(r"`([a-z_/]+\.(?:py|js|html))`", document.read_text(encoding="utf-8")))
    files = [f"/{path.relative_to(ROOT)}" for top in TOPS for path in (ROOT / top).rglob("*.*")]
    assert not {
        name for name in named - EXAMPLES if not any(path.endswith(f"/{name}") for path in files)
    }

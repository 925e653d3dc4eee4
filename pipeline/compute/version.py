"""The versions that must be equal on every machine for results to be equal to the bit."""

import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pipeline
from pipeline.errors import AtlasError
from pipeline.storage.hashing import sha256_of_code

PACKAGES = ("torch", "torchvision", "numpy", "pillow", "distributed")

Versions = tuple[tuple[str, str], ...]
"""(what, its version), always in the same order."""


@cache
def package_versions() -> Versions:
    """The versions of Python and of the packages that decide bits."""
    installed = ((name, version(name)) for name in PACKAGES)
    return (("python", platform.python_version()), *installed)


@cache
def versions_here() -> Versions:
    """The versions of the packages and of this project's code."""
    code = sha256_of_code(Path(pipeline.__file__).parent)[:12]
    return (*package_versions(), ("the code of pipeline", code))


def check_versions(worker: str, theirs: Versions, ours: Versions) -> None:
    """Raise AtlasError naming the worker and the first thing in which it differs."""
    found, wanted = dict(theirs), dict(ours)
    for what in wanted | found:
        there, here = (versions.get(what, "of no known version") for versions in (found, wanted))
        if there != here:
            raise AtlasError(
                f"The worker {worker} has {what} {there}, this process has {here}.",
                fix="Install the same version of the project on it, restart it, and run again.",
            )

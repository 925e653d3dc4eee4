"""A signal at an aimed moment: as a command has put its n-th piece of work in its place."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Aim:
    """What is done in a process first, so that it stops itself at a moment of its work.

    A checkpoint, the mark of a chunk, an out, and state that is removed each take their place by
    a rename; these are the moments, and they are counted from 1.
    """

    moments: Path
    """Where each moment leaves a line."""
    moment: int = 0
    """The one to stop at; 0: none, they are only counted."""
    signal: int = 0
    before: bool = False
    """Stop before that rename and not after it."""
    group: bool = False
    """Signal all processes of the session."""
    first: Callable[[], object] | None = None
    """Done before anything else."""

    def __call__(self, *_: object) -> None:
        """Watch this process from here on."""
        if self.first is not None:
            self.first()
        self.moments.write_text("")
        Path.replace = self._watched(Path.replace)  # type: ignore[method-assign]
        Path.rename = self._watched(Path.rename)  # type: ignore[method-assign]

    def count(self) -> int:
        """How many moments there were."""
        return len(self.moments.read_text().splitlines())

    def _watched(self, rename: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
        def watched(path: Path, target: Path) -> Path:
            with self.moments.open("a") as file:
                file.write(f"{Path(target).name}\n")
            here = self.count() == self.moment
            if here and self.before:
                self._stop()
            found = rename(path, target)
            if here and not self.before:
                self._stop()
            return found

        return watched

    def _stop(self) -> None:
        if self.group:
            os.killpg(0, self.signal)
        else:
            os.kill(os.getpid(), self.signal)

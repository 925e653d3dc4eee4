"""Errors that a user can fix, in one line."""

from functools import partial

LONGEST = 600
"""Characters of a problem or of its fix that are shown; a value may be megabytes."""


class AtlasError(Exception):
    """Something the user can put right: what is wrong, with the values, then what to do.

    A stage prints it without a traceback and exits with status 1. Anything else that is raised
    is a fault of the program and keeps its traceback.
    """

    def __init__(self, problem: str, *, fix: str) -> None:
        self.problem = printable(problem)
        self.fix = printable(fix)
        super().__init__(f"{self.problem} {self.fix}")

    def __reduce__(self) -> tuple[partial["AtlasError"], tuple[str]]:
        """Pickle with both parts: workers raise it too."""
        return partial(type(self), fix=self.fix), (self.problem,)


_TOO_LITTLE_MEMORY = ("t allocate memory", "failed to map segment")
"""What torch and the system say of it, and the loader of a library that does not fit."""


def is_lack_of_memory(error: Exception) -> bool:
    """Whether memory ran out, by the error's class or, where it has none of its own, its words."""
    return isinstance(error, MemoryError) or any(
        words in str(error) for words in _TOO_LITTLE_MEMORY
    )


def printable(text: str) -> str:
    """One line of bounded length whose characters a terminal only shows.

    File names and values come from others: a control character among them could move the cursor,
    colour the screen or reverse the text.
    """
    if len(text) > LONGEST:
        half = LONGEST // 2
        text = f"{text[:half]} … ({len(text) - LONGEST} characters) … {text[-half:]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

"""What a user can put right, said in one line."""

from functools import partial


class AtlasError(Exception):
    """Something the user can put right: what is wrong, with the values, then what to do.

    A stage prints it without a traceback and exits with status 1. Anything else that is raised
    is a fault of the program and keeps its traceback.
    """

    def __init__(self, problem: str, *, fix: str) -> None:
        super().__init__(f"{problem} {fix}")
        self.problem = problem
        self.fix = fix

    def __reduce__(self) -> tuple[partial["AtlasError"], tuple[str]]:
        """Pickle with both parts: workers raise it too."""
        return partial(type(self), fix=self.fix), (self.problem,)

"""What a user can put right, said in one line."""


class AtlasError(Exception):
    """Something the user can put right: what is wrong, with the values, then what to do.

    A stage prints it without a traceback and exits with status 1. Anything else that is raised
    is a fault of the program and keeps its traceback.
    """

    def __init__(self, problem: str, *, fix: str) -> None:
        super().__init__(f"{problem} {fix}")
        self.problem = problem
        self.fix = fix

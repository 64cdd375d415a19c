"""Why something we start could not be started, said for the person at the terminal."""

from pathlib import Path


class StartProblem(Exception):
    """`message` says what happened with its values, `remedy` what to do now. `code` is the exit status of the command.

    Exit statuses: 1 something failed, 2 used wrongly, 3 a port is taken, 4 the data folder cannot be used,
    5 a program is missing or refuses to run on this machine, 6 somebody else is using the data folder.
    """

    def __init__(self, message: str, remedy: str = "", *, code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class DiskFull(StartProblem):
    """No space on the disk of `folder`. Freeing some cures it from outside, so whoever can wait tries again."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"There is no space left on the disk of {folder}.",
            "Free some space (200 MB are enough to start), or set AGENTBASE_DATA to a folder on another disk.",
            code=BAD_FOLDER,
        )


PORT_TAKEN = 3
BAD_FOLDER = 4
NOT_ON_THIS_MACHINE = 5
IN_USE = 6

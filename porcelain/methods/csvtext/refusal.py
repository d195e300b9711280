"""Text that cannot be taken, told by whoever knows only the lines of his own block."""

from jobs.errors import ColumnError, DatasetError


class Refused(Exception):
    """A line that cannot be taken.

    Attributes
    ----------
    line : int
        Its number, counted from 1 in its block.
    what : str
        What is wrong with it: what the message says after the name of the file.
    hint : str
        What to do about it.
    error : type
        What is raised when its number in the file is known.
    """

    def __init__(
        self,
        line: int,
        what: str,
        hint: str = "",
        error: type[DatasetError | ColumnError] = DatasetError,
    ) -> None:
        super().__init__(line, what, hint, error)
        self.line = line
        self.what = what
        self.hint = hint
        self.error = error

    def in_file(self, name: str, lines: int) -> DatasetError | ColumnError:
        """Return the error, given the name of the file and the number of lines before the block."""
        return self.error(f"line {lines + self.line} of '{name}'{self.what}", hint=self.hint)

"""The errors of the engine: what a user did that cannot be done, or what befell a job."""

from cas.errors import AccError


class MethodError(AccError):
    """A method that does not exist, does not load, or declares something impossible."""


class OptionError(AccError, ValueError):
    """An option, dataset or job that a method does not take, or a value that it cannot be."""


class NoSuchJob(AccError, LookupError):
    """A name that no job has."""


class NoSuchFile(AccError, LookupError):
    """A file that a job does not have, or an input file that is not there."""


class NoSuchDataset(AccError, LookupError):
    """A dataset that a job does not have."""


class DatasetError(AccError):
    """A dataset written or read in a way that cannot be."""


class ColumnError(DatasetError, ValueError):
    """A value that a column's type cannot hold."""


class WrongType(ColumnError, TypeError):
    """A value of a type that a column does not take."""


class OutOfRange(ColumnError, OverflowError):
    """A value beyond what a column can hold."""


class NoProject(AccError):
    """There is no project to open, or a thing asked for outside a running job."""


class UsageError(AccError):
    """A call that makes no sense where it stands."""


class CannotRunAgain(AccError):
    """A job that cannot be run as it was: something that it needs has changed, or is gone."""


class NotTrusted(AccError):
    """A run that came from a remote which is not trusted, and what may only be done with one that is."""


class SpoiledOutcome(AccError):
    """A job that came to its end, and whose outcome cannot be believed."""


class UndeclaredReads(SpoiledOutcome):
    """A job that read files without declaring them, where that is not wanted."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            hint="make files options (InputFile) or name them in depend_extra, or build without --strict",
        )


class JobFailed(AccError):
    """A job that did not reach its end.

    Attributes
    ----------
    job : str
        Label of the failed run.
    method : str
        Name of the method.
    stage : str
        "prepare", "analysis", "synthesis", or "load" when the method could not be imported.
    sliceno : int or None
        The slice, in analysis.
    traceback : str
        The user's part of the traceback, or "" when the process just died.
    """

    def __init__(  # noqa: PLR0913 - the facts of one failure
        self,
        message: str,
        *,
        job: str,
        method: str,
        stage: str,
        sliceno: int | None,
        traceback: str,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.job = job
        self.method = method
        self.stage = stage
        self.sliceno = sliceno
        self.traceback = traceback


class SaveFailed(AccError):
    """A file that a job saves in the background, and that could not be saved."""

    def __init__(self, name: str, why: str, *, hint: str = "") -> None:
        super().__init__(f"cannot save '{name}': {why}", hint=hint)
        self.name = name

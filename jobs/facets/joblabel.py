"""A job's text, its label: no part of the outcome, so a running job that looks at one learns something."""

from abc import abstractmethod

from cas.formats.canonical import Json
from jobs import context
from jobs.facets.labeltext import LabelText
from jobs.facets.runs import aside
from jobs.nodes.facts import Fact
from jobs.nodes.listing import JobRow


class JobLabel(LabelText):
    """A text like "dev-12" that notes when somebody looks at it."""

    _row: JobRow

    @property
    @abstractmethod
    def label(self) -> str:
        """The label, without noting that it was looked at."""

    def note_label(self) -> None:
        """Note that somebody looked at the label, which is no part of the outcome."""
        self._note_aside("label")

    def _note_aside(self, what: str) -> None:
        """Note a look at what is no part of the outcome of the job (see `jobs.facets.runs.aside`)."""
        if context.is_recording() and self._row.outcome is not None:
            about: dict[str, Json] = {"outcome": self._row.outcome, "of": what}
            context.note(Fact("aside", about, aside(context.current(), self._row, what)))

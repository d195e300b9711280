"""What a build shares with others through remotes: it takes what they have built, and publishes what it builds."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from jobs.execution.plan import Listener
from jobs.execution.turn import Turn
from jobs.nodes.listing import JobRow
from jobs.remote.adoption import Adoption
from jobs.remote.outbox import Outbox
from jobs.remote.shared import SharedIndex
from jobs.reuse.hit import Hit
from jobs.reuse.index import JobIndex
from jobs.reuse.key import KeyParts


class Sharing:
    """The remotes of a project, as its builds use them.

    Parameters
    ----------
    shared
        Where jobs are looked for; None: nowhere.
    outboxes
        Where jobs are published.
    turn
        Left while somebody elsewhere is asked; whoever calls has it.
    """

    def __init__(
        self,
        *,
        shared: SharedIndex | None,
        outboxes: Sequence[Outbox],
        adoption: Adoption,
        index: JobIndex,
        listener: Listener,
        turn: Turn,
    ) -> None:
        self.outboxes = outboxes
        self._shared = shared
        self._adoption = adoption
        self._index = index
        self._listener = listener
        self._turn = turn

    def find(
        self, wanted: Sequence[KeyParts], missed: Hit, accept: Callable[[JobRow], Hit], workdir: str
    ) -> Hit:
        """Return a job that a remote has and that can be reused, with a label here; else why there is none.

        Parameters
        ----------
        wanted
            The parts of its key, and others that are as good.
        missed
            What was found here.
        accept
            Says whether what a run has learned holds here; it may build subjobs to see that.
        workdir
            Of which it gets a label.
        """
        if self._shared is None:
            return missed
        with self._turn.left():
            found = self._shared.find(wanted)
        self._warn(self._shared.take_warnings())
        for claim, origin in found:
            if missed.ran is not None and missed.ran.run == claim.oid:
                continue
            hit = accept(claim.row(origin))
            if hit.row is not None:
                row = self._adoption.adopt(claim, origin=origin, workdir=workdir, action="always")
                earlier = self._index.find_label(row.earlier) if row.earlier else None
                return replace(hit, row=earlier or row, ran=row, origin=origin)
            missed = replace(missed, why_not=missed.why_not or hit.why_not)
        return missed

    def find_origin(self, wanted: Sequence[KeyParts]) -> str:
        """Return the name of a remote that has a run with one of these keys, or ""; nothing is brought."""
        if self._shared is None:
            return ""
        with self._turn.left():
            origin = self._shared.find_origin(wanted)
        self._warn(self._shared.take_warnings())
        return origin

    def offer(self, row: JobRow, *, is_new: bool) -> None:
        """Have a job published wherever jobs are.

        Parameters
        ----------
        is_new
            It has just run; else it was there, and is published where nobody has published one with its key.
        """
        for outbox in self.outboxes:
            outbox.add(row, is_new=is_new)
            self._warn(outbox.take_warnings())

    def finish(self, outbox: Outbox, waiting: Callable[[int, int], None]) -> None:
        """Publish what is left in an outbox; see `Outbox.finish`."""
        outbox.finish(waiting)
        self._warn(outbox.take_warnings())

    def close(self) -> None:
        """Give back what is open, and wait for nothing."""
        for outbox in self.outboxes:
            outbox.give_up()
        if self._shared is not None:
            self._shared.close()

    def _warn(self, texts: Sequence[str]) -> None:
        for text in texts:
            self._listener.warn(text)

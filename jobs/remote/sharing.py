"""What a build shares with others through remotes: it takes what they have built, and publishes what it builds."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final

from jobs.execution.plan import Listener
from jobs.execution.turn import Turn
from jobs.nodes.listing import JobRow
from jobs.nodes.run import ActionKey
from jobs.remote.adoption import Adoption
from jobs.remote.outbox import Outbox
from jobs.remote.shared import Found, SharedIndex
from jobs.reuse.hit import Hit
from jobs.reuse.index import JobIndex
from jobs.reuse.key import KeyParts, action_key
from jobs.wish import Wish

# two jobs that want each other as subjobs, each run elsewhere, would wait for each other
_NESTED_PATIENCE_SECONDS: Final = 600.0


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
        self._leases = [outbox.leases for outbox in outboxes if outbox.leases is not None]
        self._shared = shared
        self._adoption = adoption
        self._index = index
        self._listener = listener
        self._turn = turn
        self._is_old = False

    def find(
        self,
        wanted: Sequence[KeyParts],
        missed: Hit,
        accept: Callable[[JobRow], Hit],
        wish: Wish,
        workdir: str,
    ) -> Hit:
        """Return a job that a remote has and that can be reused, with a label here; else why there is none.

        When somebody elsewhere runs it, that is waited for.

        Parameters
        ----------
        wanted
            The parts of its key, and others that are as good.
        missed
            What was found here.
        accept
            Says whether what a run has learned holds here; it may build subjobs to see that.
        wish
            How it is wanted.
        workdir
            Of which it gets a label.
        """
        if self._shared is None:
            return missed
        hit = self._adopted(self._found(wanted), missed, accept, workdir)
        if hit.row is None and self._wait(wanted[0], wish):
            self._is_old = True
            hit = self._adopted(self._found(wanted), hit, accept, workdir)
        return hit

    def _found(self, wanted: Sequence[KeyParts]) -> Sequence[Found]:
        assert self._shared is not None
        is_old, self._is_old = self._is_old, False
        with self._turn.left():
            found = self._shared.find(wanted, **{"fresh_seconds": 0.0} if is_old else {})
        self._warn(self._shared.take_warnings())
        return found

    def _wait(self, parts: KeyParts, wish: Wish) -> bool:
        """Wait for whoever runs a job elsewhere, and return whether there was anybody."""
        key = action_key(parts)
        waited = False
        patience_seconds = _NESTED_PATIENCE_SECONDS if wish.above else math.inf

        def awaits(holder: str) -> None:
            with self._turn:
                self._listener.awaits(parts.method, holder or "somebody")

        for leases in self._leases:
            if leases.is_held_elsewhere(key):
                waited = True
                with self._turn.left():
                    leases.wait(key, awaits, patience_seconds=patience_seconds)
        return waited

    @contextmanager
    def running(self, key: ActionKey) -> Iterator[None]:
        """Have others know that a key is run inside the block, if that takes long."""
        begun = time.monotonic()
        with ExitStack() as held:
            for leases in self._leases:
                held.enter_context(leases.hold(key))
            yield
        # others have worked as long; and to look again costs little beside such a job
        self._is_old |= any(leases.is_long(time.monotonic() - begun) for leases in self._leases)

    def _adopted(
        self, found: Sequence[Found], missed: Hit, accept: Callable[[JobRow], Hit], workdir: str
    ) -> Hit:
        """Return the first of the runs found elsewhere that can be reused."""
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

    def stop(self) -> None:
        """Have nobody wait any more for jobs that run elsewhere: who does is interrupted."""
        for leases in self._leases:
            leases.stop()

    def close(self) -> None:
        """Give back what is open, and wait for nothing."""
        for outbox in self.outboxes:
            outbox.give_up()
        if self._shared is not None:
            self._shared.close()
        for leases in self._leases:
            leases.close()

    def _warn(self, texts: Sequence[str]) -> None:
        for text in texts:
            self._listener.warn(text)

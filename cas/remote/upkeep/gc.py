"""Take away at a remote what none of its refs reaches: first the log tells nothing of it any more, later files go.

Safe beside any number of readers and writers, in this order. What is dead is found anew whenever somebody else has
committed, so what is dropped is what the refs of that very moment do not reach; all of it goes in one transaction, so a
node never stays without what it links to. Whoever relied on any of it finds the number of his own transaction taken,
looks again, and sends it again. Files stay for a grace, since others may be reading by what they knew before; then they
are deleted as `cas.remote.deletion` says.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from cas.local.gc import CannotCollect
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.remote.deletion import again
from cas.remote.indexes import dropping, keeping
from cas.remote.state import Remote
from cas.remote.transaction import Change
from cas.remote.upkeep.leftovers import Leftovers
from cas.remote.upkeep.reach import Reach
from cas.remote.upkeep.repack import rewrite

GRACE_SECONDS: Final = 86_400.0
_ACTIONS: Final = "actions/"

Progress = Callable[[int], None]
# whether an action may go, given the bytes of its run
MayGo = Callable[[bytes], bool]


@dataclass(slots=True)
class Swept:
    """What a gc of a remote found and did; with `dry_run`, what it would do.

    Attributes
    ----------
    reached : int
        Objects that the refs reach.
    actions : int
        Actions that were forgotten, since they are old and nothing else names what they made.
    dead, dead_bytes : int
        Objects that the remote tells nothing of any more, and the bytes that they are stored in.
    left_bytes : int
        Bytes of dead objects that stay in packs of mostly living ones.
    rewritten : int
        Packs that were written again without what is dead in them.
    dropped : int
        Packs, and files of large objects, that nobody needs any more, and that are deleted after the grace.
    deleted, freed_bytes : int
        Files that were deleted, and how long they were.
    """

    reached: int = 0
    actions: int = 0
    dead: int = 0
    dead_bytes: int = 0
    left_bytes: int = 0
    rewritten: int = 0
    dropped: int = 0
    deleted: int = 0
    freed_bytes: int = 0


def sweep(
    local: LocalStore,
    remote: Remote,
    *,
    grace_seconds: float = GRACE_SECONDS,
    may_go: MayGo | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Swept:
    """Drop what no ref of a remote reaches, and delete what has been dropped, or left by dead writers, for the grace.

    Parameters
    ----------
    local
        Nodes that are here are not fetched.
    grace_seconds
        How long files stay after they were dropped; with 0 every pack that holds a dead object is written again.
    may_go
        Whether an action may be forgotten that no other ref reaches, given its run; None: all stay.
    dry_run
        Only say what would be done.
    progress
        Called with the number of objects that have been reached.

    Raises
    ------
    CannotCollect
        When a node that a ref reaches can be read neither here nor there: what it links to is not known.
    """
    remote.look()
    leftovers = Leftovers(remote, grace_seconds)
    work = _Sweep(local, remote, may_go, int(leftovers.now), progress or (lambda _: None))
    if dry_run:
        work.mark()
    else:
        again(remote, work.drop)
        done = rewrite(local, remote, int(leftovers.now), work.is_node, everything=grace_seconds == 0)
        work.done.rewritten, work.done.left_bytes = done.packs, done.left_bytes
    files = leftovers.find() if dry_run else leftovers.delete()
    work.done.deleted, work.done.freed_bytes = len(files), sum(files.values())
    return work.done


class _Sweep:
    """What one gc of a remote finds that nothing reaches."""

    def __init__(
        self, local: LocalStore, remote: Remote, may_go: MayGo | None, now: int, progress: Progress
    ) -> None:
        self.done = Swept()
        self._remote = remote
        self._may_go = may_go
        self._now = now
        self._progress = progress
        self._way = Reach(local, remote)

    def is_node(self, digest: bytes) -> bool:
        """Return whether an object that refs reach is a node."""
        return self._way.is_node(digest)

    def drop(self) -> None:
        """Have the remote tell of nothing that no ref reaches, and of no action that may go."""
        self._remote.commit(self._draw)

    def _draw(self) -> Change:
        forgotten = self.mark()
        change = keeping(self._remote, lambda _, digest: self._way.reached(digest), "gc")
        return dropping(self._remote.mirror, replace(change, refs=dict.fromkeys(forgotten)), self._now)

    def mark(self) -> list[str]:
        """Find and count what nothing reaches, as of what is known now; return the actions that may go."""
        others: list[ObjectId] = []
        actions: dict[str, ObjectId] = {}
        for name, oid in self._remote.mirror.refs.names():
            if self._may_go is not None and name.startswith(_ACTIONS):
                actions[name] = oid
            else:
                others.append(oid)
        self._reach(others)
        old = self._old(actions)
        self._reach(oid for oid in actions.values() if oid not in old)
        # a run stays when one that stays was made from it
        forgotten = [name for name, oid in actions.items() if not self._reached(oid)]
        self.done.actions = len(forgotten)
        self._count()
        return forgotten

    def _old(self, actions: Mapping[str, ObjectId]) -> set[ObjectId]:
        """Return the runs that may go; one that cannot be read may not, since what it reaches is not known."""
        may_go = self._may_go
        runs = {oid for oid in actions.values() if not self._reached(oid)}
        if may_go is None or not runs:
            return set()
        return {oid for oid, data in self._way.read(runs) if isinstance(data, bytes) and may_go(data)}

    def _reach(self, roots: Iterable[ObjectId]) -> None:
        for _ in self._way.visit(roots):
            self.done.reached += 1
            self._progress(self.done.reached)
        if self._way.unread:
            raise CannotCollect(
                f"node '{min(self._way.unread)}' of remote '{self._remote.name}' cannot be read",
                hint=f"'acc fsck --remote {self._remote.name}' names what is hurt, 'acc push --repair' mends it",
            )

    def _reached(self, oid: ObjectId) -> bool:
        return self._way.reached(bytes.fromhex(oid))

    def _count(self) -> None:
        done, mirror = self.done, self._remote.mirror
        dead: set[bytes] = set()
        living: set[str] = set()
        done.dead_bytes = 0
        for index in mirror.opened().values():
            for place, entry in index.entries():
                if self._way.reached(entry.digest):
                    living.add(index.packs[place])
                else:
                    dead.add(entry.digest)
                    done.dead_bytes += entry.stored_bytes
        large = {oid: told for oid, told in mirror.large() if not self._reached(oid)}
        done.dead = len(dead) + len(large)
        done.dead_bytes += sum(told.stored_bytes for told in large.values())
        done.dropped = len(mirror.packs().keys() - living) + len(large)

"""Send what a remote lacks: what is linked to before what links to it, and refs last."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from cas.formats.node import read_envelope
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.remote.deletion import again
from cas.remote.filesystem.kinds import nonce
from cas.remote.indexes import merge_indexes
from cas.remote.mirror import Mirror
from cas.remote.state import Remote
from cas.remote.transaction import Change
from cas.remote.transfer.sending import Sending
from cas.remote.uploads import Moved

# a push commits what it has sent whenever it is as much, so that one who is interrupted goes on from there
_COMMIT_BYTES: Final = 256 << 20

Progress = Callable[[int, int], None]
DrawRefs = Callable[[Mirror], Mapping[str, ObjectId | None]]


@dataclass(slots=True)
class Pushed:
    """What a push has done.

    Attributes
    ----------
    objects, bytes : int
        How many objects were sent, and how many bytes of files.
    refs : mapping of str to ObjectId or None
        The refs that were set, or deleted.
    """

    objects: int = 0
    bytes: int = 0
    refs: Mapping[str, ObjectId | None] = field(default_factory=dict)


def push(
    local: LocalStore,
    remote: Remote,
    roots: Collection[ObjectId],
    draw_refs: DrawRefs,
    *,
    why: str = "push",
    progress: Progress | None = None,
) -> Pushed:
    """Send all that the nodes `roots` reach and the remote lacks, then set refs there.

    Parameters
    ----------
    draw_refs
        Gives the refs to be set, or to be deleted, from what the remote holds; asked again when others have changed it.
    progress
        Called with the number of objects and bytes that have been sent so far.
    """
    done = Pushed()
    # when gc was quicker, what it took is sent again
    again(remote, lambda: _Push(local, remote, draw_refs, done, progress).run(roots, why))
    merge_indexes(remote)
    return done


class _Push:
    """One try of a push."""

    def __init__(
        self, local: LocalStore, remote: Remote, draw_refs: DrawRefs, done: Pushed, progress: Progress | None
    ) -> None:
        self._local = local
        self._remote = remote
        self._draw_refs = draw_refs
        self._done = done
        self._progress = progress or (lambda _objects, _bytes: None)
        self._relied: set[ObjectId] = set()
        self._on_the_way: list[ObjectId] = []
        self._number = -1

    def run(self, roots: Iterable[ObjectId], why: str) -> None:
        self._remote.look_unless_fresh()
        self._number = self._remote.mirror.number
        self._remote.mirror.refresh()
        with Sending(self._remote, self._sent) as sending:
            for oid, is_node in reached(self._local, roots, self._is_there):
                self._add(sending, oid, is_node=is_node)
                if sending.bytes >= _COMMIT_BYTES:
                    self._commit(sending.send(why), lambda _: {})
            self._commit(sending.send(why), self._draw_refs)

    def _is_there(self, oid: ObjectId) -> bool:
        """Return whether the remote has an object, which the push then relies on."""
        if not self._remote.mirror.has(oid):
            return False
        self._relied.add(oid)
        return True

    def _add(self, sending: Sending, oid: ObjectId, *, is_node: bool) -> None:
        """Send an object, unless its stored bytes have changed: what is damaged here is not spread."""
        sending.add_stored(self._local, oid, is_node=is_node)
        self._on_the_way.append(oid)
        self._done.objects += 1
        self._progress(self._done.objects, self._done.bytes)

    def _sent(self, length: int) -> None:
        self._done.bytes += length
        self._progress(self._done.objects, self._done.bytes)

    def _commit(self, change: Change, draw_refs: DrawRefs) -> None:
        refs: Mapping[str, ObjectId | None] = {}

        def draw() -> Change:
            nonlocal refs
            if self._remote.mirror.number != self._number:
                self._check()
            known = self._remote.mirror.refs
            refs = {
                name: oid for name, oid in draw_refs(self._remote.mirror).items() if known.find(name) != oid
            }
            return replace(change, nonce=nonce(), refs=refs)

        self._number = self._remote.commit(draw) or self._number
        # no ref names it yet, so gc may take it before this push comes to its end
        self._relied.update(self._on_the_way)
        self._on_the_way.clear()
        self._done.refs = {**self._done.refs, **refs}

    def _check(self) -> None:
        """Raise `Moved` unless all that was not sent, since it was there, is there still."""
        if not all(map(self._remote.mirror.has, self._relied)):
            raise Moved


def closure(
    store: LocalStore, roots: Iterable[ObjectId], is_there: Callable[[ObjectId], bool]
) -> Iterator[ObjectId]:
    """Yield what the nodes `roots` reach, each once, and what is linked to before what links to it.

    What is there already is left out, with all that it reaches.
    """
    return (oid for oid, _ in reached(store, roots, is_there))


def reached(
    store: LocalStore, roots: Iterable[ObjectId], is_there: Callable[[ObjectId], bool]
) -> Iterator[tuple[ObjectId, bool]]:
    """Yield what `closure` does, and of each whether it was reached as a node."""
    seen: set[ObjectId] = set()

    def is_wanted(oid: ObjectId) -> bool:
        if oid in seen:
            return False
        seen.add(oid)
        return not is_there(oid)

    for root in filter(is_wanted, roots):
        # nodes on the way down, each with those of its links that have not been looked at
        below = [(root, *_links(store, root))]
        while below:
            oid, blobs, nodes = below[-1]
            wanted = [*filter(is_wanted, blobs)]
            store.bring(wanted)  # some may be at another remote only
            yield from ((blob, False) for blob in wanted)
            node = next(filter(is_wanted, nodes), None)
            if node is not None:
                below.append((node, *_links(store, node)))
            else:
                yield oid, True
                below.pop()


def _links(store: LocalStore, oid: ObjectId) -> tuple[Iterator[ObjectId], Iterator[ObjectId]]:
    """Return the blobs and the nodes that a node links to."""
    envelope = read_envelope(store.get(oid))
    return iter(envelope.blobs), iter(envelope.nodes)

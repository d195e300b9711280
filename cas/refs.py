"""What refs are: mutable names for node ids, set by compare-and-set inside a transaction, with a log."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

from cas.oid import ObjectId

# what remotes had when they were last seen is under these names: the remotes keep it, too
TRACKED: Final = "remotes/"

Cell: TypeAlias = str | int | float | None
Row: TypeAlias = Mapping[str, Cell]


class _Unchecked(Enum):
    ANY = "any"


ANY = _Unchecked.ANY
Expected: TypeAlias = ObjectId | Literal[_Unchecked.ANY] | None


class Table(NamedTuple):
    """A table that a floor above declares, written in the same transaction as the refs.

    It is a listing, made again from the nodes when it is lost; refs are the truth.
    """

    name: str
    columns: Mapping[str, Literal["text", "integer", "real"]]
    key: Sequence[str]
    indexes: Sequence[Sequence[str]] = ()


class LogEntry(NamedTuple):
    """One change of one ref; `old` is None when it was made, `new` is None when it was deleted."""

    time: float
    name: str
    old: ObjectId | None
    new: ObjectId | None
    why: str


class Transaction(Protocol):
    """Changes that become visible together, or not at all."""

    def find(self, name: str) -> ObjectId | None:
        """Return what `name` points at, seen inside this transaction."""

    def set(self, name: str, new: ObjectId, *, old: Expected = ANY) -> None:
        """Point `name` at `new`; raise `RefConflict` when it is not at `old` (None: it must not exist)."""

    def delete(self, name: str, *, old: Expected = ANY) -> None:
        """Remove `name`."""

    def insert(self, table: str, row: Row) -> None:
        """Write `row`, in place of one with the same key."""

    def select(self, table: str, where: Row | None = None) -> list[dict[str, Cell]]:
        """Return the rows of `table` whose cells equal those of `where`."""

    def remove(self, table: str, where: Row) -> None:
        """Remove the rows whose cells equal those of `where`."""


class Refs(Protocol):
    """Names for node ids. One transaction writes at a time; readers never wait."""

    def find(self, name: str) -> ObjectId | None:
        """Return what `name` points at, or None."""

    def names(self, prefix: str = "") -> Iterator[tuple[str, ObjectId]]:
        """Yield name and id of each ref that begins with `prefix`, sorted by name; the first few cost little."""

    def transaction(self, why: str) -> AbstractContextManager[Transaction]:
        """Return a transaction, committed durably when its block ends and rolled back when it raises."""

    def log(self, name: str | None = None) -> Iterator[LogEntry]:
        """Yield the changes of one ref, or of all, newest first."""

    def newest_changes(self, prefix: str) -> dict[str, LogEntry]:
        """Return the newest change of each ref whose name begins with `prefix`, as far back as the log goes."""

    def select(
        self,
        table: str,
        where: Row | None = None,
        *,
        order: Sequence[str] = (),
        descending: bool = False,
        limit: int | None = None,
    ) -> list[dict[str, Cell]]:
        """Return rows of a declared table whose cells equal those of `where`."""

    def select_any(
        self, table: str, column: str, cells: Iterable[Cell], where: Row | None = None
    ) -> list[dict[str, Cell]]:
        """Return those rows, in any order, that besides have one of `cells` in `column`; None equals nothing."""

    def select_beyond(
        self, table: str, where: Row, edge: tuple[str, Cell], *, descending: bool = False, limit: int
    ) -> list[dict[str, Cell]]:
        """Return at most `limit` of those rows whose cells equal those of `where`, and which lie beyond an edge.

        Parameters
        ----------
        edge
            A column and a cell: rows that have a higher one there come, the lowest first; with `descending` the rows
            that have a lower one, the highest first.
        """

    def follow(self, table: str, column: str, onward: str, cell: Cell, limit: int) -> list[dict[str, Cell]]:
        """Return the row that has `cell` in `column`, the row that has there what that one has in `onward`, and so on.

        At most `limit` rows. When several rows have the same in `column`, all of them come, and all that follow each.
        """

    def count(self, table: str, where: Row | None = None) -> int:
        """Return the number of rows that `select` would return."""

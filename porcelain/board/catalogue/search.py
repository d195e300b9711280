"""Search over all that the catalogue knows: what fits best first, of that the newest."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from porcelain.board.catalogue.database import Database
from porcelain.board.catalogue.query import Part, excerpt_of, folded, parts_of, to_query, words_of
from porcelain.board.catalogue.schema import FIELDS

# A job whose name fits comes before one whose caption does, that before one with such a file or column. To rank a
# hundred thousand finds by how often a word occurs would take longer than a page may; the newest of a rank takes none.
_RANKS: Final = (("label", "method"), ("caption",), ("files", "datasets", "columns"), FIELDS)
_KINDS: Final[Mapping[str, str]] = {
    "label": "job",
    "method": "method",
    "caption": "caption",
    "options": "option",
    "files": "file",
    "datasets": "dataset",
    "columns": "column",
    "failure": "failure",
}
# of a rank; finds beyond these are neither counted nor shown: who has so many types another word
MOST_COUNTED: Final = 5_000
_MOST_FITS: Final = 6
_LONGEST_FIT: Final = 160


class Fit(NamedTuple):
    """A text of a job that was searched: its kind ("option", "file" ...), the text whole and in parts, its dataset."""

    kind: str
    text: str
    parts: Sequence[Part]
    dataset: str = ""


class FoundJob(NamedTuple):
    """A job that was found, and why."""

    workdir: str
    number: int
    fits: Sequence[Fit]


class FoundThing(NamedTuple):
    """A result link, build or urd list that was found."""

    kind: str
    name: Sequence[Part]
    text: Sequence[Part]

    @property
    def called(self) -> str:
        """Its name."""
        return "".join(part.text for part in self.name)


class Search:
    """What is found for one text."""

    def __init__(self, database: Database, text: str) -> None:
        self._database = database
        self._text = text
        self._words = words_of(text)
        self._counts: list[int] | None = None

    @property
    def words(self) -> list[str]:
        """What is searched: words, or how words begin."""
        return self._words

    def count(self) -> int:
        """Return how many jobs are found; at most `MOST_COUNTED` of a rank are counted, and shown."""
        return sum(self._ranks())

    def has_more(self) -> bool:
        """Return whether there are more than `count` says."""
        return MOST_COUNTED in self._ranks()

    def jobs(self, start: int, limit: int) -> list[FoundJob]:
        """Return jobs that are found, the best first, from a place on."""
        ids: list[int] = []
        for rank, count in enumerate(self._ranks()):
            if start < count and len(ids) < limit:
                ids += self._of_rank(rank, start, min(limit - len(ids), count - start))
            start = max(0, start - count)
        return [found for key in ids if (found := self._find_job(key)) is not None]

    def things(self, kind: str, limit: int) -> tuple[list[FoundThing], int]:
        """Return things of a kind that are found, the best first, and how many there are."""
        if not self._words:
            return [], 0
        match = to_query(self._text)
        tail = "FROM thing_texts JOIN things ON id = thing_texts.rowid WHERE thing_texts MATCH ? AND kind = ?"
        ((count,),) = self._database.run(
            f"SELECT count(*) FROM (SELECT 1 {tail} LIMIT {MOST_COUNTED})", (match, kind)
        )
        sql = f"SELECT things.name, text {tail} ORDER BY thing_texts.rowid DESC LIMIT {int(limit)}"
        rows = self._database.run(sql, (match, kind))
        # those whose names fit before those whose words do
        found = [
            FoundThing(
                kind,
                parts_of(name, self._words),
                excerpt_of(text.replace("\n", " · "), self._words, _LONGEST_FIT),
            )
            for name, text in rows
        ]
        return sorted(found, key=lambda each: not any(part.found for part in each.name)), int(count)

    def fits(self, text: str) -> bool:
        """Return whether a text has all words."""
        parts = parts_of(text, self._words)
        met = {folded(part.text) for part in parts if part.found}
        return bool(self._words) and all(any(each.startswith(word) for each in met) for word in self._words)

    def parts(self, text: str) -> list[Part]:
        """Return a text in parts, what was searched apart."""
        return parts_of(text, self._words)

    def _ranks(self) -> list[int]:
        """Return how many jobs are found of each rank."""
        if self._counts is None:
            sql = f"SELECT count(*) FROM (SELECT 1 FROM texts WHERE texts MATCH ? LIMIT {MOST_COUNTED})"
            ranks = range(len(_RANKS)) if self._words else ()
            self._counts = [self._database.run(sql, (self._query(rank),))[0][0] for rank in ranks]
        return self._counts

    def _of_rank(self, rank: int, start: int, limit: int) -> list[int]:
        sql = "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rowid DESC LIMIT ? OFFSET ?"
        return [key for (key,) in self._database.run(sql, (self._query(rank), limit, start))]

    def _query(self, rank: int) -> str:
        """Return the query for the jobs of a rank, without those of the ranks before."""
        wanted = to_query(self._text, _RANKS[rank])
        before = [f"({to_query(self._text, fields)})" for fields in _RANKS[:rank]]
        return f"({wanted}) NOT ({' OR '.join(before)})" if before else wanted

    def _find_job(self, key: int) -> FoundJob | None:
        columns = ", ".join(f"texts.{field}" for field in (*FIELDS, "places"))
        sql = f"SELECT workdir, number, {columns} FROM texts JOIN jobs ON id = texts.rowid WHERE texts.rowid = ?"
        for workdir, number, *texts in self._database.run(sql, (key,)):
            fields = dict(zip((*FIELDS, "places"), texts, strict=True))
            return FoundJob(workdir, number, self._fits(fields))
        return None

    def _fits(self, fields: Mapping[str, str]) -> list[Fit]:
        places = fields["places"].split("\n")
        found = []
        for field in FIELDS:
            for line, text in enumerate(fields[field].split("\n")):
                parts = excerpt_of(text, self._words, _LONGEST_FIT)
                if any(part.found for part in parts):
                    dataset = places[line] if field == "columns" and line < len(places) else ""
                    found.append(Fit(_KINDS[field], text, parts, dataset))
                if len(found) == _MOST_FITS:
                    return found
        return found

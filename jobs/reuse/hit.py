"""Is it a hit: the index has the key, and every fact of its run holds now.

Whether its run is still there, the builder asks, which then relies on it; all that a run links to is there as long.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from cas.errors import AccError, NotCanonical
from cas.formats.canonical import Json
from cas.formats.node import get_node
from cas.oid import ObjectId
from jobs.context import Context
from jobs.errors import NoSuchFile
from jobs.facets.runs import aside, get_run, row_of_run
from jobs.job import Job, dereference
from jobs.method.modules import is_found, is_missing
from jobs.nodes.facts import Fact, is_sound, undeclared
from jobs.nodes.fields import as_map
from jobs.nodes.listing import JobRow
from jobs.nodes.outcome import Outcome
from jobs.nodes.references import INPUT, WITHFILE, from_structure
from jobs.nodes.run import ActionKey
from jobs.reuse.index import JobIndex
from jobs.reuse.pathnames import PathNames, content_of
from jobs.withfile import JobWithFile

MISSING: Final = ""
_QUICK: Final = frozenset({"read", "module", "debug"})
_TRIED_AT_MOST: Final = 8


@dataclass(frozen=True, slots=True)
class Asks:
    """What checking a fact may need, handed in.

    Attributes
    ----------
    build : callable
        Builds a subjob: `build(method, **arguments)` gives its `Job`.
    look : callable
        Gives a subjob in the same way when it is there; an `AccError` when it would have to run.
    file_id : callable
        Gives the content id of a file.
    names : PathNames
        Where files that were read, and modules, are.
    """

    build: Callable[..., Job]
    look: Callable[..., Job]
    file_id: Callable[[Path], ObjectId]
    names: PathNames


@dataclass(frozen=True, slots=True)
class Hit:
    """What the index has for a key: the job, or why there is none.

    Attributes
    ----------
    row : JobRow or None
        The job that is reused.
    why_not : str
        Why a run that has the key is not reused, or "".
    ran : JobRow or None
        The run that has the key: that of `row`, or one that came out as `row` (early cutoff); or the newest,
        whose facts do not hold.
    equivalent : bool
        Whether it has the key of a source that the method declares to do the same.
    undeclared : tuple of str
        What `ran` read without declaring it, when it is reused.
    origin : str
        The remote that it was just taken from, or "".
    """

    row: JobRow | None
    why_not: str = ""
    ran: JobRow | None = None
    equivalent: bool = False
    undeclared: tuple[str, ...] = ()
    origin: str = ""


class Answer(NamedTuple):
    """What is found now where a fact has what was found then: in words why it does not hold, or "", and an id."""

    broken: str
    now: str = MISSING


class CheckedFact(NamedTuple):
    """A fact of a run, what it is about in words, and what is found now."""

    fact: Fact
    what: str
    answer: Answer


def find_hit(
    now: Context, index: JobIndex, key: ActionKey, given: Iterable[JobRow], asks: Callable[[], Asks]
) -> Hit:
    """Return the job that can be reused for `key`.

    Parameters
    ----------
    given
        The runs that the inputs come from.
    asks
        Gives what checking facts may need; most jobs have none.
    """
    row = index.find_action(key)
    if row is None:
        return Hit(None)
    undeclared: tuple[str, ...] = ()
    if row.facts:
        facts = _Facts(now, index, asks(), list(given))
        held = _first_that_holds(row, index.of_key(key, _TRIED_AT_MOST), facts)
        if isinstance(held, str):
            return Hit(None, held, row)
        row, undeclared = held, facts.undeclared
    earlier = index.find_label(row.earlier) if row.earlier else None
    return Hit(earlier or row, ran=row, undeclared=undeclared)


def holds_now(now: Context, index: JobIndex, row: JobRow, given: Iterable[JobRow], asks: Asks) -> Hit:
    """Return a run from elsewhere as the hit that it is when all its facts hold here; else why it is none."""
    facts = _Facts(now, index, asks, list(given))
    broken = facts.find_broken(row) if row.facts else ""
    return Hit(None, broken, row) if broken else Hit(row, ran=row, undeclared=facts.undeclared)


def check_facts(
    now: Context, index: JobIndex, row: JobRow, given: Iterable[JobRow], asks: Asks
) -> list[CheckedFact]:
    """Return all that a run learned beyond its key, and whether it holds now."""
    checked = _Facts(now, index, asks, list(given)).check(row)
    return [CheckedFact(fact, describe(index, fact), answer) for fact, answer in checked]


def describe(index: JobIndex, fact: Fact) -> str:
    """Return in words what a run asked beyond its key."""
    if not is_sound(fact):
        return f"something of the kind '{fact.kind}' that cannot be looked at"
    if fact.kind in ("read", "module"):
        return f"{'file' if fact.kind == 'read' else 'module'} '{fact.about}'"
    if fact.kind == "debug":
        return "how it ran"
    about = _mapping(fact)
    if fact.kind == "subjob":
        return f"subjob '{about['method']}'" + _arguments_in_words(about["arguments"])
    if fact.kind == "lookup":
        return f"the job that '{about['name']}' names"
    row = index.find_first_of_outcome(ObjectId(str(about["outcome"])))
    return f"the {about['of']} of input '{row.label}'" if row else f"the {about['of']} of an input"


def _arguments_in_words(arguments: Json) -> str:
    # here, not above: a hit asks for no words
    from jobs.comparison.sameness import show
    from jobs.reuse.difference import Reference

    values = from_structure(arguments, Reference)
    given = values.items() if isinstance(values, dict) else ()
    words = ", ".join(f"{name}={show(value)}" for name, value in given)
    return f" ({words})" if words else ""


def _first_that_holds(newest: JobRow, rows: Iterable[JobRow], facts: "_Facts") -> JobRow | str:
    """Return the newest run whose facts hold: what was read may be again as it was; else what broke the newest."""
    broken = facts.find_broken(newest)
    if not broken:
        return newest
    facts.asks = replace(facts.asks, build=facts.asks.look)  # nothing runs for what was wanted before
    for row in rows:
        if row.run != newest.run and not facts.find_broken(row):
            return row
    return broken


@dataclass(slots=True)
class _Facts:
    """Checks the facts of one run."""

    now: Context
    index: JobIndex
    asks: Asks
    given: list[JobRow]
    roots: list[JobRow] = field(default_factory=list)
    undeclared: tuple[str, ...] = ()
    checks: dict[str, Callable[[Fact], Answer]] = field(default_factory=dict)

    def find_broken(self, row: JobRow) -> str:
        """Return the first fact that does not hold any more, in words, or "" when all hold."""
        return next((answer.broken for _, answer in self.check(row) if answer.broken), "")

    def check(self, row: JobRow) -> Iterator[tuple[Fact, Answer]]:
        """Yield the facts of a run as they are checked."""
        self.roots = list(self.given)
        self.checks = {
            "subjob": self._subjob,
            "lookup": self._lookup,
            "aside": self._aside,
            "read": self._read,
            "module": self._module,
            "debug": self._debug,
        }
        # what costs little comes first: no subjob is built for a run that cannot be reused anyway
        facts = get_run(self.now.store, row.run).facts
        self.undeclared = undeclared(facts)
        for fact in sorted(facts, key=lambda fact: fact.kind not in _QUICK):
            # one from elsewhere may ask what cannot be asked
            known = is_sound(fact)
            yield (
                fact,
                self.checks[fact.kind](fact) if known else Answer(f"it learned {describe(self.index, fact)}"),
            )

    def _subjob(self, fact: Fact) -> Answer:
        about = _mapping(fact)
        method = str(about["method"])
        try:
            arguments = self._arguments(about)
            job = self.asks.build(method, **arguments)
        except AccError as err:
            # a method may have lived with that; but who only looks does not know how it would end
            refused = fact.was == MISSING and self.asks.build is not self.asks.look
            return Answer("" if refused else f"subjob '{method}' cannot be had: {err}")
        self.roots.append(job.row)
        return _answer(fact, job.row.outcome or MISSING, f"subjob '{method}' has another outcome")

    def _arguments(self, about: dict[str, Json]) -> dict[str, Any]:
        try:
            arguments: Any = from_structure(about["arguments"], self._dereference)
            return as_map(arguments)
        except AccError:
            raise
        except (LookupError, TypeError, ValueError) as err:
            raise NotCanonical("what it was given is no value of a job") from err

    def _lookup(self, fact: Fact) -> Answer:
        name = str(_mapping(fact)["name"])
        row = self.index.resolve(name)
        if row is not None:
            self.roots.append(row)
        found = MISSING if row is None else row.outcome or MISSING
        return _answer(fact, found, f"'{name}' is another job now")

    def _aside(self, fact: Fact) -> Answer:
        about = _mapping(fact)
        what = str(about["of"])
        outcome = about["outcome"]
        # inputs that are equal may come from different jobs, and the fact does not say from which: all must do
        rows = [row for row in self.roots if row.outcome == outcome]
        rows = rows or list(islice((row for row in self._reachable() if row.outcome == outcome), 1))
        for row in rows:
            found = aside(self.now, row, what)
            if found != fact.was:
                return Answer(f"the {what} of input '{row.label}' differs", found)
        return Answer("", fact.was) if rows else Answer(f"an input whose {what} was used is gone")

    def _read(self, fact: Fact) -> Answer:
        return _answer(fact, self._content(fact), f"'{fact.about}' was read and has changed")

    def _module(self, fact: Fact) -> Answer:
        path = self.asks.names.path_of(str(fact.about))
        if fact.was == MISSING:
            return Answer("" if is_missing(path) else f"module '{fact.about}' is there now")
        if not is_found(path):
            return Answer(f"module '{fact.about}' is not what is found under its name any more")
        return _answer(fact, self._content(fact), f"module '{fact.about}' has changed")

    def _debug(self, _: Fact) -> Answer:
        return Answer("it ran under a debugger")

    def _content(self, fact: Fact) -> str:
        try:
            return content_of(self.asks.names.path_of(str(fact.about)), self.asks.file_id)
        except (OSError, NoSuchFile):
            return MISSING

    def _reachable(self) -> Iterator[JobRow]:
        """Yield the given runs and those that they came from, nearest first."""
        waiting, seen = list(self.roots), set()
        for row in waiting:
            if row.run in seen:
                continue
            seen.add(row.run)
            yield row
            inputs = get_run(self.now.store, row.run).inputs
            waiting.extend(row_of_run(self.now, entry.run) for entry in inputs)

    def _dereference(self, tag: str, content: Json) -> object:
        if tag == INPUT and isinstance(content, dict) and "path" in content:
            return str(self.asks.names.path_of(str(content["path"])))
        if tag != WITHFILE:
            return dereference(tag, content)
        said = as_map(content)
        return JobWithFile(self._holder(said), str(said["name"]), said["sliced"] is True, said["extra"])

    def _holder(self, content: dict[str, Json]) -> Job:
        blobs = content["blobs"]
        name = str(content["name"]) + (".0" if content["sliced"] else "")
        for row in self._reachable():
            if row.outcome is None:
                continue
            entry = get_node(self.now.store, row.outcome, Outcome).files.get(name)
            if entry is not None and isinstance(blobs, list) and entry.blob in blobs[:1]:
                return Job.of(row)
        raise NoSuchFile(f"no input has the file '{content['name']}' any more")


def _answer(fact: Fact, found: str, otherwise: str) -> Answer:
    return Answer("" if found == fact.was else otherwise, found)


def _mapping(fact: Fact) -> dict[str, Json]:
    assert isinstance(fact.about, dict), "it is sound"
    return fact.about

"""`acc fsck`: re-hash every object, follow every link from every ref, and name what is hurt."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from cas.local.fsck import Problem, Report, check
from porcelain import config, storage, term
from porcelain.arguments import Parser

_BETWEEN_SECONDS = 0.1


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = Parser(
        "fsck",
        "Check every object and every link, and change nothing.",
        prints="KIND<TAB>ID or path<TAB>reason<TAB>names that it hurts, one line for each problem;\n"
        "KIND is corrupt, missing, torn or foreign; exit code 1 when anything but foreign files was found",
    )
    parser.add_argument("--json", action="store_true", help="print what was checked and the problems as JSON")
    parser.add_nul()
    given = parser.parse(arguments)
    project = config.here()
    ticker = _Ticker()
    report = check(storage.open_store(project), storage.open_refs(project), progress=ticker.show)
    ticker.clear()
    if given.json:
        term.emit_json(_view(report))
    else:
        for problem in report.problems:
            term.record(
                problem.kind, problem.subject, problem.reason, " ".join(_names(problem)), nul=given.nul
            )
        term.note(_summary(report))
    return 0 if report.is_sound else 1


def _view(report: Report) -> dict[str, Any]:
    return {
        "objects": report.copies,
        "refs": report.refs,
        "sound": report.is_sound,
        "problems": [
            {
                "kind": problem.kind,
                "subject": problem.subject,
                "reason": problem.reason,
                "path": problem.path and str(problem.path),
                "hurts": list(_names(problem)),
            }
            for problem in report.problems
        ],
    }


def _summary(report: Report) -> str:
    checked = f"{term.count(report.copies, 'object')} and {term.count(report.refs, 'ref')} checked: "
    damages = sum(problem.is_damage for problem in report.problems)
    return checked + ("sound" if report.is_sound else term.count(damages, "problem"))


def _names(problem: Problem) -> Iterator[str]:
    """Yield what a problem hurts, under the names that people use; an action is its job again."""
    for ref in problem.hurts:
        wing, _, rest = ref.partition("/")
        if wing == "jobs":
            yield rest.replace("/", "-")
        elif wing == "builds":
            yield f"build-{rest}"
        elif wing != "actions":
            yield ref


class _Ticker:
    """Says on a terminal how far the check is, a few times a second."""

    def __init__(self) -> None:
        self._next = 0.0

    def show(self, done: int) -> None:
        """Show that `done` objects are done."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _BETWEEN_SECONDS
            term.tick(f"{term.count(done, 'object')}")

    def clear(self) -> None:
        """Take it away."""
        term.tick("")

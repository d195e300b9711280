"""What `acc fsck --remote`, `acc push --repair` and `acc gc --remote` do and say."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from porcelain import storage, term
from porcelain.config import Config
from porcelain.watching.ticker import Ticker

if TYPE_CHECKING:
    from cas.local.fsck import Problem
    from cas.remote.upkeep.fsck import RemoteReport
    from cas.remote.upkeep.gc import Swept
    from cas.remote.upkeep.repair import Mended


def check_remote(config: Config, name: str, *, full: bool, json: bool, nul: bool) -> int:
    """Check a remote, print what is wrong, and return the exit code."""
    from cas.remote.upkeep.fsck import check

    remote = storage.open_remote(config, name)
    with Ticker(f"reading '{name}'", "object") as ticker:
        report = check(storage.open_store(config), remote, full=full, progress=ticker.show)
    if json:
        term.emit_json(_report_view(report))
    else:
        for problem in report.problems:
            term.record(
                problem.kind, problem.subject, problem.reason, " ".join(names_it_hurts(problem)), nul=nul
            )
        term.note(_summary(report, name))
        if not report.is_sound:
            term.note(_advice(report, name, full=full))
    return 0 if report.is_sound else 1


def repair_remote(config: Config, name: str, *, full: bool, json: bool, quiet: bool) -> int:
    """Send again what a remote has lost, print what that was and what is left, and return the exit code."""
    from cas.remote.upkeep.fsck import check
    from cas.remote.upkeep.repair import repair

    store, remote = storage.open_store(config), storage.open_remote(config, name)
    with Ticker(f"reading '{name}'", "object") as ticker:
        mended = repair(store, remote, full=full, progress=ticker.show)
        # what is left is told by whom it hurts, of each object by itself
        after = mended.report if mended.report.is_sound else check(store, remote)
    if json:
        term.emit_json(_report_view(after) | _mended_view(mended))
    elif not quiet:
        for what, subject in _mended(mended):
            term.record(what, subject)
    if not json:
        for problem in after.problems:
            if problem.is_damage:
                term.record("lost", problem.subject, problem.reason, " ".join(names_it_hurts(problem)))
        for key in mended.left:
            term.record("left", key)
        _tell_mended(mended, after, name, quiet=quiet)
    return 0 if after.is_sound and not mended.left else 1


def _mended(mended: "Mended") -> "Iterator[tuple[str, str]]":
    yield from (("sent", oid) for oid in mended.sent)
    yield from (("written", key) for key in mended.files)


def _mended_view(mended: "Mended") -> dict[str, Any]:
    return {"sent": mended.sent, "written": mended.files, "left": mended.left}


def _tell_mended(mended: "Mended", after: "RemoteReport", name: str, *, quiet: bool) -> None:
    done = [term.count(len(mended.sent), "object")] if mended.sent else []
    done += [term.count(len(mended.files), "file")] if mended.files else []
    if not quiet:
        told = f"{' and '.join(done)} sent again" if done else "nothing to mend"
        term.note(f"'{name}': {told}" if after.is_sound else f"'{name}': {told}; {_left(after)}")
    if not after.is_sound:
        term.note("hint: whoever has what is lost sends it with the same command; else run those jobs again")
    if mended.left:
        term.note(
            f"hint: what is left may just be being written; try 'acc push --repair --full {name}' in an hour"
        )


def _left(after: "RemoteReport") -> str:
    damages = sum(problem.is_damage for problem in after.problems)
    return f"{term.count(damages, 'object')} lost, and not here"


def sweep_remote(
    config: Config, name: str, *, grace_seconds: float, older_than: float | None, dry_run: bool, json: bool
) -> int:
    """Take away what nothing at a remote reaches, print what that was, and return the exit code."""
    from cas.remote.upkeep.gc import sweep

    remote = storage.open_remote(config, name)
    with Ticker(f"marking '{name}'", "object") as ticker:
        swept = sweep(
            storage.open_store(config),
            remote,
            grace_seconds=grace_seconds,
            may_go=None if older_than is None else _ended_before(time.time() - older_than),
            dry_run=dry_run,
            progress=ticker.show,
        )
    if json:
        term.emit_json(dict(_counts(swept)))
    else:
        for field, value in _counts(swept):
            term.record(field, value)
    return 0


def names_it_hurts(problem: "Problem") -> Iterator[str]:
    """Yield what a problem hurts, under the names that people use; an action is its job again."""
    for ref in problem.hurts:
        wing, _, rest = ref.partition("/")
        if wing == "jobs":
            yield rest.replace("/", "-")
        elif wing == "builds":
            yield f"build-{rest}"
        elif wing != "actions":
            yield ref


def _ended_before(time: float) -> Callable[[bytes], bool]:
    from jobs.reuse.retention import has_ended

    return lambda run: has_ended(run, before=time)


def _report_view(report: "RemoteReport") -> dict[str, Any]:
    return {
        "files": report.files,
        "objects": report.objects,
        "refs": report.refs,
        "dangling": report.dangling,
        "unneeded": report.unneeded,
        "unneeded_bytes": report.unneeded_bytes,
        "sound": report.is_sound,
        "damaged": sorted(report.damaged),
        "here": sorted(report.here),
        "problems": [
            {
                "kind": problem.kind,
                "subject": problem.subject,
                "reason": problem.reason,
                "hurts": [*names_it_hurts(problem)],
            }
            for problem in report.problems
        ],
    }


def _summary(report: "RemoteReport", name: str) -> str:
    checked = (
        f"'{name}': {term.count(report.files, 'file')}, {term.count(report.objects, 'object')} and "
        f"{term.count(report.refs, 'ref')} checked: "
    )
    damages = sum(problem.is_damage for problem in report.problems)
    said = checked + ("sound" if report.is_sound else term.count(damages, "problem"))
    if report.dangling:
        said += f"; {term.count(report.dangling, 'object')} that no ref reaches"
    if report.unneeded:
        said += (
            f"; {term.count(report.unneeded, 'file')} ({term.size(report.unneeded_bytes)}) that nobody needs"
        )
    if report.is_sound and (report.dangling or report.unneeded):
        said += f" ('acc gc --remote {name}' takes them)"
    return said


def _advice(report: "RemoteReport", name: str, *, full: bool) -> str:
    command = f"'acc push --repair{' --full' if full else ''} {name}'"
    if report.can_be_mended:
        return f"hint: {command} mends it from here"
    lacking = term.count(len(report.damaged) - len(report.here), "object")
    return f"hint: {command} mends what can be had from here; {lacking} cannot: somebody else may have them"


def _counts(swept: "Swept") -> Iterator[tuple[str, int]]:
    yield "reached", swept.reached
    yield "actions", swept.actions
    yield "dead", swept.dead
    yield "dead-bytes", swept.dead_bytes
    yield "left-bytes", swept.left_bytes
    yield "rewritten", swept.rewritten
    yield "dropped", swept.dropped
    yield "deleted", swept.deleted
    yield "freed-bytes", swept.freed_bytes

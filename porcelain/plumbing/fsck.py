"""`acc fsck`: re-hash every object, follow every link from every ref, name what is hurt, and mend it if asked."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cas.local.fsck import Report, check
from porcelain import carelog, config, storage, term
from porcelain.commandline.arguments import Parser
from porcelain.remotecare import check_remote, names_it_hurts
from porcelain.watching.ticker import Ticker

if TYPE_CHECKING:
    from cas.local.repair import Mended
    from cas.local.store import LocalStore
    from cas.oid import ObjectId
    from cas.store import Store


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = Parser(
        "fsck",
        "Check every object and every link. Changes nothing, but with --repair.",
        prints="KIND<TAB>ID or path<TAB>reason<TAB>names that it hurts, one line for each problem;\n"
        "KIND is corrupt, missing, torn or foreign, and with --dangling also dangling; after\n"
        "--repair what is left, and what was done as quarantined<TAB>PATH, fetched<TAB>ID,\n"
        "lost<TAB>ID; exit code 1 when anything but foreign files is wrong (still)",
    )
    parser.add_argument(
        "--fast", action="store_true", help="check structure and links, not the bytes of blobs"
    )
    parser.add_argument("--dangling", action="store_true", help="name the objects that no ref reaches, too")
    parser.add_argument(
        "--repair",
        action="store_true",
        help="put damaged files aside (.acc/quarantine), keep what is sound in them, fetch good copies from remotes",
    )
    parser.add_argument(
        "--from",
        dest="sources",
        action="append",
        default=[],
        metavar="DIR",
        help="a project, or its .acc, to fetch good copies from before remotes are asked; may be given several times",
    )
    parser.add_argument(
        "--remote",
        metavar="NAME",
        help="check a remote: by its listing, and that all is there that its refs reach",
    )
    parser.add_argument(
        "--full", action="store_true", help="with --remote: fetch every file, verify every object"
    )
    parser.add_json()
    parser.add_nul()
    given = parser.parse(arguments)
    if given.sources and not given.repair:
        parser.error("--from goes with --repair")
    if given.full and not given.remote:
        parser.error("--full goes with --remote")
    project = config.here()
    if given.remote:
        if given.fast or given.dangling or given.repair:
            parser.error("--remote goes with --full, --json and -z; 'acc push --repair' mends a remote")
        return check_remote(project, given.remote, full=given.full, json=given.json, nul=given.nul)
    store, refs = storage.open_store(project), storage.open_refs(project)
    sources: list[Store] = [_open_source(text) for text in given.sources]
    dangling: list[ObjectId] = []
    note = dangling.append if given.dangling else None
    with Ticker("checking", "object") as ticker:
        report = check(store, refs, fast=given.fast, progress=ticker.show, dangling=note)
    mended = None
    if given.repair and not report.is_sound:
        sources += storage.open_remote_stores(project)
        mended, report = _repair(store, report, sources), check(store, refs, fast=given.fast)
    carelog.note(project.data, "fsck", _counts(report) | {"fast": given.fast})
    if given.json:
        term.emit_json(_view(report, dangling, mended))
    else:
        _print(report, dangling, mended, nul=given.nul)
    return 0 if report.is_sound else 1


def _open_source(text: str) -> "LocalStore":
    from cas.local.store import LocalStore

    path = Path(text)
    return LocalStore(path / ".acc" if (path / ".acc").is_dir() else path)


def _repair(store: "LocalStore", report: Report, sources: "Sequence[Store]") -> "Mended":
    from cas.local.repair import repair

    with Ticker("repairing", "object") as ticker:
        return repair(store, report.problems, sources, progress=ticker.show)


def _print(report: Report, dangling: "Sequence[ObjectId]", mended: "Mended | None", *, nul: bool) -> None:
    for done, subject in _done(mended):
        term.record(done, subject, nul=nul)
    for problem in report.problems:
        term.record(problem.kind, problem.subject, problem.reason, " ".join(names_it_hurts(problem)), nul=nul)
    for oid in dangling:
        term.record("dangling", oid, "no ref reaches it", "", nul=nul)
    for err in report.silent:
        term.warn(f"what is missing may be at a remote: {err}")
    term.note(_summary(report))
    if any(
        problem.kind == "corrupt" and problem.path and problem.path.name == "refs.sqlite"
        for problem in report.problems
    ):
        term.note("hint: 'acc update-ref --rebuild' makes refs again from the runs in the store")
    elif mended is None and not report.is_sound:
        term.note(
            "hint: 'acc fsck --repair' puts damaged files aside and fetches good copies from remotes, --from DIR too"
        )


def _done(mended: "Mended | None") -> Iterator[tuple[str, object]]:
    if mended is not None:
        yield from (("quarantined", path) for path in mended.quarantined)
        yield from (("fetched", oid) for oid in mended.fetched)
        yield from (("lost", oid) for oid in mended.lost)


def _view(report: Report, dangling: "Sequence[ObjectId]", mended: "Mended | None") -> dict[str, Any]:
    counts = _counts(report)
    del counts["damages"]
    view: dict[str, Any] = counts | {
        "problems": [
            {
                "kind": problem.kind,
                "subject": problem.subject,
                "reason": problem.reason,
                "path": problem.path and str(problem.path),
                "hurts": list(names_it_hurts(problem)),
            }
            for problem in report.problems
        ],
    }
    if dangling:
        view["dangling_objects"] = list(dangling)
    if mended is not None:
        view["repaired"] = [{"what": what, "subject": str(subject)} for what, subject in _done(mended)]
    return view


def _counts(report: Report) -> dict[str, int]:
    return {
        "objects": report.copies,
        "refs": report.refs,
        "dangling": report.dangling,
        "promised": report.promised,
        "sound": report.is_sound,
        "damages": sum(problem.is_damage for problem in report.problems),
    }


def _summary(report: Report) -> str:
    checked = f"{term.count(report.copies, 'object')} and {term.count(report.refs, 'ref')} checked: "
    damages = sum(problem.is_damage for problem in report.problems)
    left = f"; {report.dangling:,} that no ref reaches" if report.dangling else ""
    promised = f"; {report.promised:,} more at remotes only" if report.promised else ""
    if left and report.is_sound:
        left += " ('acc gc' takes them)"  # of a damaged store, gc would take what only seems to be unreached
    return checked + ("sound" if report.is_sound else term.count(damages, "problem")) + promised + left

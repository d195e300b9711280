"""`acc job`, `acc show`, `acc link`, `acc checkout`: one job, or one thing of it."""

import codecs
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from cas.oid import ObjectId
from jobs.errors import NoSuchFile, NoSuchJob
from jobs.nodes.listing import JobRow
from jobs.nodes.parts import ANALYSIS, PREPARE, SYNTHESIS, part_in_words
from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.spec import Resolver, Target, get_oid, open_resolver
from porcelain.views import job_views
from porcelain.views.plain import View

_CHUNK_BYTES = 1 << 20
_SLICES_A_LINE = 8
_PARTS = (PREPARE, ANALYSIS, SYNTHESIS)
_WIDTH = 80
_SET_IN = "  "


def job(arguments: Sequence[str]) -> int:
    """Show everything about one job."""
    parser = Parser(
        "job",
        "show everything about one job",
        prints="how it came to be (why it ran, when, the time of each stage and slice), its options and inputs,\n"
        "its files, datasets and subjobs, what it learned while it ran, and how it failed if it did",
    )
    parser.add_argument("spec", nargs="?", metavar="SPEC", help="the job, as dev-12 or a method's name")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "-o",
        "--output",
        nargs="?",
        const="",
        metavar="PART",
        help="print what it printed, by stage and slice; behind SPEC with a PART, only that of prepare, analysis, "
        "synthesis, or the slice of that number",
    )
    which.add_argument("-s", "--source", action="store_true", help="print the code that ran")
    which.add_argument(
        "-v", "--verbose", action="store_true", help="also show as bars when each stage and slice ran"
    )
    parser.add_json()
    given = parser.parse(arguments)
    if given.spec is None:
        # `acc job -o dev-12`: the word behind -o is the job
        given.spec, given.output = given.output, ""
    if not given.spec:
        parser.error("the following arguments are required: SPEC")
    resolver = open_resolver(config.here())
    row = resolver.job(given.spec)
    if given.output is not None:
        _print_output(resolver, row, _checked_part(parser, given.output), as_json=given.json)
    elif given.source:
        texts = job_views.source(resolver, row)
        term.emit_json(texts) if given.json else _print_texts(texts)
    else:
        _print_job(job_views.job(resolver, row), as_json=given.json, bars=given.verbose)
    return 0


def _checked_part(parser: Parser, part: str) -> str:
    if part and part not in _PARTS and not part.isdecimal():
        parser.error(f"'{part}' is none of {', '.join(_PARTS)} and no number of a slice")
    return str(int(part)) if part.isdecimal() else part


def _print_output(resolver: Resolver, row: JobRow, part: str, *, as_json: bool) -> None:
    if part.isdecimal() and int(part) >= resolver.config.slices and part not in resolver.run(row).output:
        raise NoSuchFile(f"job '{row.label}' has no slice {part}", hint=f"'acc job {row.label}' shows it")
    texts = job_views.output(resolver, row, part)
    term.emit_json(texts) if as_json else _print_texts(texts)


def show(arguments: Sequence[str]) -> int:
    """Show whatever a name stands for."""
    parser = Parser(
        "show",
        "show whatever a name stands for: a job, file, dataset, build ...",
        prints="a job as 'acc job' does, a dataset as 'acc ds' does, the bytes of a file, the jobs of a build,\n"
        "and any other object as it is (nodes as JSON)",
    )
    parser.add_argument("spec", metavar="SPEC", help="dev-12, dev-12:FILE, dev-12/NAME, build-3, an id ...")
    parser.add_json()
    given = parser.parse(arguments)
    resolver = open_resolver(config.here())
    target = resolver.resolve(given.spec)
    if target.kind == "job" and target.row is not None:
        _print_job(job_views.job(resolver, target.row), as_json=given.json)
    elif target.kind == "dataset":
        # here, not above: it loads what only datasets need
        from porcelain.commands.ds import print_dataset
        from porcelain.views.dataset_views import dataset

        print_dataset(dataset(resolver, target), as_json=given.json)
    elif target.kind == "build":
        # here, not above: each kind of node costs a millisecond at the start
        from porcelain.views import build_views

        _print_build(build_views.build(resolver, target.name, get_oid(target)), as_json=given.json)
    else:
        _show_object(resolver, given.spec, target, as_json=given.json)
    return 0


def link(arguments: Sequence[str]) -> int:
    """Link a file of a job into the result directory."""
    # here, not above: `acc job` need not load them
    from jobs.nodes.result import Result
    from porcelain.results import ResultLinks

    parser = Parser("link", "link a file of a job into the result directory", prints="the path of the link")
    parser.add_argument("spec", metavar="SPEC:FILE", help="the file, as dev-12:plot.png")
    name_help = (
        "of the link, by default the file's; it may have folders, and one that ends in '/' is a folder"
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help=name_help)
    given = parser.parse(arguments)
    resolver = open_resolver(config.here())
    target = resolver.resolve(given.spec)
    if target.kind != "file" or target.row is None:
        raise NoSuchFile(f"'{given.spec}' is no file of a job", hint="name one as dev-12:plot.png")
    linkname = given.name or Path(target.name).name
    if linkname.endswith("/"):
        linkname += Path(target.name).name
    blob = get_oid(target)
    from jobs.facets.checkout import checkout as put_back

    path = put_back(resolver.store, blob, resolver.folder(target.row), target.name)
    links = ResultLinks(resolver.config.result_directory, resolver.store, resolver.index.refs)
    term.line(str(links.link(Result(target.row.run, target.name, blob), linkname, path)))
    return 0


def checkout(arguments: Sequence[str]) -> int:
    """Put files of a job back into its job directory."""
    from jobs.facets.checkout import blob_of
    from jobs.facets.checkout import checkout as put_back

    parser = Parser(
        "checkout",
        "put files of a job back into its job directory",
        prints="the path of each file, a read-only copy of what the store holds",
    )
    parser.add_argument("spec", metavar="SPEC", help="the job, or SPEC:FILE")
    parser.add_argument("files", nargs="*", metavar="FILE", help="which files, '*.png' too; by default all")
    given = parser.parse(arguments)
    resolver = open_resolver(config.here())
    target = resolver.resolve(given.spec)
    if target.row is None:
        raise NoSuchJob(f"'{given.spec}' is no job")
    stored = resolver.outcome(target.row).files
    wanted = [target.name] if target.kind == "file" else given.files or ["*"]
    for name in _matching(target.row, stored, wanted):
        blob = blob_of(resolver.store, name, stored[name])
        term.line(str(put_back(resolver.store, blob, resolver.folder(target.row), name)))
    return 0


def _matching(row: JobRow, names: Iterable[str], patterns: Iterable[str]) -> list[str]:
    chosen: set[str] = set()
    for pattern in patterns:
        found = {name for name in names if name == pattern or fnmatchcase(name, pattern)}
        if not found and pattern != "*":
            raise NoSuchFile(
                f"job '{row.label}' has no file '{pattern}'", hint=f"'acc job {row.label}' lists its files"
            )
        chosen |= found
    return sorted(chosen)


def _show_object(resolver: Resolver, spec: str, target: Target, *, as_json: bool) -> None:
    oid = get_oid(target)
    envelope = resolver.envelope(oid) if target.kind == "object" else None
    if envelope is not None:
        term.emit_json({"kind": envelope.kind, "format": envelope.format, **envelope.body})
    elif as_json:
        owner = target.row and target.row.label
        term.emit_json(
            {
                "object": oid,
                "size": resolver.store.size_of(oid),
                "job": owner,
                "file": target.name or None,
            }
        )
    else:
        _print_blob(resolver, spec, oid)


def _print_blob(resolver: Resolver, spec: str, oid: ObjectId) -> None:
    with resolver.store.open(oid) as stream:
        chunk = stream.read(_CHUNK_BYTES)
        if term.is_terminal() and not _is_text(chunk):
            size = term.size(resolver.store.size_of(oid))
            term.note(
                f"'{spec}' is binary ({size}); to have it: acc show {spec} > FILE, or acc checkout {spec}"
            )
            return
        while chunk:
            term.raw(chunk)
            chunk = stream.read(_CHUNK_BYTES)


def _is_text(chunk: bytes) -> bool:
    try:
        # the last character may be cut in two
        codecs.getincrementaldecoder("utf-8")().decode(chunk)
    except UnicodeDecodeError:
        return False
    return b"\0" not in chunk


def _print_texts(texts: dict[str, str]) -> None:
    for number, (name, text) in enumerate(texts.items()):
        if len(texts) > 1:
            term.line() if number else None
            term.heading(f"slice {name}:" if name.isdigit() else f"{name}:")
        term.raw(text.encode())
        if text and not text.endswith("\n"):
            term.line()


def _print_build(view: View, *, as_json: bool) -> None:
    if as_json:
        term.emit_json(view)
        return
    term.heading(f"{view['build']}  {view['script']}")
    asked = {name: text for name, text in view["asked"].items() if text}
    term.fields(
        {
            "status": view["status"],
            "started": term.moment(view["started"]),
            "seconds": term.duration(view["seconds"]),
            **({"user": view["user"]} if view["user"] else {}),
            **asked,
        }
    )
    term.section("jobs", _job_lines(view["jobs"]))
    term.section("results", ([name] for name in view["results"]))
    term.section("warnings", ([text] for text in view["warnings"]))
    if view["output"]:
        term.line()
        term.heading("it printed")
        term.raw(view["output"].encode())


def _job_lines(entries: Sequence[View]) -> list[list[str]]:
    """Return the cells of the jobs of a build: its name only where that is not the method."""
    has_names = any(entry["name"] != entry["method"] for entry in entries)
    return [
        [
            entry["job"],
            entry["method"] or "",
            *[entry["name"]] * has_names,
            _how_in_words(entry),
            entry["caption"],
        ]
        for entry in entries
    ]


def _how_in_words(entry: View) -> str:
    if entry["how"] == "cutoff":
        return "built, came out as before"
    return f"{entry['how']} from {entry['origin']}" if entry["origin"] else str(entry["how"])


def _print_job(view: View, *, as_json: bool, bars: bool = False) -> None:
    if as_json:
        term.emit_json(view)
        return
    term.heading(f"{view['label']}  {view['method']}")
    term.fields(dict(_facts_of(view)))
    if bars:
        _print_bars(view)
    term.section("options", ([name, repr(value)] for name, value in view["options"].items()))
    term.section(
        "inputs", ([entry["path"], entry["spec"], entry["method"] or ""] for entry in view["inputs"])
    )
    term.section("files", ([entry["name"], term.size(entry["size"])] for entry in view["files"]))
    term.section("datasets", map(_dataset_cells, view["datasets"]))
    term.section(
        "subjobs",
        (
            [entry["job"], entry["method"] or "", "built" if entry["built"] else "reused"]
            for entry in view["subjobs"]
        ),
    )
    term.section("read without declaring it", ([name] for name in view["undeclared"]))
    term.section(
        "learned while it ran",
        ([fact["kind"], _about(fact["about"])] for fact in view["facts"] if fact["kind"] != "read"),
    )
    if view["output"]:
        term.line()
        term.line(f"it printed something in: {', '.join(view['output'])} ('acc job -o {view['label']}')")
    if view["failure"]:
        _print_failure(view["failure"])


def _print_bars(view: View) -> None:
    from porcelain.views.timeline import timeline

    # as wide as a small terminal where there is none
    lines = timeline(view, (term.width() if term.is_terminal() else _WIDTH) - len(_SET_IN))
    if lines:
        term.line()
        term.heading("times")
    for line in lines:
        term.line(f"{_SET_IN}{line}")


def _facts_of(view: View) -> Iterator[tuple[str, str]]:
    if view["caption"]:
        yield "caption", view["caption"]
    yield "why", view["why"] or "-"
    if view["earlier"]:
        yield "came out as", view["earlier"]
    yield "state", f"{view['state']} {term.moment(view['ended'])}, {term.duration(view['seconds'])} s"
    if view["stages"]:
        yield (
            "stages",
            ", ".join(f"{stage} {term.duration(seconds)}" for stage, seconds in view["stages"].items()),
        )
    if view["slices"]:
        texts = [term.duration(seconds) for seconds in view["slices"]]
        lines = [texts[i : i + _SLICES_A_LINE] for i in range(0, len(texts), _SLICES_A_LINE)]
        yield "slices", "\n".join("  ".join(line) for line in lines)
    if view["parent"]:
        yield ("made in" if view["parent"].startswith("build-") else "subjob of"), view["parent"]
    versions = ", ".join(f"{name} {version}" for name, version in view["versions"].items())
    yield "ran on", ", ".join(text for text in (view["host"], view["user"], versions) if text) or "-"
    yield from _place_of(view)
    yield "job id", view["job"] or "-"
    yield "run id", view["run"]


def _place_of(view: View) -> Iterator[tuple[str, str]]:
    if view["origin"]:
        yield "came from", view["origin"]
    if view["private"]:
        yield "private", f"{view['private']}; so it is not published"
    if view["path"]:
        yield "folder", view["path"]


def _dataset_cells(view: View) -> list[str]:
    return [view["name"], term.count(view["columns"], "column"), term.count(view["lines"], "line")]


def _about(about: Any) -> str:
    values = about.values() if isinstance(about, dict) else [about]
    return " ".join(value for value in values if isinstance(value, str))


def _print_failure(failure: View) -> None:
    where = part_in_words(failure["stage"], failure["sliceno"])
    term.line()
    term.heading(f"failed in {where}: {term.printable(failure['message'])}")
    if failure["traceback"]:
        term.line(failure["traceback"].rstrip("\n"))

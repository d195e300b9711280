"""`acc urd`: urd lists, the sessions of one, or one session."""

from collections.abc import Sequence

from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.layout import Column
from porcelain.sessions.urdlog import UrdLog
from porcelain.sessions.urdpath import SINCE, UrdError, UrdPath, parse_path, to_timestamp
from porcelain.sessions.urdspec import find_item, parse_session
from porcelain.spec import Resolver, open_resolver
from porcelain.views import build_views
from porcelain.views.plain import View


def urd(arguments: Sequence[str]) -> int:
    """List urd lists and their sessions, or show one."""
    parser = Parser(
        "urd",
        "list urd lists and their sessions, or show one",
        prints="without PATH, a line for each list: its name, how many sessions it has, the last one; of a list that "
        "ends in '/', a line for each session: timestamp, caption, jobs, build; of a session, what it depends "
        "on, and its jobs; of :LIST:JOB, the label of the job",
    )
    parser.add_argument(
        "path",
        nargs="?",
        default="/",
        metavar="PATH",
        help="[USER/]LIST, the last session of a list; [USER/]LIST/TIMESTAMP, also '<=2019-12' or first; "
        "[USER/]LIST/, all sessions; [USER/]LIST/since/TIMESTAMP, those after one; '^' behind it is one earlier, "
        "'~' one later",
    )
    parser.add_argument(
        "-g",
        "--ghosts",
        action="store_true",
        help="of LIST/, the sessions that are kept and not listed: truncated, replaced, or depending on one that was",
    )
    parser.add_json()
    given = parser.parse(arguments)
    resolver = open_resolver(config.here())
    log = UrdLog(resolver.store, resolver.index.refs)
    if given.ghosts and not given.path.endswith("/"):
        parser.error("--ghosts goes with LIST/")
    if given.path == "/" and not given.ghosts:
        _show(
            build_views.urd_lists(log),
            as_json=given.json,
            none="no urd lists yet; urd.finish in a build script makes some",
        )
    elif given.path.endswith("/") or f"/{SINCE}/" in given.path:
        _show(_sessions(log, given.path, ghosts=given.ghosts), as_json=given.json, none="no sessions")
    else:
        _show_one(resolver, log, given.path, as_json=given.json)
    return 0


def _sessions(log: UrdLog, text: str, *, ghosts: bool) -> list[View]:
    name, since, after = text.rstrip("/").partition(f"/{SINCE}/")
    path = parse_path(name, config.urd_user())
    listed = log.listed(path)
    if not listed and not log.ghosts(path):
        raise _no_list(str(path))
    if ghosts:
        return build_views.urd_sessions(log, log.ghosts(path))
    begin = to_timestamp(after if since else 0)
    return build_views.urd_sessions(
        log, (log.item(path, at, oid) for at, oid in listed.items() if at > begin)
    )


def _show(views: Sequence[View], *, as_json: bool, none: str) -> None:
    if as_json:
        term.emit_json(views)
    elif not views:
        term.note(none)
    else:
        titles = [title for title in views[0] if title != "session"]
        columns = [
            Column(title, right=isinstance(views[0][title], int), cut=title == "caption") for title in titles
        ]
        term.table(columns, [[str(view[title] or "") for title in titles] for view in views])


def _show_one(resolver: Resolver, log: UrdLog, text: str, *, as_json: bool) -> None:
    spec = parse_session(text, config.urd_user())
    item = find_item(log, spec)
    if item is None:
        if not log.listed(spec.path):
            raise _no_timestamp(log, spec.path) or _no_list(str(spec.path))
        raise UrdError(f"no session '{text}'", hint=f"'acc urd {spec.path}/' lists those that there are")
    if spec.entry is not None:
        row = resolver.job(text if text.startswith(":") else f":{text}")
        term.emit_json(row.label) if as_json else term.line(row.label)
        return
    view = build_views.urd_session(resolver, log, item)
    if as_json:
        term.emit_json(view)
        return
    term.heading(f"{view['list']}/{view['timestamp']}")
    facts = {"caption": view["caption"], "build": view["build"] or "", "session id": view["session"]}
    term.fields({name: text for name, text in facts.items() if text})
    term.section(
        "depends on", ([f"{dep['list']}/{dep['timestamp']}", dep["caption"]] for dep in view["deps"])
    )
    term.section("jobs", ([entry["job"], entry["name"], entry["method"] or ""] for entry in view["jobs"]))


def _no_timestamp(log: UrdLog, path: UrdPath) -> UrdError | None:
    """Return what is wrong with LIST/TIMESTAMP whose timestamp is none, so that it was taken for USER/LIST."""
    listed = UrdPath(config.urd_user(), path.user)
    if not log.listed(listed):
        return None
    return UrdError(
        f"'{path.name}' is no timestamp of list '{listed}'",
        hint=f"'acc urd {listed}/' lists those that there are",
    )


def _no_list(name: str) -> UrdError:
    return UrdError(f"no urd list '{name}'", hint="'acc urd' lists those that there are")

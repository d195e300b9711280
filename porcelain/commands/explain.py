"""`acc why`: why a job ran, and what a build would do now."""

from argparse import Namespace
from collections.abc import Iterator, Sequence

from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.commandline.request import read_request
from porcelain.project import Project
from porcelain.views import explanations
from porcelain.views.plain import View

_ANCESTORS_AT_MOST = 200
SET_IN = "  "
_ROUND_IT = len(SET_IN) + len(":  -> ")


def why(arguments: Sequence[str]) -> int:
    """Tell why a job ran, or what a build would do now."""
    given, texts = _parse(arguments)
    with Project(config.here()) as project:
        view = _of_request(project, given.method, texts) if given.method else _of_job(project, given.words[0])
    if given.json:
        term.emit_json(view)
    elif given.method:
        print_explanation(view)
    else:
        _print_job(view)
    return 0


def _parse(arguments: Sequence[str]) -> tuple[Namespace, dict[str, str]]:
    parser = Parser(
        "why",
        "tell why a job ran, or what a build would do now",
        prints="for a job: what differed from the nearest earlier job when it ran, whether a build would reuse it\n"
        "now, and else what differs now. With -m: whether there is such a job, and why it is the right one, or\n"
        "what differs from the nearest. Nothing runs. The exit code is 0 for all of that",
    )
    parser.usage = "acc why SPEC [--json]\n       acc why -m METHOD [KEY=VALUE ...] [--json]"
    parser.add_argument(
        "words", nargs="*", metavar="SPEC | KEY=VALUE", help="the job; or the arguments of METHOD"
    )
    parser.add_argument("-m", "--method", metavar="METHOD", help="ask about a job of this method")
    parser.add_json()
    given = parser.parse(arguments, intermixed=True)
    if given.method:
        return given, parser.key_values(given.words)
    if len(given.words) != 1:
        parser.error("give one job, or -m METHOD and its arguments")
    return given, {}


def _of_request(project: Project, method: str, texts: dict[str, str]) -> View:
    from jobs.explain import explain

    request = read_request(project, method, texts)
    return explanations.explanation(project.store, explain(project.builder, request))


def _of_job(project: Project, spec: str) -> View:
    row = project.resolver.job(spec)
    return explanations.of_job(project.store, project.explainer, row, at_most=_ANCESTORS_AT_MOST)


# -- printed -----------------------------------------------------------------------------------------------------


def _print_job(view: View) -> None:
    label, then, now = view["job"], view["then"], view["now"]
    term.heading(f"{label}  {view['method']}")
    term.fields({"ran": then["why"] or "-", "now": explanations.fate(view)})
    nearest = then["nearest"]
    if nearest:
        term.line()
        differed = "it differed" if nearest["differences"] or then["facts"] else "nothing differed"
        term.heading(f"when it ran, {differed} from '{nearest['job']}' ({term.moment(nearest['ended'])})")
        print_differences(nearest["differences"])
        for fact in then["facts"]:
            term.line(
                SET_IN
                + term.printable(f"{fact['what']}: {_short(fact['before'])} -> {_short(fact['after'])}")
            )
    if now:
        _print_why(now, f"since '{label}' ran")
    if view["stale"]:
        term.section(
            "what it was made from and would run again",
            ([each["job"], each["method"], each["reason"]] for each in view["stale"]),
        )


def print_explanation(view: View) -> None:
    """Print what a build would do with a request, and why."""
    reuse = view["reuse"]
    nearest = view["nearest"]
    fate = f"'{reuse}' would be reused" if reuse else explanations.without_a_job(view)
    # what differs is told below
    fate += f": {view['reason']}" if view["reason"] and not (nearest and nearest["differences"]) else ""
    term.heading(f"{view['method']}  {term.printable(fate)}")
    _print_why(view, f"from '{nearest['job']}' ({term.moment(nearest['ended'])})" if nearest else "")


def _print_why(view: View, since: str) -> None:
    """Print what differs, or what made the job that is reused the right one."""
    nearest = view["nearest"]
    if nearest and nearest["differences"]:
        term.line()
        term.heading(f"what differs {since}")
        print_differences(nearest["differences"])
    if view["reuse"]:
        term.line()
        term.heading("why it is the same")
        term.fields(dict(_sameness(view)))
    term.section(
        "learned while it ran" if view["reuse"] else f"learned by '{view['ran']}' while it ran",
        ([_answer(fact), fact["what"]] for fact in view["facts"]),
    )
    for name in view["unseen"]:
        term.warn(f"input file '{name}' is not in the input directory, and was taken for unchanged")


def _sameness(view: View) -> Iterator[tuple[str, str]]:
    parts, ran = view["parts"], view["ran"]
    how = "a source that the method declares to do the same" if view["equivalent"] else "the same action key"
    yield "key", f"'{ran}' has {how}"
    if ran != view["reuse"]:
        yield "cutoff", f"'{ran}' came out as '{view['reuse']}' did, which stands for it"
    yield (
        "code",
        f"version {parts['version']}" if parts["version"] is not None else f"source {parts['source'][:12]}",
    )
    given = [
        term.count(parts["options"], "option"),
        term.count(parts["inputs"], "input"),
        term.count(parts["slices"], "slice"),
    ]
    yield "given", ", ".join(given)
    if parts["environment"]:
        yield "on", ", ".join(f"{name} {version}" for name, version in parts["environment"].items())


def print_differences(found: Sequence[View], *, short: bool = False) -> None:
    """Print what differs between what two jobs were given; `short` leaves out what takes more than a line."""
    told: list[list[str]] = []
    for each in found:
        before, after = each["words"] or ("", "")
        subject, changed = each["subject"], each["changed_lines"]
        if not each["words"]:
            count = f", +{changed[0]} -{changed[1]}" if changed else ""
            term.line(SET_IN + term.printable(each["what"] + count))
        elif short or len(subject) + len(before) + len(after) + _ROUND_IT < term.width():
            term.line(SET_IN + term.printable(f"{subject}: {before} -> {after}"))
        else:
            term.line(SET_IN + term.printable(f"{subject}:"))
            term.diff([f"- {before}", f"+ {after}"], set_in=2 * SET_IN)
        if not short:
            # one job may be several inputs
            term.diff(["as above"] if each["detail"] in told else each["detail"], set_in=2 * SET_IN)
            told += [each["detail"]] if each["detail"] else []


def _answer(fact: View) -> str:
    """Return whether a fact holds, and else what was found then and what is found now."""
    if not fact["broken"]:
        return "holds"
    is_file = fact["kind"] in ("read", "module")
    found = f": {_short(fact['was'])} -> {_short(fact['now'])}" if fact["now"] or is_file else ""
    return ("changed" if is_file else fact["broken"]) + found


def _short(oid: str) -> str:
    return oid[:12] or "nothing"

"""`acc diff`: two jobs side by side, or two files or datasets of jobs."""

from collections.abc import Sequence

from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.commands.explain import SET_IN, print_differences
from porcelain.spec import open_resolver
from porcelain.views import sidebyside
from porcelain.views.differences import how
from porcelain.views.plain import View


def diff(arguments: Sequence[str]) -> int:
    """Show what differs between two jobs, files or datasets."""
    parser = Parser(
        "diff",
        "show what differs between two jobs, files or datasets",
        prints="what two jobs were given (options, inputs, environment, source as a diff), what came of them (files,\n"
        "datasets, of each column that differs the first row), what they printed, and their times. The exit code is\n"
        "0 when their outcomes are equal, 1 when they differ",
    )
    parser.add_argument("before", metavar="SPEC", help="a job, as dev-12; or SPEC:FILE, or SPEC/DATASET")
    parser.add_argument("after", metavar="SPEC", help="another of that kind")
    parser.add_argument(
        "--stat", action="store_true", help="print a line for each thing that differs, no more"
    )
    parser.add_json()
    given = parser.parse(arguments)
    resolver = open_resolver(config.here())
    targets = resolver.resolve(given.before), resolver.resolve(given.after)
    if {target.kind for target in targets} & {"file", "dataset"}:
        view = sidebyside.parts(resolver, *targets)
    else:
        view = sidebyside.jobs(resolver, resolver.job(given.before), resolver.job(given.after))
    if given.json:
        term.emit_json(view)
    else:
        _print(view, short=given.stat)
    return 0 if view["equal"] else 1


def _print(view: View, *, short: bool) -> None:
    term.heading(term.printable(f"{view['before']} -> {view['after']}  {_verdict(view)}"))
    if view.get("given"):
        _title("what they were given")
        print_differences(view["given"], short=short)
    if view["came_out"] and "given" in view:
        _title("what came of them")
    for each in view["came_out"]:
        _print_part(each, short=short)
    if view.get("output"):
        _title("what they printed")
        for each in view["output"]:
            term.line(f"{SET_IN}slice {each['part']}" if each["part"].isdigit() else SET_IN + each["part"])
            term.diff([] if short else each["detail"], set_in=2 * SET_IN)
    if view.get("times") and not short:
        term.section("seconds", [[stage, *map(_seconds, times)] for stage, times in view["times"].items()])


def _title(text: str) -> None:
    term.line()
    term.heading(text)


def _verdict(view: View) -> str:
    """Return in words whether two came out equal."""
    if "methods" not in view:
        return "equal" if view["equal"] else "different"
    method, other = view["methods"]
    name = method if method == other else f"{method} -> {other}"
    for side, failure in zip(("before", "after"), view["failures"], strict=True):
        if failure is not None:
            return f"{name}: '{view[side]}' failed: {failure}"
    if view["equal"]:
        return f"{name}: equal outcomes"
    return f"{name}: " + (
        "the outcomes differ" if view["came_out"] else "the same came of them, from other inputs"
    )


def _print_part(view: View, *, short: bool) -> None:
    """Print what differs of one file or dataset."""
    subject = f"{view['kind']} '{view['name']}'" if view["name"] else "the datasets"
    if view["kind"] == "file":
        whole = view["same_value"] or None in view["sizes"]
        what = view["what"] if whole else _pair("byte", view["sizes"])
        lines = view["detail"] or ([] if whole else [how(view)])
    elif None in view["nodes"]:
        what, lines = view["what"], []
    else:
        what = f"{_pair('line', view['lines'])}, {_pair('column', view['columns'])}"
        lines = [how(inside) for inside in view["differences"]]
    term.line(SET_IN + term.printable(f"{subject}: {what}"))
    term.diff([] if short else lines, set_in=2 * SET_IN)


def _pair(noun: str, numbers: Sequence[int]) -> str:
    """Return two numbers with their noun: "3 -> 5 lines", or "3 lines" when they are the same."""
    before, after = numbers
    return term.count(after, noun) if before == after else f"{before:,} -> {term.count(after, noun)}"


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else term.duration(seconds)

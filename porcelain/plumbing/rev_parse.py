"""`acc rev-parse`: the object id that a name stands for."""

from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence

from cas.errors import AmbiguousId
from cas.oid import ObjectId
from jobs.errors import NoSuchJob
from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.objects import ID_DIGITS, LEAST_DIGITS, NAMES_NOTHING, shortest_id
from porcelain.spec import Resolver, Target, open_resolver


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = _parse(arguments)
    resolver = open_resolver(config.here())
    for spec in given.specs:
        try:
            target = resolver.resolve(spec)
            term.record(_answer(resolver, spec, target, given), nul=given.nul)
        except (*NAMES_NOTHING, AmbiguousId):
            if given.quiet:
                return 1
            raise
    return 0


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = Parser(
        "rev-parse",
        "Print what names stand for: the job node of a job, the blob of SPEC:FILE, the head of SPEC/DATASET.",
        prints="ID, one line for each SPEC (with --short its first digits, with --label LABEL). Stops at the\n"
        "first SPEC that names nothing, or more than one object, and lists those; the exit code is 1 then",
    )
    which = parser.add_mutually_exclusive_group()
    for what, text in (
        ("run", "the run node of the job"),
        ("outcome", "its outcome node"),
        ("label", "its label, as dev-12"),
    ):
        which.add_argument(f"--{what}", dest="what", action="store_const", const=what, help=text)
    parser.add_argument(
        "--short",
        nargs="?",
        type=_digits,
        metavar="N",
        help=f"as few digits as tell it from all others, at least N (as in --short=8; else {LEAST_DIGITS})",
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="say only by the exit code what names nothing"
    )
    parser.add_nul()
    parser.add_argument("specs", nargs="+", metavar="SPEC")
    # argparse would take the SPEC behind a bare --short for its N
    bare = f"--short={LEAST_DIGITS}"
    given = parser.parse([bare if word == "--short" else word for word in arguments])
    if given.short and given.what == "label":
        parser.error("--short goes with an id, not with --label")
    return given


def _digits(text: str) -> int:
    if not (text.isascii() and text.isdigit() and LEAST_DIGITS <= int(text) <= ID_DIGITS):
        raise ArgumentTypeError(f"'{text}' is no number from {LEAST_DIGITS} to {ID_DIGITS}")
    return int(text)


def _answer(resolver: Resolver, spec: str, target: Target, given: Namespace) -> str:
    row = target.row
    if given.what is not None and row is None:
        raise NoSuchJob(f"'{spec}' is no job")
    answers: dict[str | None, ObjectId | None] = {None: target.oid}
    if row is not None and target.kind == "job":
        answers[None] = row.job
    if row is not None:
        if given.what == "label":
            return row.label
        answers |= {"run": row.run, "outcome": row.outcome}
    answer = answers[given.what]
    if answer is None:
        assert row is not None
        raise NoSuchJob(f"job '{row.label}' failed, so it has a run only", hint="ask with --run")
    return shortest_id(resolver.store, answer, given.short) if given.short else answer

"""`acc rev-parse`: the object id that a name stands for."""

from collections.abc import Sequence

from cas.oid import ObjectId
from jobs.errors import NoSuchJob
from porcelain import config, term
from porcelain.arguments import Parser
from porcelain.spec import Target, open_resolver


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = Parser(
        "rev-parse",
        "Print what names stand for: the job node of a job, the blob of SPEC:FILE, the head of SPEC/DATASET.",
        prints="ID, one line for each SPEC (with --label LABEL)",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--run", dest="what", action="store_const", const="run", help="the run node of the job"
    )
    which.add_argument(
        "--outcome", dest="what", action="store_const", const="outcome", help="its outcome node"
    )
    which.add_argument(
        "--label", dest="what", action="store_const", const="label", help="its label, as dev-12"
    )
    parser.add_argument("specs", nargs="+", metavar="SPEC")
    given = parser.parse(arguments)
    resolver = open_resolver(config.here())
    for spec in given.specs:
        term.record(_answer(spec, resolver.resolve(spec), given.what))
    return 0


def _answer(spec: str, target: Target, what: str | None) -> ObjectId | str:
    row = target.row
    if what is not None and row is None:
        raise NoSuchJob(f"'{spec}' is no job")
    answers: dict[str | None, ObjectId | str | None] = {None: target.oid}
    if row is not None and target.kind == "job":
        answers[None] = row.job
    if row is not None:
        answers |= {"run": row.run, "outcome": row.outcome, "label": row.label}
    answer = answers[what]
    if answer is None:
        assert row is not None
        raise NoSuchJob(f"job '{row.label}' failed, so it has a run only", hint="ask with --run")
    return answer

"""Refs of urd lists name the sessions that their names say, and nothing else."""

import pytest

from cas.errors import AccError
from cas.formats.node import Node, encode, read_envelope
from cas.oid import oid_of
from jobs.nodes.build import Build
from jobs.nodes.session import ListedRun, Session
from jobs.reuse.refcheck import check_ref

SESSION = Session("anna", "import", "2019-12+7", [ListedRun("x", oid_of(b"run"))], 1)
BUILD = Build("main", "done", 1, 2)
RIGHT = "urd/anna/import/2019-12+#000000000000000007"


@pytest.mark.parametrize(
    ("name", "node"),
    [
        (RIGHT, SESSION),
        (f"ghosts/{RIGHT[4:]}/{oid_of(b'x')}", SESSION),
        ("urd/anna/__auto__/2019-12-09T12:19:04.123456", BUILD),
    ],
)
def test_a_ref_for_what_it_names_is_right(name: str, node: Node) -> None:
    check_ref(name, read_envelope(encode(node)))


@pytest.mark.parametrize(
    ("name", "node"),
    [
        ("urd/anna/import/2019-12", SESSION),
        ("urd/bert/import/2019-12+#000000000000000007", SESSION),
        ("urd/anna/import/2019-12+7", SESSION),
        ("urd/anna/import/2019-13", SESSION),
        ("urd/anna/import/soon", SESSION),
        ("urd/anna/import", SESSION),
        ("urd/anna/import/more/2019-12", SESSION),
        (f"ghosts/{RIGHT[4:]}", SESSION),
        (RIGHT, BUILD),
        ("urd/anna/__auto__/2019-12-09T12:19:04", SESSION),
    ],
)
def test_a_ref_for_something_else_is_refused(name: str, node: Node) -> None:
    with pytest.raises(AccError):
        check_ref(name, read_envelope(encode(node)))

"""The two lower floors neither print nor exit, and learn nothing from environment, home or keyboard."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = [room for floor in ("cas", "jobs") for room in sorted((ROOT / floor).rglob("*.py"))]
NAMES = {"print", "input", "exit", "quit", "breakpoint"}
ATTRIBUTES = {
    ("os", "environ"),
    ("os", "environb"),
    ("os", "getenv"),
    ("os", "putenv"),
    ("Path", "home"),
    ("sys", "exit"),
    ("sys", "argv"),
}


def looks_outside(node):
    return node.attr == "expanduser" or (ast.unparse(node.value), node.attr) in ATTRIBUTES


def noises(tree):
    """Yield line and text of each loud call or look outside, imported by name or reached by attribute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
            yield f"{node.lineno}: {node.func.id}()"
        elif isinstance(node, ast.Attribute) and looks_outside(node):
            yield f"{node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.ImportFrom):
            hidden = [alias.name for alias in node.names if (node.module, alias.name) in ATTRIBUTES]
            yield from (f"{node.lineno}: from {node.module} import {name}" for name in hidden)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(ROOT)))
def test_a_room_of_cas_or_jobs_is_silent(room):
    assert list(noises(ast.parse(room.read_bytes()))) == []


@pytest.mark.parametrize(
    "line",
    ["print(1)", "import os; os.environ['A']", "from sys import exit", "Path.home()", "p.expanduser()"],
)
def test_the_check_hears_a_noise(line):
    assert list(noises(ast.parse(line)))

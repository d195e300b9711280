"""The four floors, held by `ast` alone: an import runs downward, wherever in the file it stands."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ["cas", "jobs", "porcelain", "acc"]
ROOMS = [room for floor in FLOORS for room in sorted((ROOT / floor).rglob("*.py"))]


def imported_packages(path):
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(ROOT)))
def test_a_room_imports_its_own_floor_or_one_below(room):
    own = FLOORS.index(room.relative_to(ROOT).parts[0])
    assert not set(imported_packages(room)) & set(FLOORS[own + 1 :])

import subprocess
import sys

import pytest

import cas

HEAVY = {"sqlite3", "json", "zstandard", "numpy", "fsspec", "pathlib"}


@pytest.mark.parametrize("name", cas.__all__)
def test_each_name_of_the_face_is_there(name):
    assert getattr(cas, name).__module__.startswith("cas.") or name == "ObjectId"


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        cas.nothing  # noqa: B018 - the access is the test


def test_an_id_loads_neither_stores_nor_refs():
    program = (
        "import sys; import cas; cas.oid_of(b''); print(*(name for name in sys.modules if '.' not in name))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    bare = subprocess.run(
        [sys.executable, "-c", program.replace("import cas; cas.oid_of(b'');", "")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not HEAVY & set(loaded.stdout.split()) - set(bare.stdout.split())

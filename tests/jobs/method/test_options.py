"""The values that options can be and that are more than plain data."""

import pickle
from pathlib import Path

from cas.oid import oid_of
from jobs.method.options import InputPath, OptionEnum


def test_an_input_path_reads_as_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x\xff")
    given = InputPath("data/a.csv", path, oid_of(b"x\xff"))

    assert given == "data/a.csv"
    assert given.filename() == str(path)
    with given.open() as stream:
        assert stream.read() == b"x\xff"
    with given.open("r", encoding="latin-1") as stream:
        assert stream.read() == "x\xff"


def test_an_input_path_counts_by_name_and_content_never_by_path() -> None:
    one = InputPath("a.csv", Path("/one/a.csv"), oid_of(b"x"))
    other = InputPath("a.csv", Path("/other/a.csv"), oid_of(b"x"))

    assert one.to_reference() == {"$input": {"content": oid_of(b"x"), "name": "a.csv"}}
    assert one.to_reference() == other.to_reference()


def test_an_input_path_survives_pickle() -> None:
    given = InputPath("a.csv", Path("/one/a.csv"), oid_of(b"x"))
    back = pickle.loads(pickle.dumps(given))

    assert (type(back), back, back.path, back.content) == (InputPath, given, given.path, given.content)


def test_a_name_of_an_enum_is_a_text_and_survives_pickle() -> None:
    red = OptionEnum("red green x-*").red
    back = pickle.loads(pickle.dumps(red))

    assert red == back == "red"
    assert back.enum.names == ("red", "green", "x-*")

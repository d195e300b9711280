"""Where runs came from: noted for good, and read again as it was noted."""

import multiprocessing

import pytest

from cas.oid import oid_of
from cas.remote.place import Place
from jobs.reuse.trust import CorruptOrigins, Origins, Trust

URL, OTHER = "s3://bucket/team", "s3://bucket/elsewhere"
RUNS = [oid_of(b"%d" % n) for n in range(5)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "origins"


def place(url: str, *, trusted: bool) -> Place:
    return Place("origin", url, {}, None, trusted)


def test_what_is_noted_is_known_to_all_from_then_on(path):
    reader = Origins(path)
    assert reader.urls_of(RUNS[0]) == frozenset()
    Origins(path).note(URL, RUNS[:2])
    Origins(path).note(OTHER, RUNS[1:3])
    assert [reader.urls_of(run) for run in RUNS[:4]] == [{URL}, {URL, OTHER}, {OTHER}, frozenset()]


def test_half_a_line_of_a_killed_process_is_dropped(path):
    origins = Origins(path)
    origins.note(URL, RUNS[:1])
    with open(path, "ab") as file:
        file.write(path.read_bytes()[:40])
    assert Origins(path).urls_of(RUNS[0]) == {URL}
    origins.note(OTHER, RUNS[1:2])
    assert Origins(path).urls_of(RUNS[1]) == {OTHER}


@pytest.mark.parametrize("at", [3, 20, 80], ids=["check", "id", "url"])
def test_a_flipped_bit_makes_no_run_trusted(path, at):
    Origins(path).note(URL, RUNS)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptOrigins, match="line 1 of"):
        Origins(path).urls_of(RUNS[3])


def test_many_note_at_once(path):
    def note(number):
        for run in RUNS:
            Origins(path).note(f"{URL}/{number}", [run])

    children = [multiprocessing.get_context("fork").Process(target=note, args=[n]) for n in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert all(Origins(path).urls_of(run) == {f"{URL}/{n}" for n in range(4)} for run in RUNS)


def test_a_run_is_trusted_that_was_made_here_or_came_from_where_all_is_trusted_now(path):
    Origins(path).note(URL, RUNS[:1])
    assert Trust(Origins(path), []).trusts(RUNS[1])
    assert not Trust(Origins(path), []).trusts(RUNS[0])
    assert not Trust(Origins(path), [place(URL, trusted=False)]).trusts(RUNS[0])
    assert not Trust(Origins(path), [place(OTHER, trusted=True)]).trusts(RUNS[0])
    assert Trust(Origins(path), [place(URL, trusted=True)]).trusts(RUNS[0])


@pytest.mark.parametrize("trusted", [True, False])
def test_runs_are_noted_that_come_from_where_not_all_is_trusted(path, trusted):
    Trust(Origins(path), [place(URL, trusted=trusted)]).arriving(URL)({RUNS[0]: "run", RUNS[1]: "job"})
    assert path.exists() != trusted
    assert Origins(path).urls_of(RUNS[0]) == (frozenset() if trusted else {URL})
    assert Origins(path).urls_of(RUNS[1]) == frozenset()

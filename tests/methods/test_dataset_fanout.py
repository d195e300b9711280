"""dataset_fanout and dataset_fanout_collect: a dataset for each value of a column."""

from collections import defaultdict
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.errors import JobFailed
from tests.methods.bench import SLICES

TEXT = b"who,n\nann,1\nbob,2\nann,3\n,4\n"


@pytest.fixture
def source(bench):
    return bench.build("dataset_type", source=bench.table(TEXT), column2type=TYPES).dataset()


TYPES = {"who": "unicode:utf-8", "n": "int64_10"}


def fanned(job):
    """Return the rows of each dataset by its name, sorted."""
    return {dataset.name: sorted(dataset.iterate(None)) for dataset in job.datasets}


def test_each_value_has_a_dataset_without_the_column(bench, source):
    job = bench.build("dataset_fanout", source=source, column="who")
    assert fanned(job) == {"ann": [(1,), (3,)], "bob": [(2,)], "default": [(4,)]}
    assert {name: column.type for name, column in job.dataset("ann").columns.items()} == {"n": "int64"}


def test_rows_stay_in_their_slice_and_order(bench, source):
    job = bench.build("dataset_fanout", source=source, column="who")
    ann = [
        [n for who, n in source.iterate(sliceno, ["who", "n"]) if who == "ann"] for sliceno in range(SLICES)
    ]
    assert [list(job.dataset("ann").iterate(sliceno, "n")) for sliceno in range(SLICES)] == ann


def test_values_are_collected_as_texts(bench, source):
    def collect(column):
        return bench.build("dataset_fanout_collect", source=source, column=column).load()

    assert collect("who") == {"ann", "bob", ""}
    assert collect("n") == {"1", "2", "3", "4"}


@pytest.mark.parametrize(
    ("conversion", "texts", "names"),
    [
        ("bytes", b"x y x", {"b'x'": 2, "b'y'": 1}),
        ("int64_10+None", b"1 NA 1", {"1": 2, "None": 1}),
        ("float64", b"0 -0 nan nan 1.5", {"0.0": 1, "-0.0": 1, "nan": 2, "1.5": 1}),
        ("number", b"1 1.5 1", {"1": 2, "1.5": 1}),
        ("strbool", b"yes no yes", {"True": 2, "False": 1}),
        ("date:%Y-%m-%d", b"2024-02-29 1999-01-01", {"2024-02-29": 1, "1999-01-01": 1}),
        ("complex64", b"1j 0j -0j", {"1j": 1, "0j": 1, "-0j": 1}),
        ("json", b'[1] {"a":null} [1]', {"[1]": 2, "{'a': None}": 1}),
    ],
)
def test_a_dataset_has_the_name_that_str_gives_its_value(bench, conversion, texts, names):
    text = b"v;n\n" + b"".join(each + b";1\n" for each in texts.split())
    typed = bench.build(
        "dataset_type",
        source=bench.table(text, separator=";"),
        column2type={"v": conversion},
        none_values=("NA",) if b"NA" in texts else (),
    ).dataset()
    job = bench.build("dataset_fanout", source=typed, column="v")
    assert {dataset.name: dataset.shape[1] for dataset in job.datasets} == names
    by_python = {str(value) for value in typed.iterate(None, "v")}
    assert by_python == set(names)


def test_time_zones_survive(bench):
    text = b"who,when\nann,2024-01-02 03:04\n"
    typed = bench.build(
        "dataset_type",
        source=bench.table(text),
        column2type={"who": "ascii", "when": "datetime:%Y-%m-%d %H:%M"},
        timezone="Europe/Stockholm",
    ).dataset()
    dataset = bench.build("dataset_fanout", source=typed, column="who").dataset("ann")
    assert list(dataset.iterate(None, "when")) == [datetime(2024, 1, 2, 2, 4, tzinfo=UTC)]


# ---- chains


@pytest.fixture
def chain(bench):
    """Return a function that makes a typed dataset that follows another."""

    def make(rows, column2type, previous=None):
        imported = bench.csvimport(b"who,n\n" + rows, f"{len(rows)}.csv").dataset()
        job = bench.build("dataset_type", source=imported, column2type=column2type, previous=previous)
        return job.dataset()

    return make


@pytest.mark.parametrize(
    ("types", "wanted"),
    [
        (("ascii", "unicode:utf-8"), "unicode"),
        (("int32_10", "int64_10"), "int64"),
        (("float32", "float64"), "float64"),
        (("int32_10", "float32"), "number"),
        (("number", "float64", "int64_10"), "number"),
        (("complex32", "complex64"), "complex64"),
        (("int32_10", "int32_10"), "int32"),
    ],
)
def test_types_are_widened_over_the_chain(bench, chain, types, wanted):
    dataset = None
    for number, conversion in enumerate(types):
        dataset = chain(b"ann,1\n" * (number + 1), {"who": "ascii", "n": conversion}, dataset)
    made = bench.build("dataset_fanout", source=dataset, column="who").dataset("ann")
    assert made.columns["n"].type == wanted
    values = list(dataset.iterate_chain(None, "n"))
    assert sorted(map(str, made.iterate(None, "n"))) == sorted(map(str, values))


def test_types_that_no_type_holds_are_refused(bench, chain):
    first = chain(b"ann,1\n", {"n": "int64_10"})
    second = chain(b"ann,1\nbob,2\n", {"n": "ascii"}, first)
    with pytest.raises(JobFailed, match="column 'n' has types that no type holds: ascii, int64"):
        bench.build("dataset_fanout", source=second, column="who")


def test_each_dataset_follows_that_of_the_same_name(bench, chain):
    first = chain(b"ann,1\nbob,2\n", {"n": "int64_10", "who": "ascii"})
    second = chain(b"ann,3\ncid,4\nann,5\n", {"n": "int64_10", "who": "ascii"}, first)
    once = bench.build("dataset_fanout", source=first, column="who")
    twice = bench.build("dataset_fanout", source=second, column="who", previous=once)
    assert fanned(twice) == {"ann": [(3,), (5,)], "bob": [], "cid": [(4,)]}
    assert twice.dataset("ann").previous == once.dataset("ann")
    assert twice.dataset("bob").previous == once.dataset("bob")
    assert twice.dataset("cid").previous is None
    assert fanned(bench.build("dataset_fanout", source=second, column="who")) == {
        "ann": [(1,), (3,), (5,)],
        "bob": [(2,)],
        "cid": [(4,)],
    }
    with pytest.raises(JobFailed, match="has nothing that the previous job had not"):
        bench.build("dataset_fanout", source=second, column="who", previous=twice)


def test_length_bounds_the_chain(bench, chain):
    first = chain(b"ann,1\n", {"n": "int64_10"})
    second = chain(b"bob,2\nbob,3\n", {"n": "int64_10"}, first)
    job = bench.build("dataset_fanout", source=second, column="who", length=1)
    assert fanned(job) == {"b'bob'": [(2,), (3,)]}


def test_the_hashlabel_stays_unless_it_is_the_column(bench, chain):
    imported = bench.table(TEXT)

    def hashed(label):
        return bench.build("dataset_type", source=imported, column2type=TYPES, hashlabel=label).dataset()

    assert bench.build("dataset_fanout", source=hashed("n"), column="who").dataset("ann").hashlabel == "n"
    assert bench.build("dataset_fanout", source=hashed("who"), column="who").dataset("ann").hashlabel is None


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"column": "nobody"}, "has no column 'nobody'"),
        ({"column": "who", "source": None}, "no dataset is given as 'source'"),
    ],
)
def test_what_is_not_there_is_refused(bench, source, arguments, error):
    with pytest.raises(JobFailed, match=error):
        bench.build("dataset_fanout", **{"source": source} | arguments)


def test_a_column_alone_leaves_nothing(bench):
    with pytest.raises(JobFailed, match="no column in common but 'who'"):
        bench.build("dataset_fanout", source=bench.table(b"who\nann\n"), column="who")


def test_two_values_of_one_dataset_name_are_refused(bench):
    source = bench.build("dataset_type", source=bench.table(b"who,n\n,1\ndefault,2\n"), column2type=TYPES)
    with pytest.raises(JobFailed, match="the values '' and 'default' would both be"):
        bench.build("dataset_fanout", source=source, column="who")


def test_no_rows_make_no_datasets(bench):
    assert fanned(bench.build("dataset_fanout", source=bench.table(b"who,n\n"), column="who")) == {}


# ---- many


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 99)), max_size=30))
def test_fanout_is_what_a_dict_of_lists_is(bench, table):
    text = b"k,n\n" + b"".join(f"{key},{n}\n".encode() for key, n in table)
    imported = bench.table(text)
    typed = bench.build("dataset_type", source=imported, column2type={"k": "ascii", "n": "int32_10"})
    wanted = defaultdict(list)
    for key, n in table:
        wanted[key].append((n,))
    found = fanned(bench.build("dataset_fanout", source=typed, column="k"))
    assert found == {key: sorted(rows) for key, rows in wanted.items()}


@pytest.mark.parametrize("rows_held", [1 << 20, 10])
def test_batches_and_scratch_files_change_nothing(bench, monkeypatch, rows_held):
    monkeypatch.setattr("porcelain.methods.a_dataset_fanout.ROWS_HELD", rows_held)
    count = 3 * 65_536 + 5
    text = b"k,n\n" + b"".join(b"%d,%d\n" % (n % 7, n) for n in range(count))
    job = bench.build("dataset_fanout", source=bench.table(text), column="k")
    for key in range(7):
        values = list(job.dataset(f"b'{key}'").iterate("roundrobin", "n"))
        assert sorted(map(int, values)) == list(range(key, count, 7))

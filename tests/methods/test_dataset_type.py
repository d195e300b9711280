"""dataset_type: which columns are typed, kept, renamed; what becomes of bad texts, of rows and of chains."""

import datetime

import pytest

from jobs.column.spread import slice_of
from jobs.errors import JobFailed, OptionError
from tests.methods.bench import SLICES, rows

TEXT = b"a,b,c\n1,2,x\n3,4,y\n5,6,z\n7,NA,w\n"


@pytest.fixture
def source(bench):
    return bench.table(TEXT)


@pytest.fixture
def typed(bench, source):
    """Return a function that types `source`, or another dataset."""

    def build(column2type, **arguments):
        return bench.build("dataset_type", **{"source": source, "column2type": column2type} | arguments)

    return build


def types(dataset):
    return {
        name: column.type + ("+None" if column.none_support else "")
        for name, column in dataset.columns.items()
    }


# ---- columns


def test_columns_that_are_not_typed_are_those_of_the_source(typed, source):
    dataset = typed({"a": "int64_10"}).dataset()
    assert rows(dataset, "a", "b", "c")[0] == (1, b"2", b"x")
    assert types(dataset) == {"a": "int64", "b": "bytes", "c": "bytes"}
    assert dataset.columns["b"].node == source.columns["b"].node
    assert dataset.parent == source


def test_a_typed_dataset_can_be_typed_further(typed):
    once = typed({"a": "int64_10", "c": "unicode:utf-8"})
    twice = typed({"c": "ascii"}, source=once).dataset()
    assert rows(twice, "a", "c")[0] == (1, "x")
    with pytest.raises(JobFailed, match=r"column 'a' of .* is int64, which is typed already"):
        typed({"a": "int64_10"}, source=once)


def test_untyped_columns_can_be_left_behind(typed):
    assert types(typed({"a": "int32_10"}, discard_untyped=True).dataset()) == {"a": "int32"}


def test_filename_goes_with_the_rows_and_caption_is_told(typed):
    dataset = typed({"a": "int64_10"}, caption="numbers").dataset()
    assert (dataset.filename, dataset.caption) == ("x.csv", "numbers")


@pytest.mark.parametrize(
    ("rename", "column2type", "wanted"),
    [
        ({"a": "q"}, {"q": "int64_10"}, {"a": "bytes", "b": "bytes", "c": "bytes", "q": "int64"}),
        ({"a": "q", "b": "z", "c": None}, {"q": "int64_10"}, {"a": "bytes", "z": "bytes", "q": "int64"}),
        ({"a": "b"}, {"b": "int64_10"}, {"a": "bytes", "b": "int64", "c": "bytes"}),
        ({"a": "b", "b": "a"}, {"c": "ascii"}, {"a": "bytes", "b": "bytes", "c": "ascii"}),
        ({"a": "a"}, {"c": "ascii"}, {"a": "bytes", "b": "bytes", "c": "ascii"}),
        ({"a": "b"}, {"c": "ascii"}, {"b": "bytes", "c": "ascii"}),
    ],
)
@pytest.mark.parametrize("filter_bad", [False, True])
def test_columns_are_renamed(typed, rename, column2type, wanted, filter_bad):
    dataset = typed(column2type, rename=rename, filter_bad=filter_bad).dataset()
    assert types(dataset) == wanted
    came_from = {new: old for old, new in rename.items()}
    first = {"a": b"1", "b": b"2", "c": b"x"}
    for name in wanted:
        (value,) = rows(dataset, name)[0]
        assert str(value).strip("b'") == first[came_from.get(name, name)].decode()


def test_renaming_copies_no_bytes(typed, source):
    dataset = typed({}, rename={"a": "q"}).dataset()
    assert dataset.get_column_node("q").slices == source.get_column_node("a").slices


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"column2type": {"nosuch": "ascii"}}, "no column 'nosuch'"),
        ({"column2type": {}, "rename": {"nosuch": "x"}}, "no column 'nosuch'"),
        ({"column2type": {}, "rename": {"a": "x", "b": "x"}}, "columns 'a' and 'b' are both renamed to 'x'"),
        ({"column2type": {"a": "int64_7"}}, "column 'a': no conversion 'int64_7'"),
        ({"column2type": {"a": "date:%j"}}, "column 'a': no code '%j' in a time format"),
        ({"column2type": {"a": "ascii"}, "hashlabel": "nosuch"}, "hashlabel 'nosuch' is no column"),
        (
            {"column2type": {"a": "int64_10"}, "defaults": {"a": "x"}},
            "default 'x' of column 'a' is no int64_10",
        ),
        (
            {"column2type": {"a": "int64_10"}, "defaults": {"a": 1.5}},
            "default of column 'a': no int64: '1.5'",
        ),
        ({"column2type": {"a": "datetime:%Y"}, "timezone": "Nosuch"}, "column 'a': no time zone 'Nosuch'"),
    ],
)
def test_what_does_not_fit_the_source_is_refused(typed, arguments, reason):
    with pytest.raises(JobFailed, match=reason):
        typed(**arguments)


def test_a_type_that_is_none_is_refused_before_anything_runs(typed):
    with pytest.raises(OptionError, match="column2type"):
        typed({"a": "nosuch"})


# ---- texts that cannot be converted


def test_a_bad_text_fails_the_job_by_column_row_and_text(typed, bench):
    source = bench.table(b"a,b\n1,2\n3,4\n5,6\n7,8\n9,y\xff\n", name="bad.csv")
    with pytest.raises(
        JobFailed, match=r"column 'b' of '.*/default', slice 1, row 2: 'y\\xff' is no int64_10"
    ):
        typed({"b": "int64_10"}, source=source)


def test_none_values_are_none_in_every_typed_column(typed):
    dataset = typed(
        {"a": "int64_10", "b": "float64+None", "c": "ascii"}, none_values=("", "NA", "x")
    ).dataset()
    assert types(dataset) == {"a": "int64+None", "b": "float64+None", "c": "ascii+None"}
    assert [row for row in rows(dataset, "b", "c") if None in row] == [(2.0, None), (None, "w")]


def test_with_none_support_empty_text_is_none(typed, bench):
    source = bench.table(b"a,b\n,\n1,2\n", name="empty.csv")
    assert rows(typed({"a": "int64_10+None", "b": "ascii"}, source=source).dataset()) == [
        (None, ""),
        (1, "2"),
    ]


def test_none_of_the_source_stays_none(typed):
    once = typed({"c": "unicode+None:utf-8"}, none_values=("y",))
    assert rows(typed({"c": "ascii"}, source=once).dataset(), "c") == [("x",), (None,), ("z",), ("w",)]


@pytest.mark.parametrize(
    ("column_type", "default", "value"),
    [
        ("int64_10", "7", 7),
        ("int64_10", 7, 7),
        ("int64_10", None, None),
        ("float32", 0.1, 0.10000000149011612),
        ("number", "1.5", 1.5),
        ("number", 1.5, 1.5),
        ("date:%d", "24", datetime.date(1970, 1, 24)),
        ("date:%d", datetime.date(2013, 1, 1), datetime.date(2013, 1, 1)),
        ("datetime:%d", datetime.datetime(2013, 1, 1, 2), datetime.datetime(2013, 1, 1, 2)),
        (
            "datetime:%d",
            datetime.datetime(2013, 1, 1, tzinfo=datetime.UTC),
            datetime.datetime(2013, 1, 1, tzinfo=datetime.UTC),
        ),
        ("time:%H", datetime.time(1, 2), datetime.time(1, 2)),
        ("time:%H", "5", datetime.time(5)),
        ("json", [1, [2]], [1, [2]]),
        ("complex64", 1j, 1j),
    ],
)
def test_a_default_stands_for_what_cannot_be_converted(typed, column_type, default, value):
    job = typed({"b": column_type}, defaults={"b": default})
    assert rows(job.dataset(), "b")[-1] == (value,)
    assert job.load() == {"lines": 4, "bad": {"b": 1}}


@pytest.mark.parametrize(
    ("column_type", "default"), [("ascii:strict", "e"), ("unicode:utf-8", "é"), ("unicode:utf-8", None)]
)
def test_a_default_of_text_is_taken_as_it_is(typed, bench, column_type, default):
    source = bench.table(b"a\n\xff\n", name="latin.csv")
    assert rows(typed({"a": column_type}, source=source, defaults={"a": default}).dataset()) == [(default,)]


def test_bad_rows_can_be_left_out(typed, source):
    job = typed({"a": "int64_10", "b": "int64_10"}, filter_bad=True)
    assert rows(job.dataset(), "a", "b", "c") == [(1, 2, b"x"), (3, 4, b"y"), (5, 6, b"z")]
    assert types(job.dataset("bad")) == {"a": "bytes", "b": "bytes"}
    assert rows(job.dataset("bad")) == [(b"7", b"NA")]
    assert job.load() == {"lines": 3, "bad": {"b": 1}}
    assert job.dataset().parent is None
    assert job.dataset().columns["c"].node != source.columns["c"].node


def test_rows_without_bad_texts_stay_where_they_are(typed):
    job = typed({"a": "int64_10"}, filter_bad=True)
    assert [list(job.dataset().iterate(n, "a")) for n in range(SLICES)] == [[1, 7], [3], [5]]
    assert job.dataset("bad").lines == (0,) * SLICES


def test_the_options_reach_the_conversions(typed, bench):
    source = bench.table(b'a,b\n"1,5",2013-07-01 12\n', name="options.csv", quotes='"')
    dataset = typed(
        {"a": "float64", "b": "datetime:%Y-%m-%d %H"},
        source=source,
        numeric_comma=True,
        timezone="Europe/Stockholm",
    ).dataset()
    assert rows(dataset) == [(1.5, datetime.datetime(2013, 7, 1, 10, tzinfo=datetime.UTC))]


# ---- hashing


@pytest.mark.parametrize("column_type", ["int64_10", "number", "ascii", "float64", "json", None])
def test_rows_go_where_the_hashlabel_says(typed, column_type):
    column2type = {} if column_type is None else {"a": column_type}
    if column_type == "json":
        with pytest.raises(JobFailed, match="cannot be hashed on 'a'"):
            typed(column2type, hashlabel="a")
        return
    dataset = typed(column2type, hashlabel="a").dataset()
    assert dataset.hashlabel == "a"
    for sliceno in range(SLICES):
        assert all(slice_of(value, SLICES) == sliceno for value in dataset.iterate(sliceno, "a"))
    assert sorted(str(row[2]) for row in dataset.iterate(None)) == ["b'w'", "b'x'", "b'y'", "b'z'"]


def test_rows_that_meet_in_a_slice_keep_their_order(typed, bench):
    source = bench.table(b"a,b\n" + b"".join(b"%d,%d\n" % (n % 5, n) for n in range(50)), name="many.csv")
    dataset = typed({"a": "int64_10", "b": "int64_10"}, source=source, hashlabel="a").dataset()
    wanted = list(source.iterate(None, ["a", "b"]))
    for sliceno in range(SLICES):
        here = [row for row in wanted if slice_of(int(row[0]), SLICES) == sliceno]
        assert list(dataset.iterate(sliceno, ["a", "b"])) == [(int(a), int(b)) for a, b in here]


def test_none_goes_to_slice_zero(typed, bench):
    dataset = typed({"b": "int64_10"}, hashlabel="b", none_values=("NA",)).dataset()
    assert None in dataset.iterate(0, "b")
    # too large for the type, so it is None and not infinite
    large = bench.table(b"a\n-1e300\n", name="large.csv")
    dataset = typed({"a": "float32"}, source=large, hashlabel="a", defaults={"a": None}).dataset()
    assert list(dataset.iterate(0, "a")) == [None]


@pytest.mark.parametrize(
    ("arguments", "hashlabel", "moved"),
    [
        ({"column2type": {"b": "ascii"}}, "a", False),
        ({"column2type": {"b": "ascii"}, "hashlabel": "a"}, "a", False),
        ({"column2type": {"b": "ascii"}, "hashlabel": ""}, None, False),
        ({"column2type": {"b": "ascii"}, "hashlabel": "c"}, "c", True),
        ({"column2type": {"a": "float64"}}, "a", True),
        ({"column2type": {"b": "ascii"}, "rename": {"a": "q"}}, "q", False),
        ({"column2type": {"b": "ascii"}, "rename": {"a": None}}, None, False),
        ({"column2type": {"b": "ascii"}, "discard_untyped": True}, None, False),
        ({"column2type": {"q": "float64"}, "rename": {"a": "q"}}, "a", False),
    ],
)
def test_the_hashlabel_of_the_source_is_kept_where_it_can_be(typed, arguments, hashlabel, moved):
    hashed = typed({}, hashlabel="a").dataset()
    dataset = typed(**arguments, source=hashed).dataset()
    assert dataset.hashlabel == hashlabel
    assert (dataset.parent is None) == moved
    assert moved or dataset.lines == hashed.lines


def test_filtering_and_hashing_go_together(typed):
    job = typed({"b": "int64_10"}, hashlabel="b", filter_bad=True)
    assert sorted(job.dataset().iterate(None, "b")) == [2, 4, 6]
    assert rows(job.dataset("bad")) == [(b"NA",)]
    assert job.load() == {"lines": 3, "bad": {"b": 1}}


# ---- chains


@pytest.fixture
def chain(bench):
    """Return three datasets, each the previous of the next."""
    found = [bench.csvimport(b"a,b\n1,x\n2,y\n", "0.csv")]
    for number in (1, 2):
        found.append(bench.csvimport(b"a,b\n%d,z\n" % (10 * number), f"{number}.csv", previous=found[-1]))
    return [job.dataset() for job in found]


def test_each_dataset_of_a_chain_becomes_one(typed, chain):
    job = typed({"a": "int64_10"}, source=chain[2])
    assert [dataset.name for dataset in job.datasets] == ["0", "1", "default"]
    assert job.dataset().chain() == [job.dataset(name) for name in ("0", "1", "default")]
    assert [dataset.parent for dataset in job.dataset().chain()] == chain
    assert list(job.dataset().iterate_chain(None, "a")) == [1, 2, 10, 20]


@pytest.mark.parametrize("how", [{}, {"hashlabel": "a"}])
def test_bad_rows_of_a_chain_are_a_chain(typed, chain, how):
    job = typed({"b": "int64_10"}, source=chain[1], filter_bad=True, **how)
    assert [dataset.name for dataset in job.dataset("bad").chain()] == ["0.bad", "bad"]
    assert list(job.dataset("bad").iterate_chain(None, "b")) == [b"x", b"y", b"z"]


@pytest.mark.parametrize("how", [{}, {"discard_untyped": True}, {"filter_bad": True}, {"hashlabel": "a"}])
def test_what_the_previous_job_typed_is_not_typed_again(typed, chain, how):
    first = typed({"a": "int64_10"}, source=chain[0], **how)
    second = typed({"a": "int64_10"}, source=chain[2], previous=first, **how)
    datasets = [dataset for dataset in second.datasets if "bad" not in dataset.name]
    assert [dataset.name for dataset in datasets] == ["0", "default"]
    assert list(second.dataset().iterate_chain(None, "a")) == [1, 2, 10, 20]


def test_length_limits_how_far_back_it_goes(typed, chain):
    job = typed({"a": "int64_10"}, source=chain[2], length=1)
    assert [dataset.name for dataset in job.datasets] == ["default"]
    assert job.dataset().previous is None


def test_nothing_new_is_an_error(typed, chain):
    first = typed({"a": "int64_10"}, source=chain[0])
    with pytest.raises(JobFailed, match="has nothing that the previous job had not"):
        typed({"a": "int64_10"}, source=chain[0], previous=first)


def test_it_does_not_matter_which_job_the_previous_one_was(typed, chain):
    first = typed({"a": "int64_10"}, source=chain[0], discard_untyped=True)
    second = typed({"a": "int64_10"}, source=chain[1], discard_untyped=True, previous=first)
    assert list(second.run.facts) == []


# ---- many rows


def test_many_rows_come_through_in_batches(typed, bench):
    count = 65_536 * SLICES + 5  # more than one batch in each slice
    text = b"".join(b"%d,%d.5,%s\n" % (n, n, b"NA" if n % 1000 == 7 else b"2013-01-01") for n in range(count))
    source = bench.table(b"a,b,c\n" + text + b"x,1,2013-01-01\n", name="many.csv")
    column2type = {"a": "int32_10", "b": "float64", "c": "date:%Y-%m-%d"}
    with pytest.raises(
        JobFailed, match=f"slice {count % SLICES}, row {count // SLICES + 1}: 'x' is no int32_10"
    ):
        typed(column2type, source=source, none_values=("NA",))
    dataset = typed(column2type, source=source, none_values=("NA", "x")).dataset()
    day = datetime.date(2013, 1, 1)
    wanted = [(n, n + 0.5, None if n % 1000 == 7 else day) for n in range(count)]
    assert list(dataset.iterate("roundrobin", ["a", "b", "c"]))[:-1] == wanted
    kept = typed(column2type, source=source, filter_bad=True, hashlabel="a").dataset()
    assert sorted(kept.iterate(None, ["a", "b", "c"])) == [row for row in wanted if row[2] is not None]

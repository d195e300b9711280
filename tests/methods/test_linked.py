"""Methods that copy nothing (dataset_filter_columns, dataset_rename_columns, dataset_merge), and dataset_concat."""

from datetime import UTC, datetime

import pytest

from jobs.errors import JobFailed
from tests.methods.bench import rows

TEXT = b"a,b,c\n1,2,x\n3,4,y\n5,6,z\n7,8,w\n"


@pytest.fixture
def source(bench):
    return bench.table(TEXT)


@pytest.fixture
def typed(bench, source):
    """Return a function that types columns of `source`, hashed on one of them if asked."""

    def build(column2type, **arguments):
        return bench.build("dataset_type", source=source, column2type=column2type, **arguments).dataset()

    return build


# ---- columns left out


@pytest.mark.parametrize("how", [{"keep_columns": ["a", "c"]}, {"discard_columns": ["b"]}])
def test_the_columns_that_stay_are_those_of_the_source(bench, source, how):
    dataset = bench.build("dataset_filter_columns", source=source, **how).dataset()
    assert set(dataset.columns) == {"a", "c"}
    assert dataset.columns["a"].node == source.columns["a"].node
    assert rows(dataset, "a", "c")[1] == (b"3", b"y")
    assert (dataset.parent, dataset.filename, dataset.lines) == (source, source.filename, source.lines)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({}, "give either keep_columns or discard_columns"),
        ({"keep_columns": ["a"], "discard_columns": ["b"]}, "give either keep_columns or discard_columns"),
        ({"keep_columns": ["aa"]}, r"has no column 'aa' to be kept"),
        ({"discard_columns": ["aa"]}, r"has no column 'aa'"),
        ({"discard_columns": ["a", "b", "c"]}, "discard_columns leaves no column"),
    ],
)
def test_columns_that_are_not_there_and_no_columns_are_refused(bench, source, how, error):
    with pytest.raises(JobFailed, match=error):
        bench.build("dataset_filter_columns", source=source, **how)


def test_without_a_source_nothing_can_be_filtered(bench):
    with pytest.raises(JobFailed, match="no dataset is given as 'source'"):
        bench.build("dataset_filter_columns", keep_columns=["a"])


def test_what_is_filtered_has_the_chain_that_it_is_given(bench, source):
    first = bench.build("dataset_filter_columns", source=source, keep_columns=["a"]).dataset()
    later = bench.csvimport(TEXT, "later.csv", previous=source).dataset()
    second = bench.build("dataset_filter_columns", source=later, keep_columns=["a"], previous=first).dataset()
    assert second.previous == first
    assert len(second.chain()) == 2
    third = bench.build("dataset_filter_columns", source=later, keep_columns=["a"]).dataset()
    assert third.previous is None


def test_the_hashlabel_goes_with_its_column(bench, typed):
    hashed = typed({"a": "int64_10"}, hashlabel="a")
    kept = bench.build("dataset_filter_columns", source=hashed, keep_columns=["a"]).dataset()
    lost = bench.build("dataset_filter_columns", source=hashed, keep_columns=["b"]).dataset()
    assert (kept.hashlabel, lost.hashlabel) == ("a", None)


# ---- columns renamed


def test_renamed_columns_are_those_of_the_source(bench, source):
    job = bench.build("dataset_rename_columns", source=source, rename={"a": "A", "b": "a", "c": None})
    dataset = job.dataset()
    assert set(dataset.columns) == {"A", "a"}
    assert dataset.columns["A"].name == "A"
    assert dataset.columns["A"].node == source.columns["a"].node
    assert rows(dataset, "A", "a")[0] == (b"1", b"2")


def test_a_column_that_had_the_new_name_is_replaced(bench, source):
    dataset = bench.build("dataset_rename_columns", source=source, rename={"a": "b"}).dataset()
    assert set(dataset.columns) == {"b", "c"}
    assert rows(dataset, "b")[0] == (b"1",)


@pytest.mark.parametrize(
    ("rename", "label"), [({"a": "A"}, "A"), ({"a": None}, None), ({"b": "a"}, None), ({"b": "B"}, "a")]
)
def test_the_hashlabel_is_renamed_too(bench, typed, rename, label):
    hashed = typed({"a": "int64_10"}, hashlabel="a")
    assert bench.build("dataset_rename_columns", source=hashed, rename=rename).dataset().hashlabel == label


@pytest.mark.parametrize(
    ("rename", "error"),
    [
        ({"aa": "b"}, "has no column 'aa'"),
        ({"a": "x", "b": "x"}, "are renamed to 'x'"),
        ({"a": None, "b": None, "c": None}, "no column of dataset .* is left"),
    ],
)
def test_what_cannot_be_renamed_is_refused(bench, source, rename, error):
    with pytest.raises(JobFailed, match=error):
        bench.build("dataset_rename_columns", source=source, rename=rename)


def test_renaming_keeps_the_chain(bench, source):
    later = bench.csvimport(TEXT, "later.csv", previous=source).dataset()
    assert bench.build("dataset_rename_columns", source=later, rename={"a": "A"}).dataset().previous == source


# ---- merged


def test_columns_of_later_datasets_win(bench, source, typed):
    one, other = typed({"a": "int64_10"}), typed({"b": "int64_10"}, discard_untyped=True)
    dataset = bench.build("dataset_merge", source=[one, other]).dataset()
    assert rows(dataset, "a", "b", "c")[1] == (3, 4, b"y")
    assert dataset.parent == (one, other)
    assert dataset.previous is None


def test_three_datasets_are_merged_one_after_another(bench, typed):
    three = [typed({name: "int64_10"}, discard_untyped=True) for name in "ab"] + [typed({"c": "ascii"})]
    job = bench.build("dataset_merge", source=three, previous=three[0])
    assert rows(job.dataset(), "a", "b", "c")[0] == (b"1", b"2", "x")
    assert rows(job.dataset("0"), "a", "b")[0] == (1, 2)
    assert job.dataset().previous == three[0]


def test_the_hashlabel_of_the_winner_is_that_of_what_is_merged(bench, typed):
    plain, hashed = typed({"b": "int64_10"}), typed({"a": "int64_10"}, hashlabel="a")
    other = typed({"a": "int32_10"}, discard_untyped=True)

    def label(*sources):
        return bench.build("dataset_merge", source=sources, allow_unrelated=True).dataset().hashlabel

    if plain.lines == hashed.lines:
        assert label(plain, hashed) == "a"
        assert label(hashed, other) is None


@pytest.mark.parametrize("given", [[], ["one"]])
def test_fewer_than_two_datasets_are_not_merged(bench, source, given):
    with pytest.raises(JobFailed, match="two datasets at least are merged"):
        bench.build("dataset_merge", source=[source for _ in given])


def test_datasets_that_do_not_belong_together_are_not_merged(bench, source):
    alike = bench.csvimport(TEXT.replace(b"x", b"q"), "alike.csv").dataset()
    longer = bench.csvimport(TEXT + b"9,9,9\n", "longer.csv").dataset()
    with pytest.raises(JobFailed, match="extend no common dataset"):
        bench.build("dataset_merge", source=[source, alike])
    assert bench.build("dataset_merge", source=[source, alike], allow_unrelated=True)
    with pytest.raises(JobFailed, match=r"has 2 lines in slice 1, where .* has 1"):
        bench.build("dataset_merge", source=[source, longer], allow_unrelated=True)
    with pytest.raises(JobFailed, match="is merged with itself"):
        bench.build("dataset_merge", source=[source, source])


# ---- concatenated


@pytest.fixture
def chain(bench):
    first = bench.csvimport(b"a,b\n1,x\n2,y\n", "1.csv").dataset()
    second = bench.csvimport(b"a,b\n3,z\n", "2.csv", previous=first).dataset()
    job = bench.build("dataset_type", source=second, column2type={"a": "int64_10+None", "b": "unicode:utf-8"})
    return job.dataset().chain()


def test_a_chain_becomes_one_dataset(bench, chain):
    dataset = bench.build("dataset_concat", source=chain[-1]).dataset()
    assert sorted(dataset.iterate(None)) == [(1, "x"), (2, "y"), (3, "z")]
    assert {name: column.type for name, column in dataset.columns.items()} == {"a": "int64", "b": "unicode"}
    assert dataset.columns["a"].none_support
    assert (dataset.previous, len(dataset.chain())) == (None, 1)


def test_time_zones_survive_concatenation(bench):
    job = bench.build(
        "dataset_type",
        source=bench.table(b"when\n2024-01-02\n"),
        column2type={"when": "datetime:%Y-%m-%d"},
        timezone="UTC",
    )
    dataset = bench.build("dataset_concat", source=job.dataset()).dataset()
    assert list(dataset.iterate(None, "when")) == [datetime(2024, 1, 2, tzinfo=UTC)]


def test_only_what_came_since_is_concatenated(bench, chain):
    once = bench.build("dataset_concat", source=chain[0]).dataset()
    twice = bench.build("dataset_concat", source=chain[1], previous=once).dataset()
    assert list(twice.iterate(None, "a")) == [3]
    assert twice.previous == once
    with pytest.raises(JobFailed, match="has nothing that the previous job had not"):
        bench.build("dataset_concat", source=chain[1], previous=twice)


def test_datasets_that_are_not_alike_are_not_concatenated(bench, chain):
    other = bench.csvimport(b"a\n1\n", "3.csv", previous=chain[-1]).dataset()
    with pytest.raises(JobFailed, match=r"column 'a' is int64 in .* and bytes in"):
        bench.build("dataset_concat", source=other)


def test_times_that_are_concatenated_stay_in_utc(bench, source):
    column2type = {"a": "datetime:%s"}
    typed = bench.build("dataset_type", source=source, column2type=column2type, timezone="UTC").dataset()
    dataset = bench.build("dataset_concat", source=typed).dataset()
    assert list(dataset.iterate(None, "a")) == list(typed.iterate(None, "a"))

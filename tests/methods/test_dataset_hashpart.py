"""dataset_hashpart: which slice each row is in afterwards, and what becomes of columns, captions and chains."""

import datetime

import pytest

from jobs.column.spread import slice_of
from jobs.errors import JobFailed, OptionError
from tests.methods.bench import SLICES

UTC = datetime.UTC
TEXT = b"a,b\n" + b"".join(b"%d,x%d\n" % (n % 7, n) for n in range(50))


@pytest.fixture
def source(bench):
    return bench.table(TEXT)


@pytest.fixture(params=[False, True], ids=["together", "chained"])
def hashpart(bench, source, request):
    """Return a function that hashes `source`, or another dataset, in both ways."""

    def build(hashlabel="a", **arguments):
        arguments = {"source": source, "chain_slices": request.param} | arguments
        return bench.build("dataset_hashpart", hashlabel=hashlabel, **arguments).dataset()

    return build


def test_each_row_is_in_the_slice_of_its_value_and_none_is_lost(hashpart, source):
    dataset = hashpart()
    assert {each.hashlabel for each in dataset.chain()} == {"a"}
    for sliceno in range(SLICES):
        assert {slice_of(value, SLICES) for value in dataset.iterate_chain(sliceno, "a")} <= {sliceno}
    assert sorted(dataset.iterate_chain(None)) == sorted(source.iterate(None))


def test_rows_of_a_slice_keep_the_order_in_which_they_were(hashpart, source):
    dataset = hashpart()
    for sliceno in range(SLICES):
        wanted = [row for row in source.iterate(None) if slice_of(row[0], SLICES) == sliceno]
        assert list(dataset.iterate_chain(sliceno)) == wanted


def test_values_are_what_they_were(bench, hashpart, source):
    types = {"a": "datetime:%J", "b": "unicode:utf-8"}
    typed = bench.build("dataset_type", source=source, column2type=types, timezone="UTC").dataset()
    dataset = hashpart("a", source=typed)
    assert sorted(dataset.iterate_chain(None)) == sorted(typed.iterate(None))
    assert next(dataset.iterate_chain(None, "a")).tzinfo is UTC


def test_none_belongs_to_slice_0(bench, hashpart, source):
    column2type = {"a": "int64_10", "b": "ascii"}
    typed = bench.build("dataset_type", source=source, column2type=column2type, none_values=["3"]).dataset()
    dataset = hashpart(source=typed)
    assert dataset.columns["a"].none_support
    assert None in set(dataset.iterate_chain(0, "a"))
    assert sorted(dataset.iterate_chain(None, "b")) == sorted(typed.iterate(None, "b"))


def test_batches_of_many_rows_are_hashed(bench, hashpart):
    source = bench.table(b"a\n" + b"".join(b"%d\n" % n for n in range(3 * 65_536 + 5)))
    typed = bench.build("dataset_type", source=source, column2type={"a": "int64_10"}).dataset()
    dataset = hashpart(source=typed)
    assert sum(sum(each.lines) for each in dataset.chain()) == 3 * 65_536 + 5
    assert sorted(dataset.iterate_chain(None, "a")) == list(range(3 * 65_536 + 5))


def test_a_dataset_without_rows_stays_one(bench, hashpart):
    dataset = hashpart(source=bench.table(b"a,b\n"))
    assert (dataset.lines, set(dataset.columns)) == ((0,) * SLICES, {"a", "b"})


def test_filename_stays_and_the_caption_says_what_was_done(bench, source):
    plain = bench.build("dataset_hashpart", source=source, hashlabel="a").dataset()
    assert (plain.filename, plain.caption) == ("x.csv", f'"{source.caption or "default"}" hashed on a')
    named = bench.build("dataset_hashpart", source=plain, hashlabel="b", caption="%(hashlabel)s!").dataset()
    assert named.caption == "b!"


def test_a_chain_becomes_a_chain_and_only_what_came_since_is_read(bench, source):
    later = bench.csvimport(TEXT, "later.csv", previous=source).dataset()
    once = bench.build("dataset_hashpart", source=source, hashlabel="a").dataset()
    both = bench.build("dataset_hashpart", source=later, hashlabel="a").dataset()
    since = bench.build("dataset_hashpart", source=later, hashlabel="a", previous=once).dataset()
    newest = bench.build("dataset_hashpart", source=later, hashlabel="a", length=1).dataset()
    assert [each.name for each in both.chain()] == ["0", "default"]
    assert since.chain() == [once, since]
    assert newest.previous is None
    assert since.filename == newest.filename == "later.csv"


def test_with_chain_slices_each_slice_makes_a_dataset(bench, source):
    later = bench.csvimport(TEXT, "later.csv", previous=source).dataset()
    job = bench.build("dataset_hashpart", source=later, hashlabel="a", chain_slices=True, caption="x")
    chain = job.dataset().chain()
    assert [each.name for each in chain] == ["0.0", "0.1", "0.2", "1.0", "1.1", "default"]
    assert [sum(each.lines) for each in chain] == [*source.lines, *later.lines]
    assert chain[1].caption == "x (slice 1)"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"hashlabel": "aa"}, r"has no column 'aa'"),
        ({"hashlabel": "a", "source": None}, "no dataset is given as 'source'"),
    ],
)
def test_without_the_column_or_a_source_it_is_refused(bench, source, arguments, reason):
    with pytest.raises(JobFailed, match=reason):
        bench.build("dataset_hashpart", **{"source": source} | arguments)


def test_the_hashlabel_has_to_be_given(bench, source):
    with pytest.raises(OptionError, match="hashlabel"):
        bench.build("dataset_hashpart", source=source)


def test_values_of_any_kind_decide_no_slice(bench):
    source = bench.table(b"a\n1\n")
    typed = bench.build("dataset_type", source=source, column2type={"a": "json"}).dataset()
    with pytest.raises(JobFailed, match=r"column 'a' of .* is json, and decides no slice"):
        bench.build("dataset_hashpart", source=typed, hashlabel="a")

"""csvimport with column2type: the same columns as csvimport and dataset_type one after the other."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.errors import JobFailed, OptionError
from tests.methods.bench import SLICES, rows

TEXT = b"n,x,day,word,rest\n1,1.5,2024-02-29,ab,q\n-7,NA,1999-12-31,,\n1,0x1p3,1970-01-01,\xc3\xa5,r\n"
TYPES = {
    "n": "int64_10",
    "x": "float64",
    "day": "date:%Y-%m-%d",
    "word": "unicode+None:utf-8",
}


def in_two_jobs(bench, data, column2type, **options):
    """Return the dataset that csvimport and dataset_type make."""
    return bench.build("dataset_type", source=bench.table(data), column2type=column2type, **options).dataset()


def nodes(dataset):
    return {name: column.node for name, column in dataset.columns.items()}


@pytest.mark.parametrize(
    ("column2type", "options"),
    [
        (TYPES, {"none_values": ("NA",)}),
        (TYPES, {"defaults": {"x": 0.5}}),
        (TYPES, {"defaults": {"x": "2.5"}}),
        (TYPES, {"defaults": {"x": None}}),
        ({"x": "number"}, {"defaults": {"x": 3}}),
        ({"n": "int32_8i", "day": "datetime:%Y-%m-%d"}, {"timezone": "Europe/Stockholm"}),
        ({"n": "strbool", "word": "bytes", "rest": "ascii"}, {}),
        ({}, {}),
    ],
)
def test_columns_are_those_that_two_jobs_make(bench, column2type, options):
    typed = bench.table(TEXT, column2type=column2type, **options)
    assert nodes(typed) == nodes(in_two_jobs(bench, TEXT, column2type, **options))
    assert typed.parent is None


texts = st.sampled_from(["0", "-1", "17", "1.5", "nan", "", "x", "99999999999999999999", "1e9"])


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(texts, texts), max_size=12),
    st.sampled_from(["int64_10", "float32", "number", "int32_10+None", "ascii", "floatbool", "strbool"]),
)
def test_whatever_the_texts_are_two_jobs_make_the_same(bench, table, conversion):
    data = b"a,b\n" + b"".join(f"{one},{other}\n".encode() for one, other in table)

    def outcome(build):
        try:
            return nodes(build(bench, data, column2type={"a": conversion}, defaults={"b": 1}))
        except JobFailed:
            return "failed"

    together = outcome(lambda bench, data, **options: bench.table(data, **options))
    assert together == outcome(in_two_jobs)


def test_types_go_by_the_labels_after_renaming(bench):
    dataset = bench.table(b"a,b\n1,2\n", rename={"a": "c"}, discard={"b"}, column2type={"c": "int64_10"})
    assert rows(dataset) == [(1,)]
    with pytest.raises(JobFailed, match=r"'x\.csv' has no column 'a', which is in column2type"):
        bench.csvimport(b"a,b\n1,2\n", rename={"a": "c"}, column2type={"a": "int64_10"})


def test_batches_change_nothing(bench):
    data = b"n\n" + b"".join(b"%d\n" % n for n in range(SLICES * 65_536 + 5))
    typed = bench.table(data, column2type={"n": "int32_10"})
    assert nodes(typed) == nodes(in_two_jobs(bench, data, {"n": "int32_10"}))


def test_a_text_that_cannot_be_converted_fails_the_job_by_file_line_and_column(bench):
    error = r"line 5 of 'x\.csv', column 'n': 'x' is no int64_10$"
    with pytest.raises(JobFailed, match=error):
        bench.csvimport(b'n,m\n1,"\n\n"\nx,2\n', quotes='"', column2type={"n": "int64_10"})


def test_texts_that_became_the_default_are_counted(bench):
    job = bench.csvimport(
        b"a,b\n1,x\ny,2\nz,3\n", column2type={"a": "int64_10", "b": "int64_10"}, defaults={"a": 0, "b": None}
    )
    assert rows(job.dataset(), "a", "b") == [(1, None), (0, 2), (0, 3)]
    assert job.load()["bad"] == {"a": 2, "b": 1}


def test_lines_with_bad_texts_are_left_out_in_the_order_of_the_file(bench):
    text = b"a,b\n0,x\n1,2\n3\ny,4\nz,w\n5,6\n"
    options = {"column2type": {"a": "int64_10", "b": "int64_10"}, "allow_bad": True, "filter_bad": True}
    job = bench.csvimport(text, **options)
    assert rows(job.dataset()) == [(1, 2), (5, 6)]
    bad = [(2, b"0,x"), (4, b"3"), (5, b"y,4"), (6, b"z,w")]
    assert rows(job.dataset("bad"), "lineno", "data") == bad
    assert (job.load()["num_broken_lines"], job.load()["bad"]) == (4, {"a": 2, "b": 2})


def test_a_default_comes_before_leaving_a_line_out(bench):
    job = bench.csvimport(
        b"a,b\nx,y\nz,1\n",
        column2type={"a": "int64_10", "b": "int64_10"},
        defaults={"a": 7},
        filter_bad=True,
    )
    assert rows(job.dataset()) == [(7, 1)]
    assert (rows(job.dataset("bad")), job.load()["bad"]) == ([(b"x,y", 2)], {"a": 2, "b": 1})


def test_without_allowing_bad_lines_only_those_with_bad_texts_are_left_out(bench):
    options = {"column2type": {"a": "int64_10"}, "filter_bad": True}
    assert rows(bench.csvimport(b"a\n1\nx\n", **options).dataset("bad")) == [(b"x", 3)]
    with pytest.raises(JobFailed, match=r"line 2 of 'x\.csv' has 2 fields instead of 1"):
        bench.csvimport(b"a\n1,2\n", **options)


def test_several_files_are_typed_too(bench):
    names = [bench.write(b"n\n1\n", "1.csv"), bench.write(b"n\n2\n", "2.csv")]
    assert rows(bench.build("csvimport", filename=names, column2type={"n": "int64_10"}).dataset()) == [
        (1,),
        (2,),
    ]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"column2type": {"n": "int64_7"}}, "column 'n': no conversion 'int64_7'"),
        (
            {"column2type": {"n": "int64_10"}, "defaults": {"n": "x"}},
            "default 'x' of column 'n' is no int64_10",
        ),
        ({"column2type": {"n": "nonsense"}}, "column2type"),
    ],
)
def test_types_that_cannot_be_are_refused(bench, options, error):
    with pytest.raises((JobFailed, OptionError), match=error):
        bench.csvimport(b"n\n1\n", **options)

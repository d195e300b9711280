"""csvimport: from a file to a dataset of bytes, with its bad and skipped lines."""

import csv
import gzip
import io
import random
import struct
from itertools import accumulate

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.errors import JobFailed, NoSuchFile, OptionError
from porcelain.methods.csvtext import blocks
from tests.methods.bench import SLICES, rows


def test_rows_are_dealt_to_the_slices_in_turn(bench):
    dataset = bench.table(b"n\n" + b"".join(b"%d\n" % n for n in range(7)))
    assert dataset.lines == (3, 2, 2)
    assert list(dataset.iterate(1, "n")) == [b"1", b"4"]
    assert rows(dataset, "n") == [(b"%d" % n,) for n in range(7)]


def test_columns_are_bytes_in_the_order_of_the_file(bench):
    dataset = bench.table(b"b,a\r\n1,\xff\0\r\n")
    assert [(column.name, column.type) for column in dataset.columns.values()] == [
        ("b", "bytes"),
        ("a", "bytes"),
    ]
    assert rows(dataset, "b", "a") == [(b"1", b"\xff\0")]


def test_the_result_counts_lines(bench):
    job = bench.csvimport(b"#\na,b\n1,2\n3\n4,5\n", allow_bad=True, comment="#")
    assert job.load() == {
        "num_lines": 2,
        "lines_per_slice": [1, 1, 0],
        "num_broken_lines": 1,
        "broken_lines_per_slice": [1, 0, 0],
        "num_skipped_lines": 1,
        "skipped_lines_per_slice": [1, 0, 0],
    }


def test_the_dataset_knows_its_file_and_what_came_before(bench):
    first = bench.csvimport(b"a\n1\n", "one.csv")
    second = bench.csvimport(b"a\n2\n", "two.csv", previous=first)
    dataset = second.dataset()
    assert (dataset.filename, dataset.caption) == ("two.csv", "csvimport of two.csv")
    assert list(dataset.iterate_chain(None, "a")) == [b"1", b"2"]


@pytest.mark.parametrize("name", ["x.csv.gz", "x.csv"])
def test_a_gzip_file_is_told_by_its_bytes(bench, name):
    assert rows(bench.csvimport(gzip.compress(b"a\n1\n"), name).dataset()) == [(b"1",)]


def test_quoted_fields_may_hold_everything(bench):
    dataset = bench.table(b'a,b\n"x,\n""y""",\'\n"","z\r\n"\r\n', quotes='"')
    assert rows(dataset) == [(b'x,\n"y"', b"'"), (b"", b"z\r\n")]


def test_both_quotes_may_be_used_at_once(bench):
    dataset = bench.table(b'a,b\n"it\'s",\'a "b"\'\nO\'Brien,5"\n', quotes=True)
    assert rows(dataset) == [(b"it's", b'a "b"'), (b"O'Brien", b'5"')]


def test_without_quotes_a_quote_is_a_character(bench):
    assert rows(bench.table(b'"a"\n"1"\n'), '"a"') == [(b'"1"',)]


# ---- bad lines


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"3", "1 field instead of 2"),
        (b"3,4,5", "3 fields instead of 2"),
        (b"", "1 field instead of 2"),
        (b'"3"x,4', "text after a closing quote"),
        (b'"3,4', "a quote that is never closed"),
    ],
)
def test_a_bad_line_fails_the_job_by_its_number_and_reason(bench, line, reason):
    text = b'a,b\n1,"2\n"\n' + line + b"\n5,6\n"
    with pytest.raises(JobFailed, match=f"line 4 of 'x.csv' has {reason}$"):
        bench.csvimport(text, quotes='"')


def test_bad_lines_go_into_a_dataset_of_their_own(bench):
    job = bench.csvimport(b'a,b\n1,2\n3\n"4"x,5\n6,7\n8,9,10\n"11,12\n', quotes='"', allow_bad=True)
    assert rows(job.dataset()) == [(b"1", b"2"), (b"6", b"7")]
    bad = [(3, b"3"), (4, b'"4"x,5'), (6, b"8,9,10"), (7, b'"11,12')]
    assert rows(job.dataset("bad"), "lineno", "data") == bad


def test_allowing_bad_lines_makes_the_dataset_even_when_there_are_none(bench):
    job = bench.csvimport(b"a\n1\n", allow_bad=True)
    assert job.dataset("bad").lines == (0,) * SLICES


def test_bad_lines_do_not_upset_the_order_of_the_others(bench):
    text = b"a,b\n" + b"".join(b"%d,x\nbad\n" % n for n in range(20))
    assert rows(bench.csvimport(text, allow_bad=True).dataset(), "a") == [(b"%d" % n,) for n in range(20)]


def test_extra_fields_may_be_empty(bench):
    job = bench.csvimport(b'a,b\n1,2,,\n3,4,"",\n5,6,x\n', quotes='"', allow_extra_empty=True, allow_bad=True)
    assert rows(job.dataset()) == [(b"1", b"2"), (b"3", b"4")]
    assert rows(job.dataset("bad")) == [(b"5,6,x", 4)]


# ---- skipped lines


def test_skipped_lines_go_into_a_dataset_of_their_own(bench):
    text = b'no "csv\n#\n\na,b\n# "x\n1,"\n#2\n"\n\n3,4\n'
    job = bench.csvimport(
        text, quotes='"', skip_lines=1, comment="#", skip_empty_lines=True, lineno_label="line"
    )
    assert rows(job.dataset(), "a", "b", "line") == [(b"1", b"\n#2\n", 6), (b"3", b"4", 10)]
    skipped = [(1, b'no "csv'), (2, b"#"), (3, b""), (5, b'# "x'), (9, b"")]
    assert rows(job.dataset("skipped"), "lineno", "data") == skipped


def test_an_empty_line_is_a_row_unless_skipped(bench):
    assert rows(bench.table(b"a\n1\n\n2\n")) == [(b"1",), (b"",), (b"2",)]
    assert rows(bench.table(b"a\n1\n\n2\n", skip_empty_lines=True)) == [(b"1",), (b"2",)]


# ---- dialect


@pytest.mark.parametrize(
    ("text", "options", "wanted"),
    [
        (b"a;b|1;2|3;4", {"separator": ";", "newline": "|"}, [(b"1", b"2"), (b"3", b"4")]),
        (b"a,b\n1,2\n", {"separator": "", "labels": ["x"], "label_lines": 1}, [(b"1,2",)]),
        (b"a\xe5b\n1\xe52\n", {"separator": "\xe5"}, [(b"1", b"2")]),
        (b"a\0b\n1\0002\n", {"separator": "\0"}, [(b"1", b"2")]),
        (b"a\n'1\n'\n", {"quotes": "'"}, [(b"1\n",)]),
    ],
)
def test_a_dialect_is_characters(bench, text, options, wanted):
    assert rows(bench.table(text, **options)) == wanted


def test_a_separator_of_two_characters_is_refused(bench):
    with pytest.raises(JobFailed, match="option 'separator' is one character of latin-1 or none, not 'ab'"):
        bench.csvimport(b"a\n", separator="ab")


# ---- labels


@pytest.mark.parametrize(
    ("options", "labels", "count"),
    [
        ({}, [" a ", "b"], 2),
        ({"strip_labels": True}, ["a", "b"], 2),
        ({"labels": ["x", "y"]}, ["x", "y"], 3),
        ({"labels": ["x", "y"], "label_lines": 1}, ["x", "y"], 2),
        ({"label_lines": 2}, [" a  1", "b 2"], 1),
        ({"rename": {"b": "c"}, "discard": {"b"}}, [" a ", "c"], 2),
        ({"strip_labels": True, "rename": {"a": "c"}, "discard": {"c"}}, ["b"], 2),
        ({"rename": {"b": None}}, [" a "], 2),
        ({"lineno_label": "line"}, [" a ", "b", "line"], 2),
    ],
)
def test_labels(bench, options, labels, count):
    dataset = bench.table(b" a ,b\n1,2\n3,4\n", **options)
    assert list(dataset.columns) == labels
    assert sum(dataset.lines) == count


def test_labels_have_an_encoding(bench):
    assert list(bench.table(b"\xe5\n1\n", label_encoding="latin-1").columns) == ["å"]
    assert list(bench.table("\ufeffå\n1\n".encode()).columns) == ["å"]
    with pytest.raises(JobFailed, match=r"labels of 'x.csv' that are no utf-8"):
        bench.csvimport(b"\xe5\n1\n")


def test_a_label_may_be_empty(bench):
    assert rows(bench.table(b"a,\n1,2\n"), "") == [(b"2",)]


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        (b"a,a\n1,2\n", {}, "has 2 columns 'a'"),
        (b"a,b\n1,2\n", {"lineno_label": "a"}, "has 2 columns 'a'"),
        (b"a,b\n1,2\n", {"rename": {"a": "b"}}, "has 2 columns 'b'"),
        (b"", {}, "has no labels"),
        (b"#x\n", {"comment": "#"}, "has no labels"),
        (b"a,b\nc\n", {"label_lines": 2}, "lines of labels with different numbers of fields"),
        (b'"a"x,b\n1,2\n', {"quotes": '"'}, "has text after a closing quote among the labels"),
    ],
)
def test_labels_that_cannot_be_are_refused(bench, text, options, reason):
    with pytest.raises(JobFailed, match=reason):
        bench.csvimport(text, **options)


def test_a_file_of_labels_alone_has_no_rows(bench):
    assert bench.table(b"a,b").lines == (0,) * SLICES


# ---- the file


def test_without_a_file_nothing_runs(bench):
    with pytest.raises(OptionError, match="filename"):
        bench.build("csvimport")
    with pytest.raises(Exception, match=r"nosuch\.csv"):
        bench.build("csvimport", filename="nosuch.csv")


def test_a_file_that_changed_is_imported_again(bench):
    assert rows(bench.table(b"a\n1\n")) == [(b"1",)]
    assert rows(bench.table(b"a\n2\n")) == [(b"2",)]


def test_a_damaged_gzip_file_fails_the_job(bench):
    with pytest.raises(JobFailed, match=r"'x\.csv' is a damaged gzip file"):
        bench.csvimport(gzip.compress(b"a\n1\n")[:-6])


@pytest.mark.parametrize("block_bytes", [1 << 20, 1 << 30])
def test_a_large_file_is_that_of_the_csv_module(bench, monkeypatch, block_bytes):
    monkeypatch.setattr(blocks, "BYTES_AT_ONCE", 0)
    monkeypatch.setattr(blocks, "LEAST_BLOCK_BYTES", block_bytes)
    chance = random.Random(5)
    values = ["", "a", "b,c", 'd"e', "f\ng", "åäö", "x" * 50]
    table = [[chance.choice(values) for _ in range(3)] for _ in range(150_000)]
    written = io.StringIO(newline="")
    csv.writer(written).writerows([["p", "q", "r"], *table])
    data = written.getvalue().encode()
    assert len(data) > 5 << 20  # several blocks, or one
    dataset = bench.table(data, quotes='"', lineno_label="line")
    lines = list(dataset.iterate("roundrobin", "line"))
    assert lines == list(accumulate((1 + sum(f.count("\n") for f in row) for row in table), initial=2))[:-1]
    read = [[field.decode() for field in row] for row in dataset.iterate("roundrobin", ["p", "q", "r"])]
    assert read == table


def test_bad_lines_of_several_blocks_have_their_numbers_and_their_turn(bench, monkeypatch):
    monkeypatch.setattr(blocks, "BYTES_AT_ONCE", 0)
    monkeypatch.setattr(blocks, "LEAST_BLOCK_BYTES", 100)
    text = b"a,b\n" + b"".join(b'%d,"x\n"\nbad\n#\n' % n for n in range(100))
    job = bench.csvimport(text, quotes='"', allow_bad=True, comment="#")
    assert rows(job.dataset(), "a") == [(b"%d" % n,) for n in range(100)]
    assert rows(job.dataset("bad"), "lineno", "data") == [(4 * n + 4, b"bad") for n in range(100)]
    assert rows(job.dataset("skipped"), "lineno") == [(4 * n + 5,) for n in range(100)]
    with pytest.raises(JobFailed, match=r"line 4 of 'x\.csv' has 1 field instead of 2$"):
        bench.csvimport(text, quotes='"', comment="#")


# ---- several files


@pytest.fixture
def several(bench):
    """Return a function that imports several texts, as files 0.csv, 1.csv ..."""

    def build(*texts, **options):
        names = [bench.write(text, f"{number}.csv") for number, text in enumerate(texts)]
        return bench.build("csvimport", filename=names, **options)

    return build


def test_several_files_are_one_dataset_in_their_order(several):
    job = several(b"a,b\n1,2\n3,4\n", b"b,a\n6,5\n", b"a,b\n", b"a,b\n7,8\n9,0\n", lineno_label="line")
    wanted = [(b"1", b"2", 2), (b"3", b"4", 3), (b"5", b"6", 2), (b"7", b"8", 2), (b"9", b"0", 3)]
    assert rows(job.dataset(), "a", "b", "line") == wanted
    assert job.dataset().lines == (2, 2, 1)
    assert (job.dataset().filename, job.dataset().caption) == (None, "csvimport of 0.csv and 3 more")
    assert job.load()["num_lines"] == 5
    assert job.load()["lines_per_slice"] == [2, 2, 1]


def test_a_list_of_one_file_is_as_that_file(several):
    dataset = several(b"a\n1\n").dataset()
    assert (dataset.filename, rows(dataset)) == ("0.csv", [(b"1",)])


def test_bad_and_skipped_lines_of_several_files_tell_their_file(several):
    job = several(b"a,b\n1\n#x\n2,3\n", b"#y\na,b\n4,5\n\n6\n", allow_bad=True, comment="#")
    assert rows(job.dataset()) == [(b"2", b"3"), (b"4", b"5")]
    bad = [(2, b"1", "0.csv"), (4, b"", "1.csv"), (5, b"6", "1.csv")]
    assert rows(job.dataset("bad"), "lineno", "data", "filename") == bad
    assert rows(job.dataset("skipped"), "lineno", "data", "filename") == [
        (3, b"#x", "0.csv"),
        (1, b"#y", "1.csv"),
    ]


def test_a_bad_line_of_several_files_fails_the_job_by_file_and_number(several):
    with pytest.raises(JobFailed, match=r"line 3 of '1\.csv' has 1 field instead of 2$"):
        several(b"a,b\n1,2\n", b"a,b\n3,4\n5\n")


@pytest.mark.parametrize(
    ("second", "error"),
    [
        (b"a,c\n", r"'0\.csv' has a column 'b', and '1\.csv' has none"),
        (b"a,b,c\n", r"'1\.csv' has a column 'c', and '0\.csv' has none"),
        (b"", r"'1\.csv' has no labels"),
    ],
)
def test_files_of_one_dataset_have_the_same_columns(several, second, error):
    with pytest.raises(JobFailed, match=error):
        several(b"a,b\n1,2\n", second)


def test_a_chain_has_a_dataset_for_each_file(bench, several):
    before = bench.csvimport(b"a\n0\n", "before.csv").dataset()
    job = several(
        b"a\n1\n2\n", b"b\n#\n3,3\n", b"a\n4\n5,5\n", chain=True, previous=before, allow_bad=True, comment="#"
    )
    chain = job.dataset().chain()
    assert [dataset.name for dataset in chain[1:]] == ["0", "1", "default"]
    assert chain[0] == before
    assert [dataset.filename for dataset in chain] == ["before.csv", "0.csv", "1.csv", "2.csv"]
    assert [rows(dataset) for dataset in chain[1:]] == [[(b"1",), (b"2",)], [], [(b"4",)]]
    assert rows(job.dataset("1.bad"), "lineno", "data") == [(3, b"3,3")]
    assert rows(job.dataset("1.skipped"), "lineno", "data") == [(2, b"#")]
    assert rows(job.dataset("bad"), "lineno", "data") == [(3, b"5,5")]
    assert job.load()["num_broken_lines"] == 2


@pytest.mark.parametrize("given", [[], ["nosuch.csv"]])
def test_without_files_there_is_nothing_to_import(bench, given):
    with pytest.raises((JobFailed, NoSuchFile), match=r"is an empty list|no input file 'nosuch\.csv'"):
        bench.build("csvimport", filename=given)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text('a,"\n', max_size=4), max_size=4), min_size=1, max_size=4), st.booleans())
def test_several_files_are_what_the_csv_module_reads_one_after_another(several, tables, crlf):
    texts = []
    for values in tables:
        written = io.StringIO(newline="")
        writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n" if crlf else "\n")
        writer.writerows([["v"], *([value] for value in values)])
        texts.append(written.getvalue().encode())
    read = [
        tuple(row) for text in texts for row in list(csv.reader(io.StringIO(text.decode(), newline="")))[1:]
    ]
    found = rows(several(*texts, quotes='"').dataset())
    assert [(value.decode(),) for (value,) in found] == read


# ---- compressed


def skippable(data):
    return struct.pack("<II", 0x184D2A5F, len(data)) + data


@pytest.mark.parametrize(
    "data",
    [
        zstandard.compress(b"a\n1\n2\n"),
        zstandard.compress(b"a\n1") + zstandard.compress(b"\n2\n"),
        skippable(b"xyz") + zstandard.compress(b"a\n1\n") + skippable(b"") + zstandard.compress(b"2\n"),
        zstandard.compress(b"\xef\xbb\xbfa\n1\n2\n"),
        gzip.compress(b"a\n1\n") + gzip.compress(b"2\n"),
    ],
    ids=["frame", "frames", "skippable", "byte order mark", "gzip"],
)
def test_compression_is_told_by_the_bytes(bench, data):
    assert rows(bench.table(data)) == [(b"1",), (b"2",)]


def test_files_of_different_compression_are_one_dataset(several):
    dataset = several(gzip.compress(b"a\n1\n"), zstandard.compress(b"a\n2\n"), b"a\n3\n").dataset()
    assert rows(dataset) == [(b"1",), (b"2",), (b"3",)]


def test_a_large_zstd_file_is_read_whole(bench):
    text = b"n\n" + b"".join(b"%d\n" % n for n in range(200_000))
    assert sum(bench.table(zstandard.compress(text)).lines) == 200_000


@pytest.mark.parametrize("damage", [lambda data: data[:-3], lambda data: data[:6] + b"\xff\xff" + data[8:]])
def test_a_damaged_zstd_file_fails_the_job(bench, damage):
    with pytest.raises(JobFailed, match=r"'x\.csv' is a damaged zstd file"):
        bench.csvimport(damage(zstandard.compress(b"a\n" + bytes(range(48, 58)) * 1000)))

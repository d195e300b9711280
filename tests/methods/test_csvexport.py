"""csvexport: text of every type, quotes where they are needed, files by slice or as one."""

import csv
import gzip
import io

import pytest

from jobs.errors import JobFailed
from tests.methods.bench import SLICES, rows

TEXT = b'a,b\n1,x\n2,"y,z"\n3,"say ""hi"""\n4,\n'


@pytest.fixture
def source(bench):
    return bench.table(TEXT, quotes='"')


@pytest.fixture
def exported(bench, source):
    """Return a function that gives the text that `source`, or other datasets, become."""

    def build(**arguments):
        job = bench.build("csvexport", **{"source": source, "quote_fields": '"'} | arguments)
        (name,) = job.files()
        with job.open(name, "rb") as file:
            return file.read()

    return build


def test_slices_come_one_after_another(exported):
    assert exported() == b'a,b\n1,x\n4,\n2,"y,z"\n3,"say ""hi"""\n'


def test_what_is_exported_is_imported_as_it_was(bench, source, exported):
    again = bench.table(exported(), quotes='"', name="again.csv")
    assert sorted(rows(again)) == sorted(rows(source))


@pytest.mark.parametrize(
    ("options", "first", "last"),
    [
        ({"labels": ["b", "a"]}, b"b,a", b'"say ""hi""",3'),
        ({"labelsonfirstline": False}, b"1,x", b'3,"say ""hi"""'),
        ({"separator": ";"}, b"a;b", b'3;"say ""hi"""'),
        ({"lazy_quotes": False}, b'"a","b"', b'"3","say ""hi"""'),
        ({"quote_fields": "'"}, b"a,b", b"3,'say \"hi\"'"),
        ({"quote_fields": True}, b"a,b", b'3,"say ""hi"""'),
        ({"quote_fields": "", "separator": "\t"}, b"a\tb", b'3\tsay "hi"'),
        ({"separator": ""}, b'"a""b"', b'"3""say ""hi"""'),
        ({"labels": ["b"], "quote_fields": ""}, b"b", b'say "hi"'),
    ],
)
def test_options_say_how_lines_are_written(exported, options, first, last):
    lines = exported(**options).splitlines()
    assert (lines[0], lines[-1]) == (first, last)


def test_lines_may_end_otherwise(exported):
    assert exported(line_separator="\r\n", labels=["a"]) == b"a\r\n1\r\n4\r\n2\r\n3\r\n"


@pytest.mark.parametrize("arguments", [{"separator": ","}, {"separator": "say "}, {"line_separator": "y"}])
def test_without_quotes_a_separator_in_a_value_is_an_error(exported, arguments):
    with pytest.raises(JobFailed, match=r"column 'b' has values with '.*' in them"):
        exported(quote_fields="", **arguments)


def test_every_slice_can_be_a_file(bench, source):
    job = bench.build("csvexport", source=source, labels=["a"], sliced=True)
    texts = [job.open(f"result.csv.{n}", "rb").read() for n in range(SLICES)]
    assert texts == [b"a\n1\n4\n", b"a\n2\n", b"a\n3\n"]
    named = bench.build("csvexport", source=source, labels=["a"], sliced=True, filename="part%02d.csv")
    assert named.files() == {"part00.csv", "part01.csv", "part02.csv"}
    with pytest.raises(JobFailed, match=r"'%d-%d\.csv' has no place for one number"):
        bench.build("csvexport", source=source, sliced=True, filename="%d-%d.csv")


@pytest.mark.parametrize("filename", ["x.csv.gz", "x.gz.part"])
def test_the_name_says_whether_the_file_is_compressed(exported, filename):
    data = exported(filename=filename)
    assert gzip.decompress(data) == exported()
    # the same text makes the same file at any time
    assert data[4:8] == b"\0\0\0\0"


def test_sliced_files_are_compressed_too(bench, source):
    job = bench.build("csvexport", source=source, labels=["a"], sliced=True, filename="x%d.gz")
    assert gzip.decompress(job.open("x0.gz", "rb").read()) == b"a\n1\n4\n"


# ---- values


@pytest.mark.parametrize(
    ("column_type", "text", "wanted"),
    [
        ("int64_10", "007", "7"),
        ("float64", "1e300", "1e+300"),
        ("float32", "0.1", "0.10000000149011612"),
        ("number", "12.0", "12"),
        ("number", "12.5", "12.5"),
        ("complex64", "1+2j", "(1+2j)"),
        ("strbool", "x", "True"),
        ("date:%Y", "2013", "2013-01-01"),
        ("datetime:%Y", "2013", "2013-01-01 00:00:00"),
        ("time:%H:%M:%S.%f", "1:02:03.004", "01:02:03.004000"),
        ("json", '{"b":[1,null],"a":"\u00e5"}', '{"a": "\\u00e5", "b": [1, null]}'),
        ("unicode:utf-8", "\u00e5", "\u00e5"),
        ("ascii", "x", "x"),
    ],
)
def test_values_are_written_as_text(bench, exported, column_type, text, wanted):
    source = bench.table(b"v\n" + text.encode() + b"\n", separator="")
    typed = bench.build("dataset_type", source=source, column2type={"v": column_type})
    written = exported(source=typed, separator="").decode()
    assert next(csv.reader(io.StringIO(written.partition("\n")[2]))) == [wanted]


def test_bytes_are_written_as_they_are(bench, exported):
    source = bench.table(b"v,w\n\xff\0\xc3,\n", name="bytes.csv")
    assert exported(source=source) == b"v,w\n\xff\0\xc3,\n"


@pytest.mark.parametrize(
    ("none_as", "wanted"),
    [(None, "None,null"), ("-", "-,-"), ("", ","), ({"a": "?"}, "?,null"), ({"b": "?"}, "None,?")],
)
def test_none_is_written_as_one_likes(bench, exported, none_as, wanted):
    source = bench.table(b"a,b\n,null\n", name="none.csv")
    typed = bench.build("dataset_type", source=source, column2type={"a": "int64_10+None", "b": "json"})
    assert exported(source=typed, none_as=none_as) == f"a,b\n{wanted}\n".encode()


@pytest.mark.parametrize("separator", ["-", ":", "1", "e", "."])
def test_values_of_any_type_are_in_quotes_when_they_hold_the_separator(bench, exported, separator):
    texts = ["-12", "1.5", "True", "2011-01-01", "2011-01-01 01:01:01", "01:01:01", "x-1.e:"]
    types = [
        "int64_10",
        "float64",
        "strbool",
        "date:%Y-%m-%d",
        "datetime:%Y-%m-%d %H:%M:%S",
        "time:%H:%M:%S",
        "ascii",
    ]
    labels = list("abcdfgh")
    source = bench.table(f"{','.join(labels)}\n{','.join(texts)}\n".encode())
    typed = bench.build("dataset_type", source=source, column2type=dict(zip(labels, types, strict=True)))
    written = exported(source=typed, separator=separator).decode()
    assert list(csv.reader(io.StringIO(written), delimiter=separator)) == [labels, texts]


# ---- sources


def test_several_datasets_are_exported_slice_by_slice(bench, exported):
    sources = [bench.table(b"a,b\n%d,\n%d,\n" % (n, n + 1), name=f"{n}.csv") for n in (1, 10)]
    assert exported(source=sources, labels=["a"]) == b"a\n1\n10\n2\n11\n"


def test_a_chain_is_exported_as_far_as_the_previous_export_goes(bench):
    jobs = [bench.csvimport(b"a\n1\n", "0.csv")]
    for number in (2, 3):
        jobs.append(bench.csvimport(b"a\n%d\n" % number, f"{number}.csv", previous=jobs[-1]))
    first = bench.build("csvexport", source=jobs[1], chain_source=True)
    assert first.open("result.csv", "rb").read() == b"a\n1\n2\n"
    second = bench.build("csvexport", source=jobs[2], chain_source=True, previous=first)
    assert second.open("result.csv", "rb").read() == b"a\n3\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [({"labels": ["nosuch"]}, "no column 'nosuch'"), ({"source": []}, "no dataset to export")],
)
def test_what_is_not_there_is_not_exported(exported, arguments, reason):
    with pytest.raises(JobFailed, match=reason):
        exported(**arguments)

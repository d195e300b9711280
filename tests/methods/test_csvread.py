"""Rows and fields of CSV text: the same however the text is cut, and the same as Python's csv module finds."""

import csv
import gzip
import io
from collections import deque
from functools import partial

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from jobs.errors import DatasetError, OptionError
from porcelain.methods.csvtext.blocks import Blocks, Done, one_by_one
from porcelain.methods.csvtext.dialect import Dialect, make_dialect
from porcelain.methods.csvtext.oddrow import OddRow, read_row
from porcelain.methods.csvtext.rows import BROKEN, COMMENT, find_rows
from porcelain.methods.csvtext.stream import TextStream
from porcelain.methods.tables.parallel import in_each

QUOTED = Dialect(quotes=b'"')
DIALECTS = [
    Dialect(),
    QUOTED,
    Dialect(quotes=b"\"'"),
    Dialect(quotes=b"'", comment=b"#"),
    Dialect(quotes=b'"', separator=b""),
    Dialect(quotes=b'"', newline=b";", separator=b"|"),
]
texts = st.text("ab,\"'#\n\r;|", max_size=60).map(str.encode)
LONGEST = 1 << 20


def read_rows(text, dialect, block_bytes=1 << 20, longest=LONGEST, part_bytes=1 << 20, run=one_by_one):
    """Yield the number of lines before some rows, and these."""

    def find(block, lane):
        parts = find_rows(block.text, dialect, last=block.last, part_bytes=part_bytes, longest=longest)
        found = list(parts)
        end, lines = found[-1][1:] if found else (0, 0)
        return Done(end, lines, [rows for rows, *_ in found])

    blocks = Blocks(io.BytesIO(text), dialect, "x.csv")
    for lines, found in blocks.read(find, run, block_bytes=block_bytes):
        for rows in found:
            yield lines, rows


def run_ahead(items, work):
    """Run work in this process, two items ahead of who takes the results."""
    done = deque()
    for item in items:
        done.append(work(item, 0))
        if len(done) > 2:
            yield done.popleft()
    yield from done


def all_rows(text, dialect=QUOTED, block_bytes=1 << 20, longest=LONGEST, part_bytes=1 << 20, run=one_by_one):
    """Return (line, fields or why there are none) of each row."""
    found = []
    for before, rows in read_rows(text, dialect, block_bytes, longest, part_bytes, run):
        fields = [rows.get(row) for row in range(len(rows))]
        assert [count == BROKEN for count in rows.counts] == [isinstance(each, str) for each in fields]
        found += zip((rows.lines + before).tolist(), fields, strict=True)
    return found


def rows_one_by_one(text, dialect):
    """Return what `all_rows` does, by reading each row by itself."""
    if text and not text.endswith(dialect.line_end):
        text += dialect.line_end
    found = []
    at = 0
    while at < len(text):
        line = text.count(dialect.line_end, 0, at) + 1
        row = read_row(text, at, dialect)
        if row is None:
            end = text.index(dialect.line_end, at)
            row = OddRow(end, end + 1, "a quote that is never closed")
        found.append((line, row.fields))
        at = row.following
    return found


# ---- rows


@given(texts, st.sampled_from(DIALECTS))
@example(b'"a\n"b\n"c"\n', QUOTED)
@example(b'x"y\n"a\nb","c""d"\r\n', QUOTED)
@example(b"#'\n'a'\n", DIALECTS[3])
@example(b"'a\n#'\n#'b\n", DIALECTS[3])
@example(b"\"a','b\"\n", DIALECTS[2])
@example(b"\"a\"'b'\n", DIALECTS[2])
def test_rows_found_together_are_those_found_one_by_one(text, dialect):
    assert all_rows(text, dialect) == rows_one_by_one(text, dialect)


@given(texts, st.sampled_from(DIALECTS), st.integers(1, 20), st.integers(1, 9))
def test_rows_do_not_depend_on_how_the_text_is_cut(text, dialect, block_bytes, part_bytes):
    found = all_rows(text, dialect, block_bytes, part_bytes=part_bytes, run=run_ahead)
    assert found == all_rows(text, dialect)


@given(texts, st.sampled_from(DIALECTS), st.integers(1, 20), st.integers(1, 9), st.integers(1, 20))
def test_too_long_rows_do_not_depend_on_how_the_text_is_cut(text, dialect, block_bytes, part_bytes, longest):
    def outcome(block_bytes, part_bytes):
        try:
            return all_rows(text, dialect, block_bytes, longest, part_bytes)
        except DatasetError as err:
            return str(err)

    assert outcome(block_bytes, part_bytes) == outcome(1 << 20, 1 << 20)


@given(st.text('ab,"\n', max_size=60))
def test_rows_are_those_of_the_csv_module(text):
    ours = iter(all_rows(text.encode()))
    try:
        for theirs in csv.reader(io.StringIO(text, newline=""), strict=True):
            assert next(ours)[1] == ([field.encode() for field in theirs] or [b""])
    except csv.Error:
        # the csv module gives no more rows after a bad one
        assert isinstance(next(ours)[1], str)
    else:
        assert next(ours, None) is None


@given(
    st.lists(st.lists(st.text("ab,\"'\n\r\0é", max_size=5), min_size=2, max_size=2), max_size=8),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 50),
)
def test_what_the_csv_module_writes_is_read_back(rows, quoting, line_end, block_bytes):
    # unquoted by the csv module unless told to
    assume(quoting == csv.QUOTE_ALL or not any("\r" in field for row in rows for field in row))
    written = io.StringIO(newline="")
    csv.writer(written, quoting=quoting, lineterminator=line_end).writerows(rows)
    read = all_rows(written.getvalue().encode(), block_bytes=block_bytes)
    assert [[field.decode() for field in fields] for _, fields in read] == rows


@pytest.mark.parametrize(
    "text",
    [
        b'"a\nb",c\n' * 40,
        b'5" pipe\n6" pipe\n"a\nb"\n' * 15,
        b'"a' + b"\n" * 99 + b'"\n' + b"b\n" * 9,
        b'b\n"never closed\n' + b"b\n" * 40,
    ],
    ids=["newlines in quotes", "quotes that are characters", "many newlines", "never closed"],
)
def test_blocks_that_are_read_at_once_are_those_that_are_read_in_turn(text):
    run = partial(in_each, noun="block")
    assert all_rows(text, block_bytes=50, run=run) == all_rows(text)


def test_line_numbers_count_the_lines_inside_of_quotes():
    assert all_rows(b'a\n"b\nc\nd"\ne\n') == [(1, [b"a"]), (2, [b"b\nc\nd"]), (5, [b"e"])]


def test_text_after_a_closing_quote_breaks_the_row():
    assert all_rows(b'"a"b,c\nd\n') == [(1, "text after a closing quote"), (2, [b"d"])]


def test_a_quote_inside_of_an_unquoted_field_is_a_character():
    assert all_rows(b'5" pipe,"6"" pipe"\n') == [(1, [b'5" pipe', b'6" pipe'])]


def test_of_a_row_that_never_ends_one_line_is_broken():
    assert all_rows(b'a\n"b\nc\n') == [(1, [b"a"]), (2, "a quote that is never closed"), (3, [b"c"])]


def test_a_row_that_is_too_long_counts_as_one_that_never_ends():
    assert all_rows(b'"a\nb"\nc\n', longest=4) == [
        (1, "a quote that is never closed"),
        (2, [b'b"']),
        (3, [b"c"]),
    ]


def test_a_line_that_is_too_long_is_an_error():
    with pytest.raises(DatasetError, match=r"line 2 of 'x\.csv' has more than 10 bytes"):
        all_rows(b"a\n" + b"b" * 11 + b"\nc\n", longest=10)


def test_of_many_rows_that_never_end_only_the_first_is_read_to_the_end_of_the_text():
    rows = all_rows(b"it's,'tis\n" * 20_000, Dialect(quotes=b"'"))
    assert rows == [(line, "a quote that is never closed") for line in range(1, 20_001)]


def test_a_long_row_is_read_alone_as_the_marks_of_all_behind_it_take_much_memory():
    text = b'"' + b"\n" * 100 + b'"\n' + b"a\n" * 100
    first, *others = find_rows(memoryview(text), QUOTED, last=True, part_bytes=16)
    assert (len(first.rows), first.lines) == (1, 101)
    assert sum(len(found.rows) for found in others) == 100


def test_a_block_without_a_whole_row_becomes_twice_as_large():
    sizes = []

    def find(block, lane):
        sizes.append(len(block.text))
        return Done(len(block.text) if block.last else 0, 0, None)

    list(Blocks(io.BytesIO(b"a" * 1000), QUOTED, "x.csv").read(find, block_bytes=10))
    assert sizes == [10, 20, 40, 80, 160, 320, 640, 1001]


def test_comments_are_no_rows_whatever_quotes_are_in_them():
    dialect = Dialect(quotes=b"'", comment=b"#")
    ((_, rows),) = read_rows(b"#don't\na,'#b'\n#\n'\n#c',d\n", dialect)
    assert rows.counts.tolist() == [COMMENT, 2, COMMENT, 2]
    assert rows.raw().tolist() == [b"#don't", b"a,'#b'", b"#", b"'\n#c',d"]


def test_a_carriage_return_belongs_to_the_line_end_only_where_newline_is_not_told():
    assert all_rows(b"a\r\nb\r\r\nc\rd") == [(1, [b"a"]), (2, [b"b\r"]), (3, [b"c\rd"])]
    assert all_rows(b"a\r\nb", Dialect(newline=b"\n")) == [(1, [b"a\r"]), (2, [b"b"])]


def test_no_text_has_no_rows():
    assert all_rows(b"") == []


# ---- fields


def columns_of(rows, width):
    return [rows.column(number).tolist() for number in range(width)]


@given(texts, st.sampled_from(DIALECTS))
def test_fields_of_columns_are_those_of_rows(text, dialect):
    for _, rows in read_rows(text, dialect):
        for width in set(rows.counts.tolist()) - {BROKEN, COMMENT}:
            same = rows.where(rows.counts == width)
            wanted = [same.get(row) for row in range(len(same))]
            assert [list(row) for row in zip(*columns_of(same, width), strict=True)] == wanted


def test_fields_may_hold_every_byte():
    values = [bytes([byte]) for byte in range(256)]
    text = b"".join(b'"' + value.replace(b'"', b'""') + b'",x\n' for value in values)
    ((_, rows),) = read_rows(text, QUOTED)
    assert columns_of(rows, 2) == [values, [b"x"] * 256]


def test_extra_empty_fields_are_cut_off():
    ((_, rows),) = read_rows(b'a,b,,""\nc,d,,e\nf,g\nh\n', QUOTED)
    rows = rows.without_extra(2)
    assert rows.counts.tolist() == [2, 4, 2, 1]
    assert columns_of(rows.where(rows.counts == 2), 2) == [[b"a", b"f"], [b"b", b"g"]]


# ---- the stream


def test_gzip_is_read_as_what_it_holds():
    assert TextStream(io.BytesIO(gzip.compress(b"a,b\n")), "x.gz").read(10) == b"a,b\n"


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:20] + b"\xff" + data[21:]])
def test_damaged_gzip_is_an_error_that_names_the_file(damage):
    data = damage(gzip.compress(bytes(range(256)) * 400))

    def read_all():
        stream = TextStream(io.BytesIO(data), "x.gz")
        while stream.read(1 << 20):
            pass

    with pytest.raises(DatasetError, match=r"'x\.gz' is a damaged gzip file"):
        read_all()


def test_a_byte_order_mark_is_no_text():
    assert TextStream(io.BytesIO(b"\xef\xbb\xbfa"), "x").read(10) == b"a"


@pytest.mark.parametrize(
    ("text", "count", "lines", "rest"),
    [
        (b"a\r\nb\nc\n", 2, [b"a", b"b"], b"c\n"),
        (b"a\nb", 5, [b"a", b"b"], b""),
        (b"a\n", 0, [], b"a\n"),
        (b"", 3, [], b""),
        (b"x" * 100_000 + b"\ny", 1, [b"x" * 100_000], b"y"),
    ],
)
def test_lines_are_read_off_the_beginning(text, count, lines, rest):
    stream = TextStream(io.BytesIO(text), "x")
    assert stream.read_lines(count, Dialect()) == lines
    assert stream.read(1 << 20) == rest


# ---- the dialect


def dialect_of(**marks):
    return make_dialect(**{"separator": ",", "newline": "", "quotes": "", "comment": ""} | marks)


@pytest.mark.parametrize("both", [True, "True"])
def test_quotes_may_be_both(both):
    assert dialect_of(quotes=both).quotes == b"\"'"


@pytest.mark.parametrize("none", [False, "False", ""])
def test_quotes_may_be_none(none):
    assert dialect_of(quotes=none).quotes == b""


def test_any_character_of_latin_1_can_separate():
    assert dialect_of(separator="å").separator == b"\xe5"
    assert dialect_of(separator="\0").separator == b"\0"


@pytest.mark.parametrize(
    "marks", [{"separator": "ab"}, {"comment": "λ"}, {"quotes": '""'}, {"newline": "\r\n"}]
)
def test_a_mark_of_two_characters_is_refused(marks):
    with pytest.raises(OptionError, match=f"option '{next(iter(marks))}' is one character"):
        dialect_of(**marks)


@pytest.mark.parametrize(
    ("marks", "names"),
    [
        ({"separator": "\n"}, "'separator' and 'newline'"),
        ({"quotes": True, "comment": '"'}, "'quotes' and 'comment'"),
    ],
)
def test_one_character_for_two_things_is_refused(marks, names):
    with pytest.raises(OptionError, match=f"options {names} are the same"):
        dialect_of(**marks)

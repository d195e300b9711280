"""csvimport with types="auto": which type a column gets, that no text loses anything by it, and what comes later."""

import csv
import datetime
import io
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.errors import JobFailed, OptionError
from porcelain.methods.csvtext import blocks, choice
from tests.methods.bench import rows

UTC = datetime.UTC
DAY = datetime.datetime(2024, 2, 29, 12, 30, 5)


def auto(bench, texts, **options):
    """Return the job that imports one column `v` of such texts."""
    data = io.StringIO()
    csv.writer(data, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
        [["v"], *([text] for text in texts)]
    )
    encoded = data.getvalue().encode("utf-8", "surrogateescape")
    return bench.csvimport(encoded, quotes='"', types="auto", **options)


def values(job):
    return [value for (value,) in rows(job.dataset(), "v")]


INT, FLOAT, DATE, BOOL = "int64_10+None", "float64+None", "date+None:%Y-%m-%d", "strbool+None"
TEXT = "unicode:utf-8"


def moments(form):
    return f"datetime+None:{form}"


@pytest.mark.parametrize(
    ("texts", "wanted", "first"),
    [
        (["1", "-7", "+0"], INT, 1),
        (["-9223372036854775808", "9223372036854775807"], INT, -(2**63)),
        (["9223372036854775808"], TEXT, "9223372036854775808"),
        (["007"], TEXT, "007"),
        (["1", "-01"], TEXT, "1"),
        (["00"], TEXT, "00"),
        ([" 1"], TEXT, " 1"),
        (["1 "], TEXT, "1 "),
        (["-"], TEXT, "-"),
        (["1_000"], TEXT, "1_000"),
        (["1", "0.5"], FLOAT, 1.0),
        (["1e9", ".5", "-5.", "0e1"], FLOAT, 1e9),
        (["inf", "-Infinity", "NaN", "-0.0"], FLOAT, float("inf")),
        (["01.5"], TEXT, "01.5"),
        (["0x10"], TEXT, "0x10"),
        (["1.5 "], TEXT, "1.5 "),
        (["nan(7)"], TEXT, "nan(7)"),
        (["1e999"], TEXT, "1e999"),
        (["1e300"], FLOAT, 1e300),
        (["0.5", "9007199254740993"], TEXT, "0.5"),
        (["0.5", "9007199254740993.0"], FLOAT, 0.5),
        (["2024-02-29"], DATE, DAY.date()),
        (["2023-02-29"], TEXT, "2023-02-29"),
        (["1-2-3"], TEXT, "1-2-3"),
        (["20240229"], INT, 20240229),
        (["2024-02-29 12:30:05"], moments("%Y-%m-%d %H:%M:%S"), DAY),
        (["2024-02-29T12:30:05"], moments("%Y-%m-%dT%H:%M:%S"), DAY),
        (["2024-02-29 12:30"], moments("%Y-%m-%d %H:%M"), DAY.replace(second=0)),
        (["2024-02-29T12:30:05Z"], moments("%Y-%m-%dT%H:%M:%SZ"), DAY.replace(tzinfo=UTC)),
        (
            ["2024-02-29T12:30:05.250Z"],
            moments("%Y-%m-%dT%H:%M:%S.%fZ"),
            DAY.replace(tzinfo=UTC, microsecond=250_000),
        ),
        (["2024-02-29T12:30:05.000001"], moments("%Y-%m-%dT%H:%M:%S.%f"), DAY.replace(microsecond=1)),
        (["2024-02-29T12:30:05Z", "2024-02-29T12:30:05"], TEXT, "2024-02-29T12:30:05Z"),
        (["2024-02-29", "2024-02-29 12:30:05"], TEXT, "2024-02-29"),
        (["2024-02-29T12:30:05+01:00"], TEXT, "2024-02-29T12:30:05+01:00"),
        (["true", "FALSE", "True"], BOOL, True),
        (["true", "yes"], TEXT, "true"),
        (["t"], TEXT, "t"),
        (["åäö", "\0"], TEXT, "åäö"),
        (["\udcff", "å"], "bytes", b"\xff"),
    ],
)
def test_the_first_type_that_loses_nothing_is_chosen(bench, texts, wanted, first):
    job = auto(bench, texts)
    assert (job.load()["types"], values(job)[0]) == ({"v": wanted}, first)


@pytest.mark.parametrize(
    ("texts", "wanted", "made"),
    [
        (["1", "", "NA"], INT, [1, None, None]),
        (["", "true"], BOOL, [None, True]),
        (["", "NA", "x"], TEXT, ["", None, "x"]),
        (["", ""], TEXT, ["", ""]),
        ([], TEXT, []),
    ],
)
def test_empty_texts_are_none_where_there_are_values_of_another_type(bench, texts, wanted, made):
    job = auto(bench, texts, none_values=("NA",))
    assert (job.load()["types"]["v"], values(job)) == (wanted, made)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.lists(st.integers(), min_size=1),
        st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1),
        st.lists(st.floats(), min_size=1),
        st.lists(st.one_of(st.integers(), st.floats()), min_size=1),
    )
)
def test_numbers_come_back_as_they_were(bench, numbers):
    texts = [repr(number) for number in numbers]
    job = auto(bench, texts)
    made = values(job)
    if job.load()["types"]["v"] == TEXT:
        assert made == texts
        assert any(isinstance(number, int) and abs(number) >= 2**53 for number in numbers)
    else:
        # equal to the last bit, also nan and -0.0; a whole number among floats is one of them
        wanted = [type(back)(number) for back, number in zip(made, numbers, strict=True)]
        assert list(map(repr, made)) == list(map(repr, wanted))
        assert all(back == number or number != number for back, number in zip(made, numbers, strict=True))


def test_columns_that_have_a_type_keep_it(bench):
    job = bench.csvimport(b"a,b,c\n1,2,3\n", types="auto", column2type={"a": "ascii"}, discard={"c"})
    assert (rows(job.dataset()), job.load()["types"]) == ([("1", 2)], {"b": INT})


def test_fractions_and_zones_are_as_for_types_that_are_named(bench):
    job = bench.csvimport(
        b"x;t;z\n1,5;2024-07-01 12:00:00;2024-07-01T12:00:00Z\n",
        separator=";",
        types="auto",
        numeric_comma=True,
        timezone="Europe/Stockholm",
    )
    noon = datetime.datetime(2024, 7, 1, 12, tzinfo=UTC)
    assert rows(job.dataset(), "x", "t", "z") == [(1.5, noon - datetime.timedelta(hours=2), noon)]


# ---- what is looked at


@pytest.fixture
def few_looked_at(monkeypatch):
    """Let the choice be made by the first 100 bytes behind the labels."""
    monkeypatch.setattr(choice, "_LOOKED_AT_BYTES", 100)


@pytest.mark.parametrize(
    ("late", "texts"),
    [("x", ["1"] * 60), ("007", ["1"] * 60), ("maybe", ["true"] * 30), ("1e999", ["0.5"] * 40)],
)
def test_a_later_text_that_does_not_fit_is_an_error_that_says_how_to_name_the_type(
    bench, few_looked_at, late, texts
):
    with pytest.raises(
        JobFailed, match=rf"line {len(texts) + 2} of 'x\.csv', column 'v': '{late}' is no"
    ) as failed:
        auto(bench, [*texts, late])
    assert "column2type={'v': ...}" in failed.value.hint


def test_a_later_text_that_does_not_fit_may_be_left_out_or_get_a_default(bench, few_looked_at):
    texts = ["1"] * 60 + ["x"]
    left_out = auto(bench, texts, filter_bad=True)
    assert rows(left_out.dataset("bad")) == [(b'"x"', 62)]
    assert (left_out.load()["num_lines"], left_out.load()["bad"]) == (60, {"v": 1})
    assert values(auto(bench, texts, defaults={"v": 5}))[-1] == 5
    assert values(auto(bench, texts, none_values=("x",)))[-1] is None


def test_a_row_longer_than_what_is_looked_at_is_looked_at(bench, few_looked_at):
    job = bench.csvimport(b"a,v\n%b,1\n" % (b"x" * 250), types="auto")
    assert job.load()["types"] == {"a": TEXT, "v": INT}


def test_lines_that_are_left_out_choose_nothing(bench):
    job = bench.csvimport(
        b"#x\na,b\n#x\n1,2,3\n\n1,2,,\n", types="auto", comment="#", allow_bad=True, allow_extra_empty=True
    )
    assert (job.load()["types"], rows(job.dataset())) == ({"a": INT, "b": INT}, [(1, 2)])


def test_the_choice_goes_by_the_bytes_of_the_file_alone(bench, few_looked_at, monkeypatch):
    texts = ["1"] * 30 + ["x"] * 20
    large = auto(bench, texts, filter_bad=True)
    monkeypatch.setattr(blocks, "LEAST_BLOCK_BYTES", 10)
    monkeypatch.setattr(blocks, "BYTES_AT_ONCE", 10)
    small = auto(bench, texts, filter_bad=True, compression=9)
    assert small != large
    assert small.load() == large.load()
    assert large.load()["types"] == {"v": INT}
    assert values(small) == values(large) == [1] * 30


# ---- several files


@pytest.mark.parametrize("chain", [False, True])
def test_types_of_several_files_are_those_of_the_first(bench, chain):
    names = [
        bench.write(data, f"{number}.csv") for number, data in enumerate([b"n,m\n0.5,x\n", b"m,n\n7,7\n"])
    ]
    job = bench.build("csvimport", filename=names, chain=chain, types="auto")
    assert list(job.dataset().iterate_chain("roundrobin", ["n", "m"])) == [(0.5, "x"), (7.0, "7")]
    bench.write(b"m,n\nx,y\n", names[1])
    with pytest.raises(JobFailed, match=r"line 2 of '1\.csv', column 'n': 'y' is no float64"):
        bench.build("csvimport", filename=names, chain=chain, types="auto")


def test_in_a_chain_a_column_goes_by_the_first_file_that_has_it(bench):
    names = [bench.write(b"n\n1\n", "0.csv"), bench.write(b"m\n0.5\n", "1.csv")]
    job = bench.build("csvimport", filename=names, chain=True, types="auto")
    assert (rows(job.dataset("0")), rows(job.dataset())) == ([(1,)], [(0.5,)])
    assert job.load()["types"] == {"m": FLOAT, "n": INT}


def test_each_file_in_a_zip_file_has_types_of_its_own(bench):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a", "v\n1\n")
        archive.writestr("b", "v\nx\n")
    job = bench.build(
        "csvimport_zip", filename=bench.write(stream.getvalue(), "x.zip"), types="auto", compression=3
    )
    assert (rows(job.dataset("a")), rows(job.dataset("b"))) == ([(1,)], [("x",)])


def test_another_word_than_auto_is_refused(bench):
    with pytest.raises((JobFailed, OptionError), match="option 'types' is 'auto' or nothing, not 'all'"):
        bench.csvimport(b"v\n1\n", types="all")

"""What patterns need, match and mark, beside Python's `re` and comparisons."""

import re
import warnings

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from porcelain.looking.patterns import NumberPatterns, TextPatterns, needed_texts

ATOMS = st.sampled_from(
    ["a", "b", "1", " ", ".", r"\.", r"\d", r"\S", "[ab]", "[^]a]", r"[\]b]", "^", "$", r"\b"]
)
SOURCES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map("".join),
        st.lists(inner, min_size=1, max_size=3).map("|".join),
        st.tuples(st.sampled_from(["(", "(?:", "(?i:", "(?=", "(?!", "(?P<n>"]), inner, st.just(")")).map(
            "".join
        ),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "++", "{2}", "{0,1}", "{,1}", "{"])).map(
            "".join
        ),
    ),
    max_leaves=6,
)
SUBJECTS = st.text("abAB12 :d-\n\u017f\u212a", max_size=12)


def compiled(source, flags=0):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what may mean something else one day
        try:
            return re.compile(source, flags)
        except (re.error, OverflowError):
            return None


@given(SOURCES, SUBJECTS)
@settings(suppress_health_check=[HealthCheck.filter_too_much])
@example("a(b|c)d", "acd")
@example("ab?", "a")
@example("a{0}b", "b")
@example("x{,2}a|b", "b")
@example("(?:a|b)1", "b1")
@example("[]a]b", "]b")
@example(r"\[a", "[a")
@example("(?i)a", "A")
@example("a(?!b)1", "a1")
@example("(a)(?(1)b|1)", "ab")
@example("a++b", "aab")
def test_whatever_matches_has_one_of_the_needed_texts(source, subject):
    regex = compiled(source, re.DOTALL)
    assume(regex is not None and regex.search(subject) is not None)
    needed = needed_texts(source)
    assert not needed or any(text in subject for text in needed)


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ("JFK", ["JFK"]),
        (r"^N1\d+UA$", ["N1"]),
        (r"a\.b\ c", ["a.b c"]),
        ("one|three?", ["one", "thre"]),
        ("(one|two)", []),
        ("one|.", []),
        ("", []),
        (r"\x41", []),
    ],
)
def test_needed_texts_are_as_long_as_can_be(source, needed):
    assert needed_texts(source) == needed


def rows_of(patterns, texts):
    return list(patterns.rows(texts, lambda: texts))


@given(
    st.lists(SOURCES, min_size=1, max_size=2), st.lists(SUBJECTS, max_size=6), st.booleans(), st.booleans()
)
@example(["s"], ["\u017f", "k"], False, True)
@example(["K"], ["\u212a"], True, True)
def test_rows_are_those_in_which_re_finds_something(sources, texts, fixed, ignore_case):
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    regexes = [compiled(re.escape(source) if fixed else source, flags) for source in sources]
    assume(None not in regexes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patterns = TextPatterns(sources, fixed=fixed, ignore_case=ignore_case)
    assert rows_of(patterns, texts) == [
        row for row, text in enumerate(texts) if any(regex.search(text) for regex in regexes)
    ]
    for text in texts:
        marked = {at for start, stop in patterns.spans(text) for at in range(start, stop)}
        assert marked == {
            at for regex in regexes for match in regex.finditer(text) for at in range(*match.span())
        }


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("3", [3, 3.0, "3", " 3 ", b"3", "0x3"]),
        ("=3", [3, 3.0, "3", " 3 ", b"3", "0x3"]),
        ("<3", [-1, 2.5]),
        ("<=3", [-1, 2.5, 3, 3.0, "3", " 3 ", b"3", "0x3"]),
        (">3", [7, "1e3"]),
        (">=7", [7, "1e3"]),
        ("2.5:7", [2.5, 3, 3.0, "3", " 3 ", b"3", "0x3"]),
        ("2.5<:7", [3, 3.0, "3", " 3 ", b"3", "0x3"]),
        ("3<:=7", [7]),
        ("0x7", [7]),
        ("", [-1, 2.5, 3, 3.0, "3", " 3 ", b"3", "0x3", 7, "1e3"]),
    ],
)
def test_numbers_are_compared_whatever_they_are_written_as(pattern, found):
    values = [-1, 2.5, 3, 3.0, "3", " 3 ", b"3", "0x3", 7, "1e3", "three", "", None, b"\xff"]
    patterns = NumberPatterns([pattern])
    assert [values[row] for row in patterns.rows(values, list)] == found


@pytest.mark.parametrize("pattern", ["x", "3:", ":3", "<", "3:x"])
def test_what_is_no_number_is_refused(pattern):
    with pytest.raises(ValueError, match="is no number"):
        NumberPatterns([pattern])


def test_a_number_is_marked_without_the_spaces_around_it():
    assert NumberPatterns(["3"]).spans(" 3  ") == [(1, 2)]
    assert NumberPatterns(["3"]).spans("4") == []

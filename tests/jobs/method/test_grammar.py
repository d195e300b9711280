"""What each way of declaring an option takes, and what it makes of it."""

import datetime
import json
import math
from collections import OrderedDict
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.formats.canonical import dumps, tag
from cas.oid import oid_of
from jobs.errors import MethodError, OptionError
from jobs.job import Job
from jobs.method.arguments import check_options
from jobs.method.grammar import converter_from_json, declare
from jobs.method.options import (
    InputFile,
    InputPath,
    OptionDefault,
    OptionEnum,
    OptionString,
    RequiredOption,
)
from jobs.withfile import JobWithFile

DAY = datetime.date(2013, 1, 2)
MOMENT = datetime.datetime(2013, 1, 2, 3, 4, 5)


class Label(str):
    """Stands for a job or a dataset: a str that must never become a mere text."""


LABEL = Label("dev-12")


def resolve(text: str) -> InputPath:
    return InputPath(text, Path("/input") / text, oid_of(b"content"))


def check(spec: object, *value: object) -> Any:
    """Return what option `x` of a method is when it is given `value`, or nothing."""
    given = {"x": value[0]} if value else {}
    return check_options(declare({"x": spec}, method="m"), given, method="m", resolve_input=resolve)["x"]


def same(left: object, right: object) -> bool:
    return type(left) is type(right) and left == right


@pytest.mark.parametrize(
    ("spec", "value", "expected"),
    [
        # a type: a value of it
        (int, 5, 5),
        (int, True, 1),
        (int, np.int64(5), 5),
        (float, 1.5, 1.5),
        (float, 2, 2.0),
        (float, np.float32(0.5), 0.5),
        (str, "a", "a"),
        (str, LABEL, LABEL),
        (bool, True, True),
        (bool, 0, False),
        (bool, np.bool_(True), True),
        (bytes, b"a", b"a"),
        (complex, 1j, 1j),
        (list, (1, "a"), [1, "a"]),
        (tuple, [1], (1,)),
        (set, [1, 1], {1}),
        (dict, {1: 2}, {1: 2}),
        # a value: coerced to its type
        (3, "5", 5),
        (3, 5.7, 5),
        (1.5, "2.5", 2.5),
        (1.5, 2, 2.0),
        ("x", 5, "5"),
        ("x", "", ""),
        ("x", LABEL, LABEL),
        (True, "no", False),
        (True, "", False),
        (False, "YES", True),
        (False, 5, True),
        (b"x", "y", b"y"),
        # containers
        ([], "a, b", ["a", "b"]),
        ([], "", []),
        ([], (1, "a"), [1, "a"]),
        ([], {3, 1, 2}, [1, 2, 3]),
        ([], {"b", 1}, ["b", 1]),
        ([], LABEL, [LABEL]),
        ((), [1], (1,)),
        (set(), "a,b", {"a", "b"}),
        (frozenset(), [1], frozenset({1})),
        ([int], "1, 2", [1, 2]),
        ([int], (1, "2"), [1, 2]),
        ([int], np.array([1, 2]), [1, 2]),
        ([int], [None], [None]),
        ([int], range(2), [0, 1]),
        ([1, 2], ["3"], [3]),
        ({int}, [1, 1], {1}),
        ((float,), [1], (1.0,)),
        ([str], [LABEL], [LABEL]),
        ([[int]], [[1], "2,3"], [[1], [2, 3]]),
        ({"k": float}, {"a": 1, "b": "2.5"}, {"a": 1.0, "b": 2.5}),
        ({"k": [int]}, {"a": "1"}, {"a": [1]}),
        ({}, {"a": [1]}, {"a": [1]}),
        ([{"k": int}], [{"a": 1}], [{"a": 1}]),
        # dates and paths
        (datetime.datetime, MOMENT, MOMENT),
        (datetime.datetime, DAY, datetime.datetime(2013, 1, 2)),
        (datetime.date, MOMENT, DAY),
        (datetime.time, MOMENT, datetime.time(3, 4, 5)),
        (datetime.timedelta, 1.5, datetime.timedelta(seconds=1.5)),
        (MOMENT, "2014-01-02 03:04", datetime.datetime(2014, 1, 2, 3, 4)),
        (DAY, "2014-01-02", datetime.date(2014, 1, 2)),
        ([datetime.date], "2014-01-02", [datetime.date(2014, 1, 2)]),
        (datetime.timedelta(1), "2", datetime.timedelta(seconds=2)),
        (Path, "a/b", Path("a/b")),
        (Path, PurePath("a"), Path("a")),
        (PurePath, Path("a"), PurePath("a")),
        (Path("x"), "a", Path("a")),
        # declarations by name
        (OptionString, "a", "a"),
        (OptionString("example"), 5, "5"),
        (OptionString, LABEL, LABEL),
        (OptionEnum("a b c*"), "cfoo", "cfoo"),
        (OptionEnum("a b c*"), "c", "c"),
        (OptionEnum(["a", "b"], none_ok=True), "", None),
        (OptionEnum("a b", none_ok=True).a, None, None),
        ([OptionEnum("a b")], "a,b", ["a", "b"]),
        ([OptionString], "a,b", ["a", "b"]),
        (RequiredOption(int), 5, 5),
        (RequiredOption(int, none_ok=True), None, None),
        (RequiredOption([int]), [], []),
        (OptionDefault(OptionString, "foo"), None, "foo"),
        (OptionDefault(OptionString, "foo"), "a", "a"),
        (OptionDefault({"k": int}, {"z": 1}), None, {"z": 1}),
        (None, [1, {"a": (2,)}], [1, {"a": (2,)}]),
        (JobWithFile, None, None),
        ([JobWithFile], [], []),
    ],
)
def test_an_option_takes(spec: object, value: object, expected: object) -> None:
    assert same(check(spec, value), expected)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (int, None),
        (3, 3),
        ("x", "x"),
        (DAY, DAY),
        (Path, None),
        ([], []),
        ((), ()),
        (set(), set()),
        ([int], []),
        ([1, 2], [1, 2]),
        ([1, "a"], [1, "a"]),
        ([[1]], [[1]]),
        ({"k": float}, {}),
        ({"k": 1.5}, {"k": 1.5}),
        ({"a": 1, "b": "x"}, {"a": 1, "b": "x"}),
        (OptionEnum("a b").b, "b"),
        (OptionEnum("a b", none_ok=True), None),
        ([OptionEnum("a b").b], ["b"]),
        (OptionDefault(OptionString), None),
        (OptionDefault([int], "1,2"), [1, 2]),
        (OptionDefault(RequiredOption(int), 3), 3),
        (JobWithFile(), None),
        ({"k": JobWithFile}, {}),
        (InputFile(), None),
        (None, None),
        ([None], []),
    ],
)
def test_an_option_that_is_not_given_is(spec: object, expected: object) -> None:
    assert same(check(spec), expected)


@pytest.mark.parametrize(
    "spec",
    [
        OptionString,
        OptionString("example"),
        OptionEnum("a b"),
        RequiredOption(3),
        RequiredOption(OptionEnum("a b").a),
        [OptionEnum("a b")],
        {"k": OptionString},
        RequiredOption(JobWithFile()),
        RequiredOption(InputFile("default")),
    ],
)
def test_an_option_must_be_given(spec: object) -> None:
    with pytest.raises(OptionError, match=r"^method 'm' needs the option 'x'$"):
        check(spec)


@pytest.mark.parametrize(
    ("spec", "value", "message"),
    [
        (int, "5", "option 'x' of method 'm' cannot be '5': it takes an int"),
        (int, 5.0, "cannot be 5.0"),
        (float, "x", "it takes a float"),
        (float, 10**400, "it takes a float"),
        (str, 5, "it takes a text"),
        (bool, 2, "it takes true or false"),
        (bool, "yes", "it takes true or false"),
        (list, "a", "it takes a list"),
        (dict, [], "it takes a dict"),
        (3, "three", "cannot be 'three': it takes an int"),
        (3, [1], "it takes an int"),
        (3, LABEL, "it takes an int"),
        (3, float("nan"), "it takes an int"),
        ("x", [1], "it takes a text"),
        ("x", b"y", "it takes a text"),
        (False, "maybe", "it takes true or false"),
        ([], 5, "it takes a list"),
        ([], {"a": 1}, "it takes a list"),
        ([], iter([1]), "it takes a list"),
        ((), b"ab", "it takes a tuple"),
        (set(), [[]], "a set of things that can be hashed"),
        ([int], [1, "x"], "option 'x[1]' of method 'm' cannot be 'x': it takes an int"),
        ([int], [2.5], "it takes an int"),
        ([str], [5], "it takes a text"),
        ({"k": float}, {"a": "x"}, "option 'x['a']' of method 'm' cannot be 'x': it takes a float"),
        ({"k": [int]}, {"a": [1, "y"]}, "option 'x['a'][1]'"),
        ({"k": float}, [("a", 1.0)], "it takes a dict"),
        (datetime.date, "2013-01-02", "it takes a date"),
        (DAY, "the second", "it takes a date"),
        (MOMENT, 5, "it takes a datetime"),
        (datetime.timedelta, "5", "it takes a timedelta or seconds"),
        (Path, 5, "it takes a path"),
        (Path, LABEL, "it takes a path"),
        (OptionString, "", "it takes a text that is not empty"),
        (OptionString("ex"), None, "it takes a text that is not empty, as 'ex'"),
        (OptionEnum("a b c*"), "d", "cannot be 'd': it takes one of a, b, c*"),
        (OptionEnum("a b"), None, "it takes one of a, b"),
        (OptionEnum("a b").a, None, "it takes one of a, b"),
        (OptionEnum("a b"), 5, "it takes one of a, b"),
        (RequiredOption(int), None, "it takes a value, for it is required"),
        (RequiredOption(OptionEnum("a", none_ok=True)), None, "for it is required"),
        (OptionDefault(OptionString), "", "it takes a text that is not empty"),
        (JobWithFile, "dev-1", "it takes a file of a job, as job.withfile('name') gives it"),
        (JobWithFile, JobWithFile(), "it takes a file of a job"),
        (InputFile, 5, "it takes a path of a file"),
        (InputFile, "", "it takes a path of a file"),
        (InputFile, LABEL, "it takes a path of a file"),
    ],
)
def test_an_option_refuses(spec: object, value: object, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        check(spec, value)
    assert message in str(caught.value)


@pytest.mark.parametrize("spec", [int, 3, "x", True, DAY, Path, [int], {"k": float}, {}, JobWithFile])
def test_none_is_taken_by_what_is_not_required(spec: object) -> None:
    assert check(spec, None) is None


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (object, "'object' is no type of an option"),
        (len, "a 'builtin_function_or_method' is no type or value of an option"),
        ([int, str], "one type for all that it holds"),
        ({"a": int, "b": str}, "one type for all that it holds"),
        ([object()], "is no type or value"),
        (OptionDefault(OptionEnum("a b"), "c"), "'c' is not one of a, b"),
        (OptionDefault([int], ["x"]), "'x' is not an int"),
        (OptionDefault(None, object()), "object"),
    ],
)
def test_a_declaration_that_says_nothing_is_an_error_of_the_method(spec: object, reason: str) -> None:
    with pytest.raises(MethodError, match=r"^option 'x' of method 'm' is declared wrongly: ") as caught:
        declare({"x": spec}, method="m")
    assert reason in str(caught.value)


def test_an_enum_without_names_is_an_error() -> None:
    with pytest.raises(MethodError, match="needs names"):
        OptionEnum("")


def test_an_enum_has_only_its_names_as_attributes() -> None:
    with pytest.raises(AttributeError, match="'z' is none of a, b"):
        OptionEnum("a b").z  # noqa: B018 - that is the test


@pytest.mark.parametrize("spec", [str, "x", OptionString, None])
def test_a_job_stays_one(spec: object) -> None:
    assert check(spec, LABEL) is LABEL


@pytest.mark.parametrize("spec", [[], [str], ["x"], set(), [None], [OptionString]])
def test_a_job_for_a_list_is_one_item(spec: object) -> None:
    (item,) = check(spec, LABEL)

    assert item is LABEL


@pytest.mark.parametrize("spec", [3, 1.5, 1j, b"x", Path("x"), DAY, datetime.timedelta(1)])
def test_a_job_is_never_read_as_a_text(spec: object) -> None:
    with pytest.raises(OptionError):
        check(spec, Label("5"))


def test_an_ordered_dict_stays_one() -> None:
    value = OrderedDict(b="1", a="2")

    assert same(check({"k": int}, value), OrderedDict(b=1, a=2))


def test_what_is_returned_is_not_what_was_given() -> None:
    value = [[1]]
    checked = check([[int]], value)
    value[0].append(2)

    assert checked == [[1]]


def test_a_default_is_new_each_time() -> None:
    declared = declare({"x": [1], "y": {"k": [1]}}, method="m")
    first = check_options(declared, {}, method="m")
    first["x"].append(2)  # type: ignore[attr-defined] # a list
    first["y"]["k"].append(2)  # type: ignore[index] # a dict

    assert check_options(declared, {}, method="m") == {"x": [1], "y": {"k": [1]}}


def test_an_input_file_is_resolved_wherever_it_stands() -> None:
    files = check([InputFile], ["a.csv", Path("b.csv")])

    assert files == ["a.csv", "b.csv"]
    assert [file.path for file in files] == [Path("/input/a.csv"), Path("/input/b.csv")]


def test_an_input_file_may_be_several() -> None:
    spec = RequiredOption(InputFile(several=True))
    assert check(spec, "a,b.csv") == "a,b.csv"
    assert [file.path for file in check(spec, ["a.csv", "b.csv"])] == [
        Path("/input/a.csv"),
        Path("/input/b.csv"),
    ]
    with pytest.raises(OptionError, match="a path of a file"):
        check(InputFile(), ["a.csv"])


def test_the_default_of_an_input_file_is_resolved() -> None:
    assert check(InputFile("a.csv")).path == Path("/input/a.csv")
    assert check(OptionDefault([InputFile()], "a.csv,b.csv"))[1].path == Path("/input/b.csv")


def test_an_input_path_that_is_handed_on_is_resolved_again() -> None:
    assert check(InputFile, InputPath("name", Path("/elsewhere/file"), oid_of(b""))).content == oid_of(
        b"content"
    )


class Finished(Job):
    """A job that has every file."""

    def __new__(cls, label: str) -> "Finished":
        return str.__new__(cls, label)

    def withfile(self, name: str, sliced: bool = False, extra: object = None) -> JobWithFile:
        return JobWithFile(self, name, sliced, extra)


def test_a_tuple_stands_for_a_file_of_a_job() -> None:
    job = Finished("dev-1")

    assert check(JobWithFile, (job, "a.txt")) == JobWithFile(job, "a.txt")
    assert check([JobWithFile], [(job, "part", True, 5)]) == [JobWithFile(job, "part", True, 5)]
    for wrong in [(job,), (job, "a", True, 5, 6), (5, "a"), [job, "a"]]:
        with pytest.raises(OptionError):
            check(JobWithFile, wrong)


SPECS: list[object] = [
    int,
    3,
    1.5,
    math.inf,
    "x",
    True,
    b"x",
    1j,
    DAY,
    MOMENT,
    Path("x"),
    Path,
    list,
    [],
    (),
    {1, 2},
    frozenset({"a"}),
    [int],
    [1, "a"],
    {"k": float},
    {"k": [{"l": int}]},
    OrderedDict(b=1, a=2),
    OptionString("example"),
    OptionEnum("a b*", none_ok=True),
    OptionEnum("a b").b,
    RequiredOption([int], none_ok=True),
    OptionDefault({"k": OptionString}, {"a": "b"}),
    JobWithFile(),
    InputFile("a.csv"),
    InputFile(several=True),
    None,
]


@pytest.mark.parametrize("spec", SPECS)
def test_a_converter_comes_back_from_json(spec: object) -> None:
    (converter,) = declare({"x": spec}, method="m").values()

    assert converter == converter_from_json(json.loads(json.dumps(converter.to_json())))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.dates()
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.sampled_from(SPECS), VALUES)
def test_checking_again_changes_nothing(spec: object, value: object) -> None:
    try:
        checked = check(spec, value)
    except OptionError:
        return
    assert same(checked, check(spec, checked))


@given(st.sampled_from([int, 3, [int], {"k": float}, "x", [], ()]), VALUES)
def test_what_is_taken_can_stand_in_a_node(spec: object, value: object) -> None:
    try:
        checked = check(spec, value)
    except OptionError:
        return
    if not _has_surrogates(checked):
        dumps(tag(checked))


def _has_surrogates(value: object) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in repr(value)) or "\\ud" in repr(value)

import datetime
import enum
import json
import math
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, namedtuple
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.errors import AccError, NotCanonical
from cas.formats.canonical import dumps, loads, tag, untag
from tests.strategies import structures, values


def same(one: object, other: object) -> bool:
    """Whether two values are equal and of equal types, all the way down; nan is itself, -0.0 is not 0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return one.hex() == other.hex()
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        ordered = isinstance(one, OrderedDict)
        pairs = [list(one.items()), list(other.items())]
        mine, others = (
            pairs if ordered else [sorted(part, key=lambda pair: dumps(tag(pair[0]))) for part in pairs]
        )
        return same([*map(list, mine)], [*map(list, others)])
    if isinstance(one, (set, frozenset)):
        return same(*(sorted(part, key=lambda item: dumps(tag(item))) for part in (one, other)))
    if isinstance(one, (datetime.datetime, datetime.time)):
        return one == other and one.fold == other.fold and one.isoformat() == other.isoformat()
    return one == other


# structures


@given(structures)
def test_a_structure_comes_back_from_its_bytes(structure):
    data = dumps(structure)
    assert loads(data) == structure
    assert dumps(loads(data)) == data


def by_the_page(structure: object) -> str:
    """Another writer, made from docs/reference/formats/node.md alone."""
    if structure is None:
        return "null"
    if isinstance(structure, int):
        return str(structure).lower()
    if isinstance(structure, str):
        return '"' + "".join(map(escaped, structure)) + '"'
    if isinstance(structure, list):
        return "[" + ",".join(map(by_the_page, structure)) + "]"
    members = sorted(structure.items(), key=lambda member: member[0].encode())
    return "{" + ",".join(f"{by_the_page(key)}:{by_the_page(item)}" for key, item in members) + "}"


def escaped(character: str) -> str:
    short = dict(zip('"\\\b\t\n\f\r', '"\\btnfr', strict=True))
    if character in short:
        return "\\" + short[character]
    return f"\\u00{ord(character):02x}" if character < " " else character


@given(structures)
def test_another_writer_made_from_the_reference_page_writes_the_same(structure):
    assert by_the_page(structure).encode() == dumps(structure)


@pytest.mark.parametrize("character", [chr(code) for code in [*range(160), 0x2028, 0x2029, 0xFFFF]])
def test_each_character_is_escaped_as_the_reference_page_says(character):
    assert by_the_page(character).encode() == dumps(character)


@given(structures)
def test_canonical_bytes_are_json(structure):
    assert json.loads(dumps(structure)) == structure


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 9)))
def test_the_order_of_keys_is_that_of_their_utf8_and_not_of_their_making(structure):
    backwards = dict(reversed(structure.items()))
    assert dumps(structure) == dumps(backwards)
    keys = [key.encode() for key in json.loads(dumps(structure))]
    assert keys == sorted(keys)


def test_the_bytes_are_those_of_the_reference_page():
    structure = {
        "b": [1, -1, True, False, None],
        "a": 'ä\n"\\\x00\x7f\u2028/',
        "": {},
        "\U0001f600": [],
        "\uffff": 0,
    }
    assert dumps(structure).decode() == (
        r'{"":{},"a":"'
        "ä"
        r"\n\"\\\u0000"
        "\x7f\u2028/"
        '","b":[1,-1,true,false,null],"\uffff":0,"\U0001f600":[]}'
    )


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        math.nan,
        (1, 2),
        {1: 2},
        {True: 1},
        {None: 1},
        b"x",
        2**53,
        -(2**53),
        {"a": [{"b": 2**70}]},
        [[1.5]],
        "\ud800",
        {"\udfff": 1},
        {1},
        type("Text", (str,), {})("x"),
    ],
)
def test_what_is_no_structure_is_refused(value):
    with pytest.raises(NotCanonical):
        dumps(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1\n",
        b"1 2",
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b"1.0",
        b"1e3",
        b"-0",
        b"01",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"9007199254740992",
        b"-9007199254740992",
        b'{"a":[[9007199254740993]]}',
        b"1" + b"0" * 5000,
        b'"\\u0041"',
        b'"\\/"',
        b'"\\u00e4"',
        b'"\\u000A"',
        b'"\\ud83d\\ude00"',
        b'"\\ud800"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'\xef\xbb\xbf"a"',
        b"[1,]",
        b"{'a':1}",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
    ],
)
def test_bytes_in_any_other_form_are_refused(data):
    with pytest.raises(NotCanonical):
        loads(data)


@given(st.binary(max_size=30))
def test_loads_accepts_only_what_dumps_returns(data):
    try:
        structure = loads(data)
    except NotCanonical:
        return
    assert dumps(structure) == data


def test_the_largest_integers_of_json_are_plain():
    assert loads(b"[9007199254740991,-9007199254740991]") == [2**53 - 1, -(2**53) + 1]


def test_a_long_row_of_digits_in_a_text_is_no_integer():
    assert loads(b'"12345678901234567890"') == "12345678901234567890"


def test_a_structure_that_holds_itself_is_refused():
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(NotCanonical, match="holds itself"):
        dumps(circle)
    with pytest.raises(NotCanonical, match="holds itself"):
        tag(circle)


# values


@given(values)
def test_a_value_comes_back_from_its_structure(value):
    structure = loads(dumps(tag(value)))
    assert same(untag(structure), value)
    assert tag(untag(structure)) == structure


@given(values, values)
def test_different_values_have_different_bytes(one, other):
    assert same(one, other) == (dumps(tag(one)) == dumps(tag(other)))


@given(structures)
def test_a_plain_value_without_dollar_keys_is_its_own_structure(value):
    if '"$' not in dumps(value).decode():
        assert tag(value) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (True, "true"),
        (1.0, '{"$f":"0x1.0000000000000p+0"}'),
        (-0.0, '{"$f":"-0x0.0p+0"}'),
        (math.nan, '{"$f":"nan"}'),
        (math.inf, '{"$f":"inf"}'),
        (-math.inf, '{"$f":"-inf"}'),
        (2**53 - 1, "9007199254740991"),
        (2**53, '{"$int":"9007199254740992"}'),
        (-(2**64), '{"$int":"-18446744073709551616"}'),
        ((1, "a"), '{"$tuple":[1,"a"]}'),
        ({10, 9, "a"}, '{"$set":["a",10,9]}'),
        (frozenset([2, 1]), '{"$frozenset":[1,2]}'),
        (b"\x00\xff", '{"$bytes":"AP8="}'),
        (complex(1, -0.0), '{"$c":["0x1.0000000000000p+0","-0x0.0p+0"]}'),
        (datetime.date(2013, 1, 2), '{"$date":"2013-01-02"}'),
        (datetime.datetime(2013, 1, 2, 3, 4, 5), '{"$datetime":"2013-01-02T03:04:05"}'),
        (datetime.datetime(2013, 1, 2, fold=1), '{"$datetime":["2013-01-02T00:00:00",1]}'),
        (datetime.datetime(2013, 1, 2, 3, tzinfo=datetime.UTC), '{"$datetime":"2013-01-02T03:00:00+00:00"}'),
        (
            datetime.datetime(2013, 1, 2, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
            '{"$datetime":["2013-01-02T00:00:00",0,"Europe/Berlin"]}',
        ),
        (datetime.time(3, 4, 5, 6), '{"$time":"03:04:05.000006"}'),
        (datetime.timedelta(days=-1, microseconds=1), '{"$timedelta":[-1,0,1]}'),
        (Path("a/b"), '{"$path":"a/b"}'),
        (PurePosixPath("/"), '{"$path":"/"}'),
        (OrderedDict(b=1, a=2), '{"$odict":[["b",1],["a",2]]}'),
        ({"b": 1, "a": 2}, '{"a":2,"b":1}'),
        ({10: 1, 9: 2, "x": 3}, '{"$dict":[["x",3],[10,1],[9,2]]}'),
        ({"$f": 1, "a": 2}, '{"$dict":[["$f",1],["a",2]]}'),
        ({}, "{}"),
    ],
)
def test_each_tag_is_written_as_the_reference_page_says(value, text):
    assert dumps(tag(value)).decode() == text
    assert same(untag(loads(text.encode())), value) or isinstance(value, PurePosixPath)


def test_nan_as_a_key_comes_back_as_often_as_it_was_there():
    value = {float("nan"): 2, float("nan"): 1}
    assert dumps(tag(value)) == b'{"$dict":[[{"$f":"nan"},1],[{"$f":"nan"},2]]}'
    assert len(untag(tag(value))) == 2


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "UTC"])
@given(moment=st.datetimes(), fold=st.sampled_from([0, 1]))
def test_a_time_zone_keeps_its_name(zone, moment, fold):
    moment = moment.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=fold)
    back = untag(tag(moment))
    assert back.tzinfo is moment.tzinfo
    assert (back.replace(tzinfo=None), back.fold) == (moment.replace(tzinfo=None), fold)


def test_a_time_of_day_keeps_its_zone():
    for zone in (zoneinfo.ZoneInfo("Asia/Tokyo"), datetime.timezone(datetime.timedelta(hours=2)), None):
        moment = datetime.time(1, 2, tzinfo=zone)
        assert untag(tag(moment)).tzinfo == zone


class Text(str):
    __slots__ = ()

    def __str__(self):
        return "something else"


class Level(enum.IntEnum):
    LOW = 1


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Text("x"), "x"),
        (type("Count", (int,), {})(7), 7),
        (type("Count", (int,), {})(2**60), 2**60),
        (type("Share", (float,), {})(0.5), 0.5),
        (type("Data", (bytes,), {})(b"x"), b"x"),
        (np.int64(7), 7),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (np.bytes_(b"x"), b"x"),
        (np.complex64(1j), 1j),
        (np.datetime64("2013-01-02"), datetime.date(2013, 1, 2)),
        (np.datetime64("2013-01-02T03:04:05.000006"), datetime.datetime(2013, 1, 2, 3, 4, 5, 6)),
        (np.timedelta64(5, "s"), datetime.timedelta(seconds=5)),
    ],
)
def test_a_value_of_a_derived_type_counts_as_what_it_holds(value, plain):
    assert tag(value) == tag(plain)
    assert tag([value]) == tag([plain])
    assert tag({"k": value}) == tag({"k": plain})
    assert tag({value: 1}) == tag({plain: 1})


def test_a_mapping_of_a_derived_type_counts_as_the_dict_or_ordered_dict_that_it_is():
    derived = type("Derived", (OrderedDict,), {})
    assert tag([Counter("ab"), {"k": defaultdict(int, b=2)}]) == tag([{"a": 1, "b": 1}, {"k": {"b": 2}}])
    assert tag(derived(b=1, a=2)) == tag(OrderedDict(b=1, a=2)) != tag({"b": 1, "a": 2})


@pytest.mark.parametrize(
    "value",
    [
        object(),
        print,
        Level.LOW,
        namedtuple("Point", "x y")(1, 2),
        np.array([1]),
        np.array(1),
        np.datetime64("NaT", "us"),
        np.datetime64(1, "ns"),
        np.timedelta64("NaT", "us"),
        np.longdouble(1),
        PureWindowsPath("a"),
        datetime.datetime(
            2013, 1, 1, tzinfo=type("Zone", (datetime.tzinfo,), {"utcoffset": lambda *_: None})()
        ),
        bytearray(b"x"),
        range(3),
        {1: object()},
    ],
)
def test_what_cannot_be_stored_is_refused(value):
    with pytest.raises(NotCanonical):
        tag(value)


def test_a_refusal_says_what_and_where():
    with pytest.raises(
        NotCanonical, match=r"^a 'object' cannot be stored as a value at \['rows'\]\[1\]\['x'\]$"
    ):
        tag({"rows": [0, {"x": object()}]})
    with pytest.raises(NotCanonical, match=r"^a 'numpy.ndarray' cannot be stored as a value$"):
        tag(np.zeros(3))
    with pytest.raises(NotCanonical, match=r"at key \("):
        tag({(1, print): 1})


# hooks


class Job(str):
    __slots__ = ()


def write_job(value: object):
    return {"$job": str(value)} if isinstance(value, Job) else None


def read_job(name: str, content: object):
    assert name == "$job"
    return Job(content)


def test_a_hook_is_asked_before_a_derived_type_counts_as_its_base():
    value = {"source": Job("dev-1"), "text": "dev-1", "all": (Job("dev-2"), {Job("dev-3"): 1})}
    structure = loads(dumps(tag(value, write_job)))
    assert structure == {
        "source": {"$job": "dev-1"},
        "text": "dev-1",
        "all": {"$tuple": [{"$job": "dev-2"}, {"$dict": [[{"$job": "dev-3"}, 1]]}]},
    }
    back = untag(structure, read_job)
    assert back == value
    assert type(back["source"]) is Job
    assert type(back["text"]) is str


def test_a_hook_is_not_asked_about_builtin_types():
    asked = []
    tag({"a": [1, 2.5, (None, b"x")], "b": Text("asked")}, asked.append)
    assert asked == ["asked"]


def test_what_a_hook_has_to_say_is_passed_on():
    class NoSuchJob(AccError, LookupError):
        pass

    def look_up(_: str, content: object):
        raise NoSuchJob(f"no job '{content}'")

    with pytest.raises(NoSuchJob):
        untag({"jobs": {"$tuple": [{"$job": "dev-9"}]}}, look_up)


def test_a_refusal_of_a_hook_is_located_too():
    def refuse(value: object):
        raise NotCanonical("not this one")

    with pytest.raises(NotCanonical, match=r"^not this one at \['a'\]\[0\]$"):
        tag({"a": [Text("x")]}, refuse)


@pytest.mark.parametrize(
    "structure",
    [
        {"$job": "x"},
        {"$f": "1.0"},
        {"$f": "0x1p0"},
        {"$f": 1},
        {"$f": "0x1.0p+99999"},
        {"$int": "1"},
        {"$int": "09007199254740993"},
        {"$int": "x"},
        {"$int": 9},
        {"$f": "nan", "a": 1},
        {"$bytes": "AP8"},
        {"$bytes": "A P8="},
        {"$date": "2013-1-2"},
        {"$date": "20130102"},
        {"$datetime": "2013-01-02"},
        {"$datetime": ["2013-01-02T00:00:00", 0]},
        {"$datetime": ["2013-01-02T00:00:00", 0, "No/Where"]},
        {"$datetime": ["2013-01-02T00:00:00", 2]},
        {"$timedelta": [0, 0, 1_000_000]},
        {"$timedelta": [10**12, 0, 0]},
        {"$path": "a//b"},
        {"$c": ["nan"]},
        {"$tuple": "ab"},
        {"$tuple": {"a": 1}},
        {"$set": [[]]},
        {"$dict": [[1]]},
        {"$dict": [[[], 1]]},
        {"$odict": 3},
        [{"deep": {"$f": "x"}}],
    ],
)
def test_a_tag_that_tag_never_writes_is_refused(structure):
    with pytest.raises(NotCanonical):
        untag(structure)


# golden files

STRUCTURE = {
    "": None,
    "\x00\x1f\x7f\x80": [True, False, [], {}, -0, 2**53 - 1, -(2**53) + 1],
    'quotes " \\ / \b\f\n\r\t': "ä \u2028 \uffff \U0001f600",
    "\uffff": "before \U0001f600 in UTF-8, behind it in UTF-16",
    "\U0001f600": {"b": 1, "a": 2, "B": 3, "10": 4, "9": 5},
}
VALUES = {
    "numbers": [
        0,
        1.5,
        -0.0,
        0.1,
        5e-324,
        1.7976931348623157e308,
        math.inf,
        -math.inf,
        2**53,
        -(2**53),
        10**30,
    ],
    "nan": [math.nan],
    "complex": complex(0.1, -math.inf),
    "tuples": (1, ("a",), ()),
    "sets": [{1, 2, 10}, {"a", "B", "ä"}, {1, 1.5, "1", None}, frozenset([(1, 2), b"x"]), set()],
    "bytes": [b"", b"\x00", b"\xff\xfe\xfd", b"plain text"],
    "dates": [datetime.date(1, 1, 1), datetime.date(9999, 12, 31)],
    "datetimes": [
        datetime.datetime(1, 1, 1),
        datetime.datetime(9999, 12, 31, 23, 59, 59, 999999),
        datetime.datetime(2013, 10, 27, 2, 30, fold=1),
        datetime.datetime(2013, 1, 1, tzinfo=datetime.UTC),
        datetime.datetime(2013, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=-3, minutes=-30))),
        datetime.datetime(2013, 10, 27, 2, 30, fold=1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    ],
    "times": [
        datetime.time(0),
        datetime.time(23, 59, 59, 999999, fold=1),
        datetime.time(1, tzinfo=zoneinfo.ZoneInfo("Asia/Tokyo")),
    ],
    "timedeltas": [datetime.timedelta.min, datetime.timedelta.max, datetime.timedelta(0)],
    "paths": [Path("input/data.csv"), Path("/"), Path()],
    "ordered": OrderedDict([("b", 1), ("a", OrderedDict())]),
    "dicts": [{}, {"$f": "not a tag"}, {1: "int", 1.5: "float", "1": "text", None: 0, (1, 2): {"$": {}}}],
}


@pytest.mark.parametrize(
    ("file", "structure", "value"),
    [("structure.json", STRUCTURE, STRUCTURE), ("values.json", tag(VALUES), VALUES)],
    ids=["structure", "values"],
)
def test_bytes_of_the_first_version_are_read_and_written_still(golden, file, structure, value):
    data = (golden / "canonical" / file).read_bytes()
    assert dumps(structure) == data
    assert same(untag(loads(data)), value)

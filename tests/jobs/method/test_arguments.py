"""How what a caller gives finds its place in what a method takes."""

from dataclasses import dataclass, field

import pytest

from jobs.errors import OptionError
from jobs.method.arguments import Arguments, check_inputs, check_options, split_arguments
from jobs.method.converter import Converter
from jobs.method.grammar import declare


@dataclass
class Analyse:
    options: dict[str, Converter] = field(
        default_factory=lambda: declare({"columns": [str], "limit": 3, "shared": None}, method="analyse")
    )
    datasets: dict[str, bool] = field(
        default_factory=lambda: {"source": False, "others": True, "shared": False}
    )
    jobs: dict[str, bool] = field(default_factory=lambda: {"previous": False})


def nothing() -> Arguments:
    return Arguments({}, {}, {})


def split(given: Arguments, **keywords: object) -> Arguments:
    return split_arguments(Analyse(), given, keywords, method="analyse")


def test_keywords_find_their_place() -> None:
    assert split(nothing(), limit=5, source="dev-1", previous=None) == Arguments(
        {"limit": 5}, {"source": "dev-1"}, {"previous": None}
    )


def test_a_keyword_overrides_what_its_section_has() -> None:
    given = Arguments({"limit": 5, "columns": "a"}, {}, {})

    assert split(given, limit=7).options == {"limit": 7, "columns": "a"}
    assert given.options == {"limit": 5, "columns": "a"}


def test_a_keyword_that_is_declared_twice_is_refused() -> None:
    with pytest.raises(
        OptionError, match="'shared' of method 'analyse' is among options and datasets"
    ) as caught:
        split(nothing(), shared=1)
    assert caught.value.hint == "say which is meant: options={'shared': ...} or datasets={'shared': ...}"
    assert split(Arguments({}, {"shared": "dev-1"}, {})).datasets == {"shared": "dev-1"}


def test_an_unknown_keyword_is_refused_with_what_is_close() -> None:
    with pytest.raises(
        OptionError, match=r"^method 'analyse' has no option, dataset or job 'sourse'$"
    ) as caught:
        split(nothing(), sourse="dev-1")
    assert caught.value.hint == "did you mean 'source'?"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Arguments({"source": 1}, {}, {}), "no option 'source'"),
        (Arguments({}, {"previous": 1}, {}), "no dataset 'previous'"),
        (Arguments({}, {}, {"limit": 1}), "no job 'limit'"),
    ],
)
def test_what_stands_in_the_wrong_section_is_refused(given: Arguments, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        split(given)


def test_options_come_back_in_the_order_of_their_declaration() -> None:
    checked = check_options(Analyse().options, {"shared": 1, "limit": 2}, method="analyse")

    assert list(checked.items()) == [("columns", []), ("limit", 2), ("shared", 1)]


def test_an_unknown_option_is_refused_with_what_is_close() -> None:
    with pytest.raises(OptionError, match="method 'analyse' has no option 'limits'") as caught:
        check_options(Analyse().options, {"limits": 1}, method="analyse")
    assert caught.value.hint == "did you mean 'limit'?"


def test_a_hint_names_what_there_is_when_nothing_is_close() -> None:
    with pytest.raises(OptionError) as caught:
        check_options(Analyse().options, {"zzz": 1}, method="analyse")
    assert caught.value.hint == "it has columns, limit, shared"


class Job(str):
    """Stands for a job, which is a str but no mere text."""


def inputs(**given: object) -> dict[str, object]:
    return check_inputs({"one": False, "many": True}, given, section="dataset", method="m")


@pytest.mark.parametrize(
    ("given", "many"),
    [
        (None, []),
        ("", []),
        ("dev-1, dev-2", ["dev-1", "dev-2"]),
        (Job("dev-1"), [Job("dev-1")]),
        (["dev-1", None, Job("")], ["dev-1"]),
        (("dev-1",), ["dev-1"]),
    ],
)
def test_a_list_of_inputs_is_given_as(given: object, many: list[object]) -> None:
    assert inputs(many=given) == {"one": None, "many": many}


def test_one_input_stays_what_it_is() -> None:
    job = Job("dev-1")

    assert inputs(one=job)["one"] is job
    assert inputs(one="")["one"] is None


def test_a_list_for_one_input_is_refused() -> None:
    with pytest.raises(OptionError, match="dataset 'one' of method 'm' is one dataset, not a list of them"):
        inputs(one=["dev-1"])

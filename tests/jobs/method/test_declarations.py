"""What is read off the module of a method."""

import json
from textwrap import dedent
from types import ModuleType

import pytest

from jobs.errors import MethodError
from jobs.method.declarations import Declarations

METHOD = """\
    description = '''
    Count things.

        More words.
    '''
    options = dict(
        limit=3,  # at most so many
        names=[str],
        weights={  # by name
            'k': float,
        },  # in kilograms
    )
    datasets = ('source', ['others'])
    jobs = ['previous']
    version = 7
    concurrency = 2
    equivalent_hashes = {'verifier': ('old', 'older')}

    def prepare(job, slices): pass
    def analysis(sliceno, prepare_res, options, unused=1): pass
    def synthesis(analysis_res, datasets, jobs, params): pass
    """


def declared(text: str) -> Declarations:
    text = dedent(text)
    module = ModuleType("mymethods.a_count")
    exec(text, module.__dict__)
    return Declarations.from_module(module, text.encode(), method="count")


def with_synthesis(text: str) -> Declarations:
    return declared(dedent(text) + "\ndef synthesis(): pass\n")


def test_all_declarations_are_read() -> None:
    found = declared(METHOD)

    assert list(found.options) == ["limit", "names", "weights"]
    assert found.datasets == {"source": False, "others": True}
    assert found.jobs == {"previous": False}
    assert found.stages == {
        "prepare": ("job", "slices"),
        "analysis": ("sliceno", "prepare_res", "options"),
        "synthesis": ("analysis_res", "datasets", "jobs", "params"),
    }
    assert found.description == "Count things.\n\n    More words."
    assert (found.version, found.concurrency) == (7, 2)
    assert found.equivalent_hashes == {"verifier": ("old", "older")}
    assert found.comments == {"limit": "at most so many", "weights": "in kilograms"}


def test_declarations_come_back_from_json() -> None:
    found = declared(METHOD)

    assert Declarations.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_a_method_needs_declare_nothing() -> None:
    assert with_synthesis("") == Declarations(stages={"synthesis": ()})


def test_a_comment_behind_several_options_is_about_none() -> None:
    assert with_synthesis("options = {'a': 1, 'b': 2}  # two\n").comments == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("options = [1]", "'options' of method 'count' is no dict"),
        ("options = {1: 2}", "option 1 of method 'count' has a name that is no text"),
        ("options = {'x': object}", "option 'x' of method 'count' is declared wrongly"),
        ("datasets = ('source')", "'datasets' of method 'count' is no tuple of names"),
        ("jobs = (1,)", "1 in 'jobs' of method 'count' is no name"),
        ("datasets = ('a', ['a'])", "'a' is twice in 'datasets' of method 'count'"),
        ("version = '1'", "'version' of method 'count' is no number above 0"),
        ("concurrency = 0", "'concurrency' of method 'count' is no number above 0"),
        (
            "equivalent_hashes = {'a': (), 'b': ()}",
            "'equivalent_hashes' of method 'count' is no dict of one entry",
        ),
        ("equivalent_hashes = ['a']", "'equivalent_hashes' of method 'count' is no dict of one entry"),
        ("def prepare(sliceno): pass", "prepare of method 'count' asks for 'sliceno'"),
        ("def analysis(analysis_res): pass", "analysis of method 'count' asks for 'analysis_res'"),
        ("def prepare(**more): pass", "prepare of method 'count' asks for 'more'"),
        ("analysis = 5", "'analysis' of method 'count' is no function"),
    ],
)
def test_a_wrong_declaration_is_refused(text: str, message: str) -> None:
    with pytest.raises(MethodError) as caught:
        with_synthesis(text)
    assert message in str(caught.value)


def test_a_method_without_stages_is_refused() -> None:
    with pytest.raises(MethodError, match="method 'count' has neither prepare nor analysis nor synthesis"):
        declared("options = {}")


@pytest.mark.parametrize("body", [None, {}, [], {"options": 5}])
def test_json_that_is_none_is_refused(body: object) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Declarations.from_json(body)  # type: ignore[arg-type] # that is the test

"""`acc action-key`: what would be looked up is what a build looks up."""

import json

import pytest

from cas.formats.canonical import dumps
from cas.oid import oid_of
from tests.projects import Folder

METHODS = {
    "mine/a_make.py": "options = dict(count=3)\n\ndef synthesis(options):\n    return options.count\n",
    "mine/a_use.py": """
        options = dict(text="odd \\x85 text")
        jobs = ("source",)

        def synthesis(jobs):
            return jobs.source.load()
        """,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("project"), METHODS)
    folder.acc("build", "-m", "make")
    return folder


@pytest.fixture(autouse=True)
def _stand_there(folder, monkeypatch):
    monkeypatch.chdir(folder.root)


def test_it_is_the_key_that_a_build_looks_up(acc):
    code, out, _ = acc("action-key", "make")
    assert (code, out) == (0, json.loads(acc("job", "--json", "dev-1")[1])["key"] + "\n")
    assert acc("action-key", "make", "count=3", "caption=words", "name=n", "workdir=x")[1] == out
    assert acc("action-key", "make", "count=4")[1] != out


def test_nothing_is_built_and_nothing_is_stored(acc, folder):
    def there():
        return acc("show-ref", "--all"), acc("ls-objects"), sorted((folder.root / ".acc/jobs").iterdir())

    before = there()
    assert acc("action-key", "use", "source=dev-1", "-v")[0] == 0
    assert there() == before


def test_the_parts_are_all_that_the_key_is_made_of(acc):
    code, out, _ = acc("action-key", "-v", "use", "source=make")
    (_, key), *lines, (last, why) = (line.split("\t") for line in out.splitlines())
    parts = {name: json.loads(text) for name, text in lines}
    made = {name: parts[name] for name in ("format", "method", "code", "slices")}
    groups = {"options", "datasets", "jobs", "environment"}
    named = {group: {} for group in groups}
    for name in parts.keys() - made.keys():
        group, _, key_in_group = name.partition(".")
        named[group][key_in_group] = parts[name]
    made["environment"] = named.pop("environment")
    assert (code, oid_of(dumps(made | {"inputs": named}))) == (0, key)
    assert (last, why) == ("miss", "first run of 'use'")


def test_it_tells_the_job_that_would_be_reused(acc):
    assert acc("action-key", "make", "-v")[1].splitlines()[-1] == "hit\tdev-1"
    code, out, _ = acc("action-key", "-v", "make", "count=5")
    assert (code, out.splitlines()[-1]) == (0, "miss\toption 'count': 3 -> 5")


def test_values_are_json_that_a_line_can_hold(acc):
    out = acc("action-key", "-v", "use", "source=dev-1", "text=é\x85\t\n")[1]
    assert 'options.text\t"\\u00e9\\u0085\\t\\n"\n' in out
    assert 'options.text\t"é"\0' in acc("action-key", "-z", "-v", "use", "source=dev-1", "text=é")[1]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nothing"], 1),
        (["make", "nothing=1"], 1),
        (["make", "count=x"], 1),
        (["use", "source=dev-9"], 1),
        (["use", "options=1"], 1),
        (["use", "text=\udcff"], 1),
        (["make", "count"], 2),
        (["make", "=3"], 2),
        (["make", "count=1", "count=2"], 2),
        ([], 2),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_bad_input_is_one_line_and_a_hint(acc, words, code):
    got, out, err = acc("action-key", *words)
    assert (got, out) == (code, "")
    assert [line.partition(":")[0] for line in err.splitlines()] in (
        ["acc"],
        ["acc", "hint"],
        ["acc action-key", "hint"],
    )

"""The documentation keeps up with the code: Python compiles, commands exist, links lead somewhere."""

import doctest
import importlib
import pkgutil
import re
import tomllib
from pathlib import Path

import pytest

import acc
import cas
import jobs
import porcelain
from porcelain import app, cli
from porcelain.board.routes import PAGES as PAGES_OF_BOARD

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
EXAMPLE = [path.read_text() for path in (ROOT / "examples/flights/flights").glob("*.py")]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMANDS = {*app.COMMANDS, *app.PLUMBING}


def blocks(page, language):
    return [text for found, text in FENCE.findall(page.read_text(encoding="utf-8")) if found == language]


def anchor(heading):
    """Return the name by which others link to a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def dedent(text):
    margin = min(len(line) - len(line.lstrip()) for line in text.splitlines() if line.strip())
    return "".join(line[margin:] for line in text.splitlines(keepends=True))


def named(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_python_and_toml_in_a_page_are_well_formed(page):
    for text in blocks(page, "python"):
        compile(dedent(text), named(page), "exec", dont_inherit=True)
    for text in blocks(page, "toml"):
        tomllib.loads(text)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_names_only_commands_that_exist(page):
    lines = "".join(blocks(page, "sh") + blocks(page, "console"))
    used = set(re.findall(r"^(?:\$ )?acc ([a-z][a-z-]*)", lines, re.MULTILINE))
    inline = set(re.findall(r"`acc ([a-z][a-z-]*)", page.read_text(encoding="utf-8")))
    assert used | inline <= COMMANDS


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_relative_links_lead_somewhere(page):
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if "://" in link:
            continue
        target, _, fragment = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), link
        if fragment:
            headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert fragment in map(anchor, headings), link


def test_every_picture_is_small_and_shown_with_words_for_who_cannot_see_it():
    shown = {}
    for page in PAGES:
        for words, link in PICTURE.findall(page.read_text(encoding="utf-8")):
            shown[(page.parent / link).resolve()] = words
    for path in ROOT.glob("docs/pictures/*"):
        assert path.stat().st_size < 150_000, path
        assert len(shown.get(path, "").split()) > 3, path


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_reference_describes_every_command_with_its_options(command, capsys):
    reference = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    section = re.search(rf"^#+ .*\bacc {command}\b.*?(?=^#|\Z)", reference, re.DOTALL | re.MULTILINE)
    assert section is not None

    assert cli.main([command, "--help"]) == 0
    options = set(re.findall(r"(?<!\S)--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert {option for option in options if f"`{option}`" not in section[0]} == set()


def test_the_reference_names_all_that_acc_offers():
    text = (ROOT / "docs/reference/api.md").read_text()
    assert [name for name in acc.__all__ if not re.search(rf"\b{name}\b", text)] == []


def test_the_reference_names_every_page_of_the_board():
    text = (ROOT / "docs/reference/board.md").read_text()
    told = set(re.findall(r"`(/[^`?]*)`", text))
    paths = {re.sub(r"\{(\w+)(:\w+)?\}", lambda found: found[1].upper(), path) for path, _ in PAGES_OF_BOARD}
    assert paths - told == set()


def test_the_tutorial_shows_the_example_word_for_word():
    for text in blocks(ROOT / "docs/tutorial/flights.md", "python"):
        assert any(text in code for code in EXAMPLE), text


def test_the_tutorial_shows_all_of_the_example():
    shown = "".join(blocks(ROOT / "docs/tutorial/flights.md", "python"))
    lines = {line for code in EXAMPLE for line in code.splitlines() if not line.startswith('"""')}
    assert lines <= set(shown.splitlines())


def rooms():
    for floor in (cas, jobs, porcelain):
        yield from (found.name for found in pkgutil.walk_packages(floor.__path__, floor.__name__ + "."))


@pytest.mark.parametrize("room", sorted(rooms()))
def test_the_examples_in_docstrings_hold(room):
    assert doctest.testmod(importlib.import_module(room)).failed == 0

"""Whatever stands in an address, a page answers at once: what it is, or in one line why there is none."""

import json
import random
import re
import shutil
import time
from collections.abc import Iterator

import pytest

from cas.errors import AccError
from porcelain import config
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page, WrongQuestion
from porcelain.board.rendering import to_html
from porcelain.board.routes import PAGES
from porcelain.objects import SpecError
from tests.porcelain.board.filled import fill

VALUES = (
    *("", " ", "0", "-1", "1", "9" * 30, "1" * 5000, "٣", "²", "1e5", "NaN", "\\", "%00", "\0", "\n", "\r\n"),
    *(
        "..",
        "../..",
        "/",
        "//",
        "@",
        "@0",
        "@" + "0" * 64,
        "-",
        "-0",
        "dev-1",
        "dev-8/default",
        "dev-99",
        "dev-1~",
    ),
    *(
        "dev-1~99999999",
        "dev-1:x",
        "dev-1/x",
        "dev-2@far",
        "build-1",
        "build-0",
        "build-x",
        "HEAD",
        ":",
        "\ufffd",
    ),
    *(
        "\u202e",
        "x" * 9_000,
        "{{7*7}}",
        "<b>",
        ",",
        "=",
        "<5",
        ">=",
        "!=",
        "~(a+)+$",
        "(",
        "[",
        "*",
        '"a',
        "NEAR(",
        "^",
    ),
    *(
        "2020-01-01",
        "9999-99-99",
        "20200101",
        "year",
        "-year",
        "default",
        "all",
        "none",
        "done",
        "failed",
        "later",
        "+1",
    ),
)
PARAMETERS = (
    *(
        "page",
        "column",
        "depth",
        "from",
        "row",
        "rows",
        "at",
        "kind",
        "later",
        "order",
        "sort",
        "state",
        "a",
        "b",
    ),
    *(
        "against",
        "chain",
        "download",
        "fetch",
        "file",
        "folder",
        "framed",
        "longer",
        "method",
        "name",
        "open",
        "part",
    ),
    *("plain", "q", "script", "shown", "text", "timestamp", "workdir", "show.year", "where.year", "where.x"),
)
# what is answered by methods in processes of their own
SLOW = ("/job/{spec}/why", "/methods", "/method/{name}")
GOOD = {
    "spec": "dev-1",
    "label": "dev-8",
    "name": "default",
    "path": "x.py",
    "part": "prepare",
    "user": "me",
    "list": "flights",
    "blob": "0" * 64,
}


@pytest.fixture(scope="module")
def shown(flights, tmp_path_factory) -> Iterator[ShownProject]:
    # a copy: of several boards of one project one fills the catalogue, and this one is waited for
    root = shutil.copytree(flights, tmp_path_factory.mktemp("odd") / "flights", symlinks=True)
    with ShownProject(config.load(root)) as project:
        fill(project)
        yield project


def check(shown, path, names, query):
    """Ask for a page, and fail when it takes long, fails, or says more than a line of what is wrong."""
    begun = time.thread_time()
    asked = Asked("/", names, query)
    try:
        page = dict(PAGES)[path](shown, asked)
        if isinstance(page, Page):
            to_html(page, asked, "flights").encode()
            json.dumps(page.view, allow_nan=False)
    except AccError as err:
        # any other would be an internal error
        if not isinstance(err, LookupError | SpecError | WrongQuestion):
            raise
    assert time.thread_time() - begun < 1, (path, names, query)


@pytest.mark.parametrize("rounds", [2, pytest.param(100, marks=pytest.mark.slow)])
def test_each_page_answers_whatever_is_asked(shown, rounds):
    chance = random.Random(rounds)
    for path in sorted({*dict(PAGES)} - {*SLOW}):
        parts = re.findall(r"\{(\w+)", path)
        for _ in range(rounds):
            for part in parts:
                check(shown, path, {each: GOOD[each] for each in parts} | {part: chance.choice(VALUES)}, {})
            query = {chance.choice(PARAMETERS): chance.choice(VALUES) for _ in range(3)}
            check(shown, path, {each: GOOD[each] for each in parts}, query)

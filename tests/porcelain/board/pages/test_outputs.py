"""What a job printed."""

import re

import pytest

from jobs.errors import NoSuchFile
from porcelain.board.page import Asked
from porcelain.board.pages import outputs
from tests.porcelain.board.boards import body_of


def test_all_parts_are_shown_in_the_order_in_which_they_ran(project, look):
    row = project.job(
        "make", output={"synthesis": b"end", "1": b"one", "0": b"\x1b[31mnull", "prepare": b"begin"}
    )
    shown = look(outputs.output, row.label)
    assert [each["part"] for each in shown.view["parts"]] == ["prepare", "0", "1", "synthesis"]
    printed = re.findall('<pre class="ansi"[^>]*>(.*?)</pre>', shown.html)
    assert printed == ["begin", '<span class="a-f1">null</span>', "one", "end"]


def test_pages_of_a_long_part_leave_nothing_out(project, look):
    lines = [b"line %d of many\n" % number for number in range(20_000)]
    row = project.job("make", output={"prepare": b"".join(lines)})
    pages, number = [], 1
    while True:
        view = look(outputs.output, row.label, part="prepare", page=str(number)).view
        pages.append(view["text"])
        if number == view["pages"]:
            break
        number += 1
    assert len(pages) > 3
    assert all(text.endswith("\n") for text in pages)
    assert "".join(pages).encode() == b"".join(lines)


def test_of_a_long_part_the_begin_and_the_end_are_shown_with_others(project, look):
    row = project.job("make", output={"prepare": b"first\n" + b"more\n" * 100_000 + b"last\n"})
    part = look(outputs.output, row.label).drawn["previews"].parts[0]
    assert part["html"][0].startswith("first\n")
    assert part["html"][1].endswith("last\n")
    shown = sum(len(html) for html in part["html"])
    assert shown + part["left_out"] == part["bytes"] == 500_011
    assert 16_000 < shown < 17_000


def test_a_part_is_handed_out_as_it_is_and_never_as_a_page(project, shown_project):
    printed = b"<script>\x1b[31m\r\n" * 10_000
    row = project.job("make", output={"0": printed})
    response = outputs.text(shown_project, Asked("/", {"spec": row.label, "part": "0"}, {}))
    assert body_of(response) == printed
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="output-0.txt"'
    assert response.headers["content-security-policy"].startswith("sandbox;")


def test_what_was_not_printed_is_not_found(project, look, shown_project):
    row = project.job("make", output={"0": b"x"})
    with pytest.raises(NoSuchFile, match="nothing in '1'"):
        look(outputs.output, row.label, part="1")
    with pytest.raises(NoSuchFile, match="no page 2"):
        look(outputs.output, row.label, part="0", page="2")
    with pytest.raises(NoSuchFile):
        outputs.text(shown_project, Asked("/", {"spec": row.label, "part": "\n"}, {}))
    assert "It printed nothing" in look(outputs.output, project.job("quiet").label).html

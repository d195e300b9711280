"""Code as HTML."""

import re

import pytest
from pygments.styles import get_style_by_name
from pygments.util import ClassNotFound

from porcelain.board.drawing.code import differing, numbered, stylesheet
from porcelain.board.rendering import STATIC


def lines_of(html: str) -> list[str]:
    """Return the texts of the lines, each behind its number."""
    return re.sub("<[^>]*>", "", html).split("\n")


def test_each_line_has_a_number_and_an_anchor():
    code = numbered("a = 1\nb = 2\n", "mine/a_method.py", "file1-L")
    assert (code.lines, code.shown) == (2, 2)
    assert lines_of(code.html) == ["1a = 1", "2b = 2"]
    assert '<span class="row" id="file1-L2"><a href="#file1-L2">2</a>' in code.html


def test_a_token_of_many_lines_is_marked_on_each():
    assert numbered('x = """one\ntwo"""', "x.py").html.count('<span class="k-s2">') == 2


@pytest.mark.parametrize("name", ["x.py", "x.html", "x.unknown", "README"])
def test_code_is_escaped_whatever_its_language(name):
    html = numbered("<script>alert(1)</script>\"'&", name).html
    assert set(re.findall("<(/?[a-z]+)", html)) <= {"pre", "/pre", "span", "/span", "a", "/a"}
    assert "on" not in re.findall(r" (\w+)=", html)


@pytest.mark.parametrize("text", ["a\r\nb\r\n", "a\rb", "\n\na\x0cb\n\n", "\ufeffa\nb", "", "a\u2028b"])
def test_no_line_is_lost_or_counted_twice(text):
    expected = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    code = numbered(text, "x.py")
    assert code.lines == len(lines_of(code.html)) == len(expected)


def test_what_would_show_code_in_another_order_is_written_out():
    assert "\\u202e" in numbered("a = '\u202e'", "x.py").html
    assert "\\u2066" in differing(["+\u2066"])


def test_a_long_file_is_cut_and_says_how_long_it_is():
    code = numbered("x\n" * 12_000, "x.py")
    assert (code.lines, code.shown) == (12_000, 10_000)
    assert len(lines_of(code.html)) == 10_000


def test_a_diff_marks_what_goes_and_what_comes():
    html = differing(["--- a", "+++ b", "@@ -1 +1 @@", "-<old>", "--- x", "+new", " same"])
    assert html.startswith('<pre class="code diff"><span class="name">--- a</span>\n')
    assert '<span class="gone">--- x</span>' in html
    assert '<span class="gone">-&lt;old&gt;</span>' in html
    assert '<span class="come">+new</span>\n same</pre>' in html


def test_the_stylesheet_is_what_pygments_gives():
    try:
        get_style_by_name("github-dark")
    except ClassNotFound:
        pytest.skip("this Pygments is older than the style")
    assert (STATIC / "code.css").read_text().endswith(stylesheet())


def test_what_takes_too_long_to_colour_is_shown_without():
    # ten times as much would take minutes, in which nothing else of the board moves
    shown = numbered("a b\n" * 9_000, "a.java")
    assert shown.shown == 9_000
    assert 'class="k-' not in shown.html

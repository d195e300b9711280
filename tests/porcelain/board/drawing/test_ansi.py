"""What jobs print for a terminal, as HTML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porcelain.board.drawing.ansi import stylesheet, to_html
from porcelain.board.rendering import STATIC


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("plain\n", "plain\n"),
        ("<b>&\"'", "&lt;b&gt;&amp;&#34;&#39;"),
        ("\x1b[31mred\x1b[0m", '<span class="a-f1">red</span>'),
        ("\x1b[1;4;92mmany\x1b[m", '<span class="a-bold a-underline a-f10">many</span>'),
        ("\x1b[1mbold\x1b[22m not", '<span class="a-bold">bold</span> not'),
        ("\x1b[7minverse", '<span class="a-fpage a-btext">inverse</span>'),
        ("\x1b[7;33;44mboth", '<span class="a-f4 a-b3">both</span>'),
        ("\x1b[38;5;208mone of 256", '<span class="a-f208">one of 256</span>'),
        ("\x1b[48;2;255;0;2mthe nearest", '<span class="a-b196">the nearest</span>'),
        ("\x1b[38:2::255:0:2;1mwith colons", '<span class="a-bold a-f196">with colons</span>'),
        ("\x1b[38;5;99999999999mno colour\x1b[38m either", '<span class="a-f0">no colour</span> either'),
        ("over\x1b[34m two\nlines", 'over<span class="a-f4"> two\nlines</span>'),
    ],
)
def test_colours_are_classes(printed, shown):
    assert to_html(printed) == shown


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("10%\r50%\r100%\n", "100%\n"),
        ("windows\r\n", "windows\n"),
        ("longer\rfew", "fewger"),
        ("longer\r\x1b[Kfew", "few"),
        ("a\x1b[2K\rb", "b"),
        ("ab\x08c", "ac"),
        ("\x08\x08a", "a"),
        ("a\x1b[3Cb", "a   b"),
        ("abc\x1b[2Dx", "axc"),
        ("abc\x1b[1Gx", "xbc"),
        ("\x1b[31mred\r\x1b[32mg", '<span class="a-f2">g</span><span class="a-f1">ed</span>'),
    ],
)
def test_what_is_written_over_is_gone(printed, shown):
    assert to_html(printed) == shown


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("\x1b]8;;javascript:alert(1)\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]never ended\ntext", "\ntext"),
        ('\x1bPq#0;2;0;0;0"1;1~~\x1b\\text', "[picture]text"),
        ("\x1bPq never ended\ntext", "[picture]\ntext"),
        ("up\x1b[1A\x1b[10;20H\x1b[?25l\x1b[2J", "up"),
        ("bell\x07 nul\x00 del\x7f \x9b31m\x1bc", "bell nul del 31m"),
        ("cut\x1b[", "cut"),
        ("cut\x1b", "cut"),
    ],
)
def test_whatever_else_commands_a_terminal_is_dropped(printed, shown):
    assert to_html(printed) == shown


def test_no_line_becomes_wider_than_what_was_printed_in_it_but_for_a_little():
    assert len(to_html("\x1b[99999Cx" * 1000)) < 2000


@given(st.text(alphabet=st.sampled_from('ab<"\n\r\x08\x1b[];:mKCDGPq\\0123456789'), max_size=60))
def test_nothing_but_our_own_tags_comes_out(printed):
    shown = to_html(printed)
    for tag in shown.split("<")[1:]:
        assert tag.startswith(('span class="a-', "/span>"))


def test_the_stylesheet_has_all_colours():
    assert (STATIC / "ansi.css").read_text().endswith(stylesheet())

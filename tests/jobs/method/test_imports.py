"""What the text of a file says that it imports."""

import pytest

from jobs.method.imports import Import, scan


def found(text: str) -> set[tuple[str, int, tuple[str, ...]]]:
    return {(each.module, each.level, each.names) for each in scan(text.encode()).imports}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a", ("a", 0, ())),
        ("import a.b as c", ("a.b", 0, ())),
        ("x = 1; import a", ("a", 0, ())),
        ("from a.b import c, d as e", ("a.b", 0, ("c", "d"))),
        ("from a import (\n    b,\n    c,\n)", ("a", 0, ("b", "c"))),
        ("from . import a", ("", 1, ("a",))),
        ("from ..a import b", ("a", 2, ("b",))),
        ("from a import *", ("a", 0, ("*",))),
        ("def f():\n    import a", ("a", 0, ())),
        ("async def f():\n    async with x:\n        import a", ("a", 0, ())),
        ("class C:\n    def f(self):\n        import a", ("a", 0, ())),
        ("if x:\n    pass\nelif y:\n    import a", ("a", 0, ())),
        ("try:\n    import b\nexcept ImportError:\n    import a", ("a", 0, ())),
        ("try:\n    pass\nfinally:\n    import a", ("a", 0, ())),
        ("try:\n    pass\nexcept* ValueError:\n    import a", ("a", 0, ())),
        ("for x in y:\n    pass\nelse:\n    import a", ("a", 0, ())),
        ("while x:\n    import a", ("a", 0, ())),
        ("match x:\n    case 1:\n        import a", ("a", 0, ())),
        ("importlib.import_module('a.b')", ("a.b", 0, ())),
        ("x = [import_module('a') for _ in y]", ("a", 0, ())),
        ("__import__('a')", ("a", 0, ())),
        ("import_module('.a', __package__)", ("a", 1, ())),
        ("import_module('..a', package=__package__)", ("a", 2, ())),
        ("import_module('.a', 'p')", ("p.a", 0, ())),
    ],
)
def test_an_import_is_found_in(text: str, expected: tuple[str, int, tuple[str, ...]]) -> None:
    assert expected in found(text)


def test_an_import_in_a_text_is_none() -> None:
    assert not found('"""\nimport a\n"""\n# import b\nx = "import c"')


@pytest.mark.parametrize(
    "call", ["import_module(name)", "import_module(f'a.{x}')", "__import__(x)", "import_module('..a', 'p.q')"]
)
def test_an_import_by_a_name_that_only_shows_later_is_noted(call: str) -> None:
    scanned = scan(b"from importlib import import_module\n\n" + call.encode())

    assert scanned.hidden == (3,)


def test_an_import_knows_its_line() -> None:
    assert scan(b"\n\nimport a").imports == (Import("a", 0, (), 3),)


@pytest.mark.parametrize("text", ["def (", "x = '\0'", "\xff = 1", "(" * 1000])
def test_what_does_not_parse_is_a_syntax_error(text: str) -> None:
    with pytest.raises(SyntaxError):
        scan(text.encode("latin-1"))


def test_a_doubtful_escape_warns_nobody() -> None:
    assert scan(rb"import a; x = '\d'").imports


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("depend_extra = ('a.txt', 'b.txt')", ("a.txt", "b.txt")),
        ("depend_extra = ['a.txt']", ("a.txt",)),
        ("depend_extra: tuple = ('a.txt',)", ("a.txt",)),
        ("import a.b\ndepend_extra = (a.b,)", (Import("a.b", 0, (), 1),)),
        ("import a.b as c\ndepend_extra = (c,)", (Import("a.b", 0, (), 1),)),
        ("from . import a\ndepend_extra = {a}", (Import("", 1, ("a",), 1),)),
        ("from p import a as b\ndepend_extra = (b,)", (Import("p", 0, ("a",), 1),)),
        ("depend_extra = tuple(names)", None),
        ("depend_extra = (unknown,)", None),
        ("depend_extra = ('a', *more)", None),
        ("depend_extra = ['a']\ndepend_extra += ['b']", None),
        ("depend_extra = ['a']\ndepend_extra = ['b']", None),
    ],
)
def test_depend_extra_is_read(text: str, expected: object) -> None:
    assert scan(text.encode()).depend_extra == expected


def test_all_is_read() -> None:
    assert scan(b"__all__ = ['a', 'b', c]\n__all__ += ['d']").exported == ("a", "b")

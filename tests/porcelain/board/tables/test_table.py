"""Rows by their numbers."""

from porcelain.board.tables.table import LONGEST_TEXT, NO_COLUMN, NOT_LOADED
from tests.porcelain.board.datasets import table_of


def test_rows_are_numbered_slice_after_slice_and_read_in_any_order(shown, project):
    row = project.table(
        {"n": ("int64", [[1, 2, 3], [], [4]]), "t": ("unicode+None", [["a", None, ""], [], ["ü"]])}
    )
    table = table_of(shown, row)
    assert table.lines == 4
    assert table.rows([3, 0, 2, 1, 0], ["t", "n"]) == [["ü", 4], ["a", 1], ["", 3], [None, 2], ["a", 1]]


def test_a_chain_is_one_table_and_may_lack_columns(shown, project):
    first = project.table({"n": ("int64", [[1], [2]])})
    last = project.table({"n": ("int64", [[3], []]), "t": ("ascii", [["x"], []])}, previous=first)
    table = table_of(shown, last, chain=True)
    assert table.names == ["n", "t"]
    assert table.rows(range(3), ["t", "n"]) == [[NO_COLUMN, 1], [NO_COLUMN, 2], ["x", 3]]


def test_pickles_are_not_loaded(shown, project):
    row = project.table({"p": ("pickle", [[print]]), "n": ("int64", [[7]])})
    assert table_of(shown, row).rows([0], ["p", "n"]) == [[NOT_LOADED, 7]]


def test_of_a_huge_text_only_the_beginning_is_kept(shown, project):
    row = project.table({"t": ("ascii", [["x" * (LONGEST_TEXT + 5)]])})
    (((text,)),) = table_of(shown, row).rows([0], ["t"])
    assert len(text) == LONGEST_TEXT


def test_rows_of_many_batches_are_found_where_they_are(shown, project):
    values = list(range(200_000))
    texts = [str(value) for value in values]
    row = project.table({"n": ("int64", [values]), "t": ("ascii", [texts])})
    wanted = [199_999, 65_535, 65_536, 0, 131_072]
    assert table_of(shown, row).rows(wanted, ["n", "t"]) == [[number, str(number)] for number in wanted]

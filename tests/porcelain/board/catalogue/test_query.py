"""What a user types, as a query."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from porcelain.board.catalogue.database import Database
from porcelain.board.catalogue.query import parts_of, to_query, words_of


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    found = Database(tmp_path_factory.mktemp("query") / "board.sqlite")
    with found.transaction() as connection:
        sql = "INSERT INTO texts (rowid, label, method, caption) VALUES (?, ?, ?, ?)"
        for number, caption in enumerate(["Größe des Nils", "NEAR the 🎉", "a-b c_d", "naïve Ärzte"]):
            connection.execute(sql, (number, f"dev-{number}", "plot_delays", caption))
    yield found
    found.close()


def finds(database, text):
    rows = database.run("SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rowid", (to_query(text),))
    return [number for (number,) in rows]


@settings(max_examples=50)
@given(st.text(st.characters(codec=None)))
def test_every_text_is_a_valid_query(database, text):
    finds(database, text)
    words_of(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("größe", [0]),
        ("GRÖSSE", []),
        ("gro", [0]),
        ("near", [1]),
        ("NEAR", [1]),
        ("🎉", [1]),
        ("del", [0, 1, 2, 3]),
        ("a-b", [2]),
        ("c_d", [2]),
        ("arzte naive", [3]),
        ("dev-2", [2]),
        ('"', []),
        ("*", []),
        ("***", []),
        ("a OR zzz", []),
        ("caption:naive", []),
        ("", []),
        (" ", []),
        ("-", []),
        ("x" * 10_000, []),
        ("near\0the", [1]),
    ],
)
def test_what_is_found(database, text, found):
    assert finds(database, text) == found


@settings(max_examples=50)
@given(st.text(), st.text())
def test_parts_are_the_whole_text(text, words):
    assert "".join(part.text for part in parts_of(text, words_of(words))) == text


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("plot_delays.png", "del", ["del"]),
        ("Größe", "gro", ["Grö"]),
        ("week=129", "week 12", ["week", "12"]),
        ("delayed delays", "delays del", ["del", "delays"]),
        ("undelayed", "del", []),
    ],
)
def test_what_was_searched_is_marked(text, words, found):
    assert [part.text for part in parts_of(text, words_of(words)) if part.found] == found

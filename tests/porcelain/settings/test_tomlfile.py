"""acc.toml as a text: one table comes or goes, and every other byte stays."""

import stat
import threading
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porcelain.settings.place import ConfigError
from porcelain.settings.tomlfile import rewrite, to_toml, with_table, without_table

ORIGIN = ("remotes", "origin")
TEXTS = {
    "empty": "",
    "comment": "# nothing here",
    "project": "[project]\nslices = 3   # three\n",
    "no newline": "[project]\nslices = 3",
    "crlf": "[project]\r\nslices = 3\r\n\r\n[workdirs]\r\ndev = 'x'\r\n",
    "other remote": "[remotes.backup]\nurl = '../b'\n\n# the end\n",
    "blank lines": "\n\n[project]\n\n\n",
    "only header": "[remotes]\n",
    "looks like one": '[project]\nmethods = [\n  # [remotes.origin]\n]\nx = """\n[remotes.origin]\nurl = 1\n"""\n',
    "odd line ends": "[project]\n# a\u2028[remotes.origin]\nslices = 3 # \u0085[remotes.origin]\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_table_comes_at_the_end_and_nothing_else_changes(text):
    changed = with_table(text, ORIGIN, {"url": "s3://b"})
    assert changed.startswith(text)
    assert tomllib.loads(changed)["remotes"]["origin"] == {"url": "s3://b"}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_table_that_came_goes_without_a_trace(text):
    values = {"url": "s3://b", "options": {"a": 1, "b": {"c": [True]}}}
    whole = text if not text or text.endswith("\n") else text + ("\r\n" if "\r\n" in text else "\n")
    assert without_table(with_table(text, ORIGIN, values), ORIGIN) == whole


@given(st.permutations(list(TEXTS.values())[1:4]), st.integers(0, 3))
def test_a_table_goes_from_wherever_it_stands(parts, at):
    # one table of each name is all that a file may have
    parts = [
        f"{part}\n".replace("project", f"p{i}").replace("workdirs", f"w{i}") for i, part in enumerate(parts)
    ]
    table = '[remotes.origin]\nurl = "s3://b"\n\n[remotes.origin.options]\na = """\n# x\n"""\n\n'
    text = "".join([*parts[:at], table, *parts[at:]])
    left = without_table(text, ORIGIN)
    assert tomllib.loads(left) == tomllib.loads("".join(parts))
    assert [line for line in left.split("\n") if line.strip()] == [
        line for line in "".join(parts).split("\n") if line.strip()
    ]


def test_comments_around_a_table_stay_and_those_in_it_go():
    text = (
        "# the first\n[project]\n\n# our bucket\n[remotes.origin]\n# in it\nurl = 's3://b'  # the place\n"
        "# in it too\nread = false\n# behind it\n\n# of the next\n[workdirs]\n"
    )
    assert without_table(text, ORIGIN) == (
        "# the first\n[project]\n\n# our bucket\n# behind it\n\n# of the next\n[workdirs]\n"
    )


def test_the_last_line_of_a_text_is_no_comment():
    text = '[remotes.origin]\nurl = """\n# a\n# b"""\n# behind it\n'
    assert without_table(text, ORIGIN) == "# behind it\n"


def test_a_header_may_be_written_in_any_way():
    text = "[ remotes . 'origin' ] # ours\nurl = 's3://b'\n[[remotes.\"origin\".options.list]]\na = 1\n"
    assert without_table(text + "[remotes.other]\n", ORIGIN) == "[remotes.other]\n"


def test_a_table_whose_name_begins_the_same_stays():
    text = "[remotes.origin]\nurl = 1\n\n[remotes.origin2]\nurl = 2\n"
    assert without_table(text, ORIGIN) == "\n[remotes.origin2]\nurl = 2\n"


@pytest.mark.parametrize(
    "text",
    [
        "remotes = { origin = { url = 's3://b' } }\n",
        "remotes.origin.url = 's3://b'\n",
        "[remotes]\norigin.url = 's3://b'\n",
        "[remotes]\norigin = { url = 's3://b' }\n",
    ],
)
def test_a_table_that_is_written_in_another_way_is_left_to_the_user(text):
    with pytest.raises(
        ConfigError, match=r"table \[remotes.origin\] cannot be taken out, as acc.toml is written"
    ) as caught:
        without_table(text, ORIGIN)
    assert "by hand" in caught.value.hint


@pytest.mark.parametrize("text", ["remotes = {}\n", "remotes = { b = { url = '../b' } }\n"])
def test_no_table_is_added_where_none_can_be(text):
    with pytest.raises(
        ConfigError, match=r"table \[remotes.origin\] cannot be added, as acc.toml is written"
    ):
        with_table(text, ORIGIN, {"url": "s3://b"})


plain = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)


@given(values)
def test_a_value_is_written_as_it_is_read(value):
    assert tomllib.loads(f"value = {to_toml(value)}")["value"] == value


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), values))
def test_a_table_is_written_as_it_is_read(table):
    assert tomllib.loads(with_table("", ("a", "b c"), table))["a"]["b c"] == table


def test_a_file_keeps_its_permissions_and_its_link(tmp_path):
    (tmp_path / "real.toml").write_text("a")
    (tmp_path / "real.toml").chmod(0o666)
    (tmp_path / "acc.toml").symlink_to("real.toml")
    rewrite(tmp_path / "acc.toml", tmp_path / ".acc/locks/acc.toml", lambda text: text + "b")
    assert (tmp_path / "acc.toml").is_symlink()
    assert (tmp_path / "real.toml").read_text() == "ab"
    assert stat.S_IMODE((tmp_path / "real.toml").stat().st_mode) == 0o666


def test_line_ends_stay_as_they_are(tmp_path):
    (tmp_path / "acc.toml").write_bytes(b"a\r\nb\n")
    rewrite(tmp_path / "acc.toml", tmp_path / "lock", lambda text: text)
    assert (tmp_path / "acc.toml").read_bytes() == b"a\r\nb\n"


def test_a_change_that_fails_leaves_the_file_as_it_was(tmp_path):
    (tmp_path / "acc.toml").write_text("a")

    def fail(text):
        raise ConfigError("no")

    with pytest.raises(ConfigError, match="no"):
        rewrite(tmp_path / "acc.toml", tmp_path / "lock", fail)
    assert {path.name for path in tmp_path.iterdir()} == {"acc.toml", "lock"}
    assert (tmp_path / "acc.toml").read_text() == "a"


def test_a_file_that_is_gone_is_one_clear_line(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot write '.*acc.toml': no such file or directory"):
        rewrite(tmp_path / "acc.toml", tmp_path / "lock", str)


def test_of_changes_at_once_none_is_lost(tmp_path):
    (tmp_path / "acc.toml").write_text("")
    writers = [
        threading.Thread(
            target=rewrite, args=(tmp_path / "acc.toml", tmp_path / "lock", lambda text, i=i: text + f"{i}\n")
        )
        for i in range(8)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted((tmp_path / "acc.toml").read_text().split()) == list("01234567")

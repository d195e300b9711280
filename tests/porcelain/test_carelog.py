"""When fsck and gc last ended."""

import json

from porcelain import carelog


def test_what_was_noted_last_is_found(tmp_path):
    carelog.note(tmp_path, "gc", {"dead": 3})
    carelog.note(tmp_path, "gc", {"dead": 4})
    carelog.note(tmp_path, "fsck", {"sound": True})
    assert carelog.find_note(tmp_path, "gc").found == {"dead": 4}
    assert carelog.find_note(tmp_path, "fsck").found == {"sound": True}


def test_where_nothing_can_be_written_nothing_is_noted(tmp_path):
    (tmp_path / "care").write_bytes(b"")
    carelog.note(tmp_path, "gc", {"dead": 3})
    assert carelog.find_note(tmp_path, "gc") is None


def test_a_damaged_store_is_noted_as_one(project, acc):
    row = project.job("one", files={"a": b"a"})
    project.store.delete(row.job)
    code, _, _ = acc("fsck")
    assert code == 1
    noted = json.loads((project.root / ".acc" / "care" / "fsck.json").read_text())
    assert (noted["found"]["sound"], noted["found"]["damages"]) == (False, 1)

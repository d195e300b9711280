"""`acc fsck`: what is hurt, one record a problem."""

import json

from cas.oid import oid_of


def test_fsck_finds_a_project_clean_and_a_flipped_bit_not(acc, project):
    project.job("make", files={"a": b"a" * 1000})
    assert acc("fsck") == (0, "", "6 objects and 2 refs checked: sound\n")
    oid = oid_of(b"a" * 1000)
    (path,) = (project.root / ".acc/objects").rglob(oid)
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    code, out, _ = acc("fsck")
    assert code == 1
    kind, name, _reason, hurt = out.rstrip("\n").split("\t")
    assert (kind, name) == ("corrupt", oid)
    assert hurt == "dev-1"
    found = json.loads(acc("fsck", "--json")[1])
    assert (found["sound"], found["problems"][0]["kind"], found["problems"][0]["hurts"]) == (
        False,
        "corrupt",
        ["dev-1"],
    )


def test_fsck_names_what_is_missing_and_who_needs_it(acc, project):
    row = project.job("make", files={"a": b"a"})
    project.store.put(b"dangling")
    assert acc("fsck")[2].endswith("; 1 that no ref reaches ('acc gc' takes them)\n")
    project.store.delete(oid_of(b"a"))
    code, out, err = acc("fsck")
    assert (code, row.label in out) == (1, True)
    # gc is not for stores in which something may only seem to be unreached
    assert "acc gc" not in err
    assert out.startswith(f"missing\t{oid_of(b'a')}\t")

"""What differs as plain dicts, also where it cannot be read."""

from dataclasses import replace

import pytest

from cas.errors import ObjectNotFound
from cas.oid import ObjectId, oid_of
from jobs.nodes.outcome import Inputs
from jobs.nodes.source import Source
from jobs.reuse.difference import Side, differences
from jobs.reuse.key import KeyParts, action_key
from porcelain.views.differences import Sides, difference

PARTS = KeyParts("make", oid_of(b"1"), None, Inputs(), 2, {})


def side(source: ObjectId, text: bytes | None = None, **options: object) -> Side:
    """Return a side with one file of source, `text`, which is missing when it is None."""

    def read(blob: ObjectId) -> bytes:
        if text is None:
            raise ObjectNotFound(blob)
        return text

    parts = replace(PARTS, source=source, inputs=Inputs(options=options))
    blob = oid_of(text or b"")
    return Side(
        parts,
        action_key(parts),
        read_source=lambda: Source("a_make.py", {"a_make.py": blob}),
        read=read,
        find_origin=lambda tag, content: None,
    )


def view(store, before: Side, after: Side):
    (found,) = differences(before, after)
    return difference(Sides(store, before, after, ("dev-1", "now")), found)


def test_a_source_whose_text_is_gone_is_told_without_it(store):
    found = view(store, side(oid_of(b"1")), side(oid_of(b"2"), b"x = 1\n"))
    assert (found["what"], found["changed_lines"]) == ("source a_make.py changed", None)
    assert found["detail"] == [f"what differs in it is not known: {ObjectNotFound(oid_of(b''))}"]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        pytest.param("one line", "another", ["'one line'", "'another'"], id="of one line"),
        pytest.param("select\na", "select\nb", None, id="of several lines"),
        pytest.param("select\na", "", ["'select\\na'", "''"], id="of several lines, then none"),
    ],
)
def test_a_text_is_told_by_its_lines_when_it_has_several(store, before, after, words):
    found = view(store, side(oid_of(b"1"), query=before), side(oid_of(b"1"), query=after))
    assert found["words"] == words
    assert found["detail"][2:] == ([] if words else ["@@ -1,2 +1,2 @@", " select", "-a", "+b"])


def test_an_input_whose_job_nobody_knows_is_told_by_its_id(store):
    ids = [oid_of(name) for name in (b"x", b"y")]
    before, after = (side(oid_of(b"1"), job={"$job": oid}) for oid in ids)
    found = view(store, before, after)
    assert found["words"] == [oid[:12] for oid in ids]
    assert found["detail"] == []

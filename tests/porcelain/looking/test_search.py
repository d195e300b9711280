"""Rows and those around them, in pieces of any size."""

from hypothesis import given
from hypothesis import strategies as st

from porcelain.looking.search import Around


@given(st.lists(st.integers(0, 6), max_size=6), st.data(), st.integers(0, 4), st.integers(0, 4))
def test_rows_around_those_that_match_come_once_and_in_order(sizes, data, before, after):
    total = sum(sizes)
    matching = data.draw(st.sets(st.integers(0, max(total - 1, 0)), max_size=total))
    matching = {row for row in matching if row < total}
    around = Around(before, after)
    found, start = [], 0
    for size in sizes:
        here = sorted(row - start for row in matching if start <= row < start + size)
        rows = around.select(size, here, lambda row, match, late, start=start: (start + row, match, late))
        found += list(rows)
        start += size
    near = {row for match in matching for row in range(match - before, match + after + 1) if 0 <= row < total}
    assert [row for row, _, _ in found] == sorted(near)
    for row, match, late in found:
        assert match == (row in matching)
        assert late == (not match and any(row - after <= other < row for other in matching))

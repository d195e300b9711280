"""What every column type does: give back what was written, and the same id for the same values."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cas.memory import MemoryStore
from jobs.column.batches import BATCH_ROWS
from jobs.column.slice import SliceReader, SliceSummary, SliceWriter
from jobs.column.types import get_type
from jobs.errors import ColumnError

# a property is inherited by the class of each type
inherited = settings(suppress_health_check=[HealthCheck.differing_executors])
NONE_IS_A_VALUE = ("json", "pickle")


def same(one: Any, other: Any) -> bool:
    """Return whether two values are the same, not just equal: type, sign of zero, time zone and fold too."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and repr(one) == repr(other)


def write(store: MemoryStore, column_type: str, values: Sequence[Any], *, none: bool = False) -> SliceSummary:
    """Return the summary of a column slice of `values`."""
    writer = SliceWriter(column_type, store.writer(), none_support=none)
    for value in values:
        writer.append(value)
    return writer.finish()


def open_slice(
    store: MemoryStore, column_type: str, summary: SliceSummary, *, none: bool = False
) -> SliceReader:
    """Return the reader of a column slice."""
    return SliceReader(store.open(summary.blob), column_type, none_support=none)


class CodecSuite:
    """Subclass it for a column type and say what it holds."""

    column_type: ClassVar[str]
    # what is at the edge of the type, as it is read back
    extremes: ClassVar[Sequence[Any]]
    # values as they are read back
    values: ClassVar[st.SearchStrategy[Any]]
    # what is accepted, and what it becomes
    conversions: ClassVar[Sequence[tuple[Any, Any]]] = ()
    # what is refused, and the builtin error that it also is
    refused: ClassVar[Sequence[tuple[Any, type[Exception]]]] = ()
    # the kinds of numpy array (beside objects) that hold the type's values
    array_dtype: ClassVar[str | None] = None

    @pytest.fixture
    def many(self) -> list[Any]:
        """One batch and a part of the next."""
        cycle = [*self.extremes] * (BATCH_ROWS // len(self.extremes) + 500)
        return cycle[: BATCH_ROWS + 500]

    def test_extremes_come_back(self, store: MemoryStore) -> None:
        reader = open_slice(store, self.column_type, write(store, self.column_type, self.extremes))
        assert same(list(reader), [*self.extremes])

    def test_extremes_come_back_one_by_one(self, store: MemoryStore) -> None:
        for value in self.extremes:
            reader = open_slice(store, self.column_type, write(store, self.column_type, [value]))
            assert same(list(reader), [value])

    def test_extremes_and_none_come_back(self, store: MemoryStore) -> None:
        values = [None, *[each for value in self.extremes for each in (value, None)]]
        summary = write(store, self.column_type, values, none=True)
        assert same(list(open_slice(store, self.column_type, summary, none=True)), values)

    def test_nothing_but_none_comes_back(self, store: MemoryStore) -> None:
        summary = write(store, self.column_type, [None] * 11, none=True)
        assert list(open_slice(store, self.column_type, summary, none=True)) == [None] * 11
        assert (summary.lines, summary.min, summary.max) == (11, None, None)

    def test_no_rows_come_back_as_no_rows(self, store: MemoryStore) -> None:
        summary = write(store, self.column_type, [])
        reader = open_slice(store, self.column_type, summary)
        assert (list(reader), reader.lines, reader.batches) == ([], 0, ())
        assert (summary.lines, summary.min, summary.max) == (0, None, None)

    @inherited
    @given(data=st.data())
    def test_values_come_back(self, data: st.DataObject) -> None:
        store, none = MemoryStore(), data.draw(st.booleans())
        values = data.draw(st.lists(st.none() | self.values if none else self.values, max_size=200))
        summary = write(store, self.column_type, values, none=none)
        reader = open_slice(store, self.column_type, summary, none=none)
        assert same(list(reader), values)
        assert (summary.lines, reader.lines) == (len(values), len(values))
        assert summary.bytes == store.size_of(summary.blob)

    @inherited
    @given(data=st.data())
    def test_any_mix_of_calls_gives_one_id(self, data: st.DataObject) -> None:
        store, none = MemoryStore(), data.draw(st.booleans())
        values = data.draw(st.lists(st.none() | self.values if none else self.values, max_size=300))
        writer = SliceWriter(self.column_type, store.writer(), none_support=none)
        start = 0
        while start < len(values):
            stop = start + data.draw(st.integers(1, 200))
            self.write_somehow(writer, values[start:stop], data.draw(st.sampled_from("aekl")))
            assert writer.lines == min(stop, len(values))
            start = stop
        # by repr: nan is not equal to itself
        assert repr(writer.finish()) == repr(write(store, self.column_type, values, none=none))

    def write_somehow(self, writer: SliceWriter, values: list[Any], how: str) -> None:
        if how == "a":
            for value in values:
                writer.append(value)
        elif how == "e":
            writer.extend(iter(values))
        elif how == "k":
            keep, none_is_a_value = (
                get_type(self.column_type).keep,
                self.column_type.endswith(NONE_IS_A_VALUE),
            )
            writer.extend_kept(
                [keep(value) if value is not None or none_is_a_value else None for value in values]
            )
        else:
            writer.extend_array(*self.to_array(values))

    def to_array(self, values: list[Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None]:
        """Return `values` as the array that suits them best, and the mask of None."""
        mask = np.array([value is None for value in values], bool)
        if self.array_dtype is None or mask.all():
            return np.fromiter(values, object, len(values)), None
        filler = next(value for value in values if value is not None)
        return np.array([filler if value is None else value for value in values], self.array_dtype), mask

    def test_batches_end_in_the_same_rows_whatever_wrote_them(
        self, store: MemoryStore, many: list[Any]
    ) -> None:
        expected = write(store, self.column_type, many)
        for step, how in ((777, "e"), (50_000, "l"), (len(many), "k")):
            writer = SliceWriter(self.column_type, store.writer())
            for start in range(0, len(many), step):
                self.write_somehow(writer, many[start : start + step], how)
            assert writer.finish().blob == expected.blob
        reader = open_slice(store, self.column_type, expected)
        assert [batch.rows for batch in reader.batches] == [BATCH_ROWS, 500]
        assert same(reader.values(1), many[BATCH_ROWS:])

    def test_a_sequence_is_the_values_whole_and_in_parts(self, store: MemoryStore, many: list[Any]) -> None:
        reader = open_slice(store, self.column_type, write(store, self.column_type, many))
        read = reader.sequence(0)
        assert same(list(read), many[:BATCH_ROWS])
        assert same(list(read[1:300]) + list(read[300:]), many[1:BATCH_ROWS])
        assert same([read[-1], *read], [many[BATCH_ROWS - 1], *many[:BATCH_ROWS]])

    def test_an_array_says_what_the_values_say(self, store: MemoryStore) -> None:
        values = [*self.extremes, None] * 40
        summary = write(store, self.column_type, values, none=True)
        array, mask = open_slice(store, self.column_type, summary, none=True).array(0)
        assert len(array) == len(values)
        if mask is not None:
            assert mask.tolist() == [value is None for value in values]
        for value, read in zip(values, array.tolist(), strict=True):
            assert value is None or same(read, self.in_array(value))

    def in_array(self, value: Any) -> Any:
        """Return what is left of a value in an array."""
        return value

    def test_min_and_max_are_those_of_the_values(self, store: MemoryStore) -> None:
        summary = write(store, self.column_type, [None, *self.extremes], none=True)
        bounds: tuple[Any, Any] = (None, None)
        if get_type(self.column_type).has_minmax:
            known = [value for value in self.extremes if value == value]
            bounds = min(known, key=self.order), max(known, key=self.order)
        assert (summary.min, summary.max) == bounds
        batch = open_slice(store, self.column_type, summary, none=True).batches[0]
        assert same([batch.min, batch.max], [summary.min, summary.max])

    def order(self, value: Any) -> Any:
        """Return what values of the type are compared by."""
        return value

    def test_conversions(self, store: MemoryStore) -> None:
        written = [value for value, _ in self.conversions]
        become = [value for _, value in self.conversions]
        summary = write(store, self.column_type, written)
        assert same(list(open_slice(store, self.column_type, summary)), become)
        check = get_type(self.column_type).check
        assert same([check(value) for value in written], become)
        assert write(store, get_type(self.column_type).base, become).blob == summary.blob

    def test_what_does_not_fit_is_refused_at_once(self, store: MemoryStore) -> None:
        writer = SliceWriter(self.column_type, store.writer(), none_support=True)
        for value, builtin in self.refused:
            for how in (writer.append, lambda value: writer.extend([*self.extremes[:1] * 150, value])):
                with pytest.raises(ColumnError) as caught:
                    how(value)
                assert isinstance(caught.value, builtin), value
        assert writer.lines == 0

    def test_a_refused_value_leaves_the_writer_as_it_was(self, store: MemoryStore) -> None:
        writer = SliceWriter(self.column_type, store.writer())
        for value in self.extremes:
            writer.append(value)
            for wrong, _ in self.refused:
                with pytest.raises(ColumnError):
                    writer.append(wrong)
        assert writer.finish().blob == write(store, self.column_type, self.extremes).blob

    def test_none_without_none_support_is_refused_unless_it_is_a_value(self, store: MemoryStore) -> None:
        writer = SliceWriter(self.column_type, store.writer())
        array = np.array([None], object)
        if get_type(self.column_type).base in NONE_IS_A_VALUE:
            writer.append(None)
            writer.extend_array(array)
            assert writer.lines == 2
            return
        for call in (
            lambda: writer.append(None),
            lambda: writer.extend([None]),
            lambda: writer.extend_array(array),
        ):
            with pytest.raises(ColumnError, match="refusing to write None without none_support=True"):
                call()
        assert writer.lines == 0

    def test_none_support_alone_changes_no_id(self, store: MemoryStore) -> None:
        with_support = write(store, self.column_type, self.extremes, none=True)
        assert with_support.blob == write(store, self.column_type, self.extremes).blob

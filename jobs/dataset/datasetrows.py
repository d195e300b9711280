"""The rows of a dataset, as values and as arrays."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from cas.store import Store
from jobs.dataset.arrays import Readable, arrays
from jobs.dataset.arrow import arrow_reader
from jobs.dataset.facts import DatasetFacts
from jobs.dataset.head import ColumnNode
from jobs.dataset.reader import iterate
from jobs.dataset.reading import Reading, SliceChoice
from jobs.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.dataset.arrays import Array
    from jobs.dataset.arrow import RecordBatchReader, Table


class DatasetRows(DatasetFacts):
    """A dataset, as far as its rows go; `Dataset` is the whole of it."""

    @property
    @abstractmethod
    def store(self) -> Store:
        """Where its objects are."""

    @abstractmethod
    def get_column_node(self, name: str) -> ColumnNode:
        """Return the node of a column."""

    @abstractmethod
    def check_trust(self) -> None:
        """Raise `NotTrusted` when pickles in it may not be loaded."""

    @abstractmethod
    def chain(self, length: int = -1, reverse: bool = False, stop_ds: Any = None) -> "Sequence[Readable]":  # noqa: FBT001, FBT002 - the peer's order
        """Return this dataset and those before it, oldest first."""

    def iterate(
        self, sliceno: SliceChoice, columns: str | Iterable[str] | None = None, **reading: Unpack[Reading]
    ) -> Iterator[Any]:
        """Return an iterator over its rows.

        Parameters
        ----------
        sliceno
            A slice, None for all of them one after another, or "roundrobin" for one row of each in turn.
        columns
            A name for bare values; several for tuples in that order; None for tuples of all, sorted by name.
        reading
            `range`, `sloppy_range`, `hashlabel`, `rehash`, `filters`, `translators`, `slice`, `pre_callback`,
            `post_callback`: see `Reading`.

        Raises
        ------
        DatasetError
            At once, for what cannot be asked of it.
        """
        return iterate([self], sliceno, columns, reading)

    def iterate_chain(
        self,
        sliceno: SliceChoice,
        columns: str | Iterable[str] | None = None,
        length: int = -1,
        *,
        reverse: bool = False,
        stop_ds: str | Mapping[Any, str] | None = None,
        **reading: Unpack[Reading],
    ) -> Iterator[Any]:
        """Return an iterator over the rows of its chain, oldest dataset first (see `chain` and `iterate`)."""
        return iterate(self.chain(length, reverse, stop_ds), sliceno, columns, reading)

    def arrays(
        self, sliceno: int | None, columns: str | Iterable[str] | None = None
    ) -> "Iterator[dict[str, Array]]":
        """Return an iterator over its rows as numpy arrays by column name, a batch of rows at a time.

        Parameters
        ----------
        sliceno
            A slice, or None for all of them one after another.
        columns
            Which columns; None for all.
        """
        return arrays(self, sliceno, columns)

    # -- as Arrow; these need pyarrow ("acc[arrow]") -----------------------------------------------------------

    def arrow_reader(
        self, sliceno: int | None = None, columns: str | Iterable[str] | None = None
    ) -> "RecordBatchReader":
        """Return a `pyarrow.RecordBatchReader` of its rows: at most 65,536 at a time are in memory.

        Parameters
        ----------
        sliceno
            A slice, or None for all of them one after another.
        columns
            Which columns; None for all.

        Raises
        ------
        DatasetError
            At once, when pyarrow is not installed or there is no Arrow type for a column; while it is read, when a
            datetime column turns out to have naive values and such in UTC.
        """
        return arrow_reader(self, sliceno, columns)

    def to_arrow(self, sliceno: int | None = None, columns: str | Iterable[str] | None = None) -> "Table":
        """Return its rows as a `pyarrow.Table` (see `arrow_reader`)."""
        return arrow_reader(self, sliceno, columns).read_all()

    def to_pandas(
        self, sliceno: int | None = None, columns: str | Iterable[str] | None = None, **options: Any
    ) -> Any:
        """Return its rows as a `pandas.DataFrame`; `options` are those of `pyarrow.Table.to_pandas`."""
        return self.to_arrow(sliceno, columns).to_pandas(**options)

    def to_polars(self, sliceno: int | None = None, columns: str | Iterable[str] | None = None) -> Any:
        """Return its rows as a `polars.DataFrame`; polars itself would take the dataset for the text that it is too."""
        try:
            import polars
        except ImportError as err:
            raise DatasetError("polars is not installed", hint="pip install polars") from err
        return polars.from_arrow(self.arrow_reader(sliceno, columns))

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Return all its rows as an Arrow stream in a PyCapsule, as pyarrow, duckdb and others ask for it."""
        return arrow_reader(self).__arrow_c_stream__(requested_schema)

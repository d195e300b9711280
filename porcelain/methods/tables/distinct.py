"""The different values of a column, as the texts that they are written as."""

from typing import Any

import numpy as np

from jobs.column.transform import Array, Mask
from porcelain.methods.tables.columns import Values, split_none, to_list


def as_texts(values: Values, column_type: str) -> tuple[list[str], Array]:
    """Return the different texts that the values are written as (by `str`), and which of them each value is.

    Parameters
    ----------
    values
        As `read_slice` gives them.
    column_type
        Name of their type.

    Returns
    -------
    texts : list of str
        Each once.
    codes : (n,) int64
        For each value its place in `texts`.
    """
    array, none = split_none(values)
    if isinstance(array, np.ndarray) and column_type != "number" and array.dtype.kind not in "cO":
        return _texts_of_array(array, none)
    items = to_list(values)
    if column_type not in ("bytes", "ascii", "unicode"):
        items = list(map(str, items))  # equal numbers are written differently: 1, 1.0
    places: dict[Any, int] = {}
    codes = [places.setdefault(item, len(places)) for item in items]
    return list(map(str, places)), np.array(codes, np.int64)


def _texts_of_array(values: Array, none: Mask | None) -> tuple[list[str], Array]:
    # by the bits: 0.0 and -0.0 are equal, and written differently
    bits = values.view(f"i{values.dtype.itemsize}")
    _, firsts, codes = np.unique(bits, return_index=True, return_inverse=True)
    texts = list(map(str, values[firsts].tolist()))
    codes = codes.astype(np.int64)
    if none is not None:
        codes[none] = len(texts)
        texts.append(str(None))
    return texts, codes

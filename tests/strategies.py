"""Hypothesis strategies that several rooms' tests draw from."""

import datetime
import math
from collections import OrderedDict
from pathlib import Path

from hypothesis import strategies as st

from cas.oid import ObjectId, oid_of

blobs = st.binary(max_size=2000)
object_ids: st.SearchStrategy[ObjectId] = st.binary(max_size=4).map(oid_of)

# no surrogates: they are no Unicode text, so canonical JSON refuses them
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
keys = st.one_of(
    texts, st.sampled_from(["", "a", "b", "$", "$f", "$tuple", "kind", "ä", "\uffff", "\U0001f600"])
)

# what stands in canonical JSON as it is
structures = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=20,
)

_moments = st.one_of(
    st.dates(),
    st.datetimes(),
    st.datetimes(
        timezones=st.sampled_from([datetime.UTC, datetime.timezone(datetime.timedelta(minutes=-330))])
    ),
    st.times(),
    st.timedeltas(),
)
_hashables = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    # nan is no fair key: it equals nothing, so neither would the dict that holds it
    st.floats(allow_nan=False),
    texts,
    st.binary(max_size=20),
    _moments,
    st.tuples(st.integers(), texts),
    st.frozensets(st.integers(), max_size=3),
)


def _containers(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
        st.dictionaries(_hashables, inner, max_size=4),
        st.lists(st.tuples(_hashables, inner), max_size=4).map(OrderedDict),
        st.sets(_hashables, max_size=4),
        st.frozensets(_hashables, max_size=4),
    )


# what a user may give as an option; nan is left out since it does not equal itself
values = st.recursive(
    st.one_of(
        _hashables,
        st.complex_numbers(allow_nan=False),
        st.sampled_from([2**53 - 1, 2**53, -(2**53), 2**200, -0.0, math.inf, Path("a/b")]),
    ),
    _containers,
    max_leaves=15,
)

"""Refs: names, values, transactions, their log."""

import itertools
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cas.errors import InvalidId, RefConflict, UnsafeName
from cas.local.refs import LocalRefs
from tests.cas.local.refdata import JOBS, A, B, C, alter, put

# names and ids


def test_a_ref_that_was_set_is_found(refs):
    put(refs, a=A)
    assert refs.find("a") == A
    put(refs, a=B)
    assert refs.find("a") == B


def test_a_ref_that_was_not_set_is_not_found(refs):
    assert refs.find("a") is None
    put(refs, aa=A)
    assert refs.find("a") is None
    assert refs.find("") is None


def test_refs_outlive_the_process(refs, path):
    put(refs, a=A)
    refs.close()
    again = LocalRefs(path, [JOBS])
    assert again.find("a") == A
    again.close()


def test_names_are_sorted_and_begin_with_the_prefix(refs):
    names = [
        "jobs/dev/1",
        "jobs/dev/10",
        "jobs/dev/2",
        "jobs",
        "job",
        "results/x",
        "jobs/\U0010ffff",
        "jobs/ä",
    ]
    put(refs, **dict.fromkeys(names, A))
    assert list(refs.names()) == [(name, A) for name in sorted(names)]
    assert [name for name, _ in refs.names("jobs/")] == sorted(
        name for name in names if name.startswith("jobs/")
    )
    assert [name for name, _ in refs.names("jobs/dev/1")] == ["jobs/dev/1", "jobs/dev/10"]
    assert list(refs.names("nothing")) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prefix=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3))
def test_any_prefix_finds_its_names(refs, prefix):
    names = [name for name, _ in refs.names()]
    if not names:
        put(
            refs,
            **dict.fromkeys(
                ["a", "b", "ab", "é", "aé", "\U0001f600", "\U0010ffff", "a\U0010ffff\U0010ffff"], A
            ),
        )
        names = [name for name, _ in refs.names()]
    assert [name for name, _ in refs.names(prefix)] == [name for name in names if name.startswith(prefix)]


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "a/../b", "..", "a\0b", "x" * 256, "\udcff"])
def test_an_unsafe_name_is_refused(refs, name):
    with pytest.raises(UnsafeName), refs.transaction("test") as transaction:
        transaction.set(name, A)


@pytest.mark.parametrize("oid", ["", "abcd", A.upper(), A + "0"])
def test_what_is_no_object_id_is_refused(refs, oid):
    with pytest.raises(InvalidId), refs.transaction("test") as transaction:
        transaction.set("a", oid)


# compare and set


def test_a_ref_is_set_when_it_is_what_was_expected(refs):
    with refs.transaction("test") as transaction:
        transaction.set("a", A, old=None)
        transaction.set("a", B, old=A)
        assert transaction.find("a") == B
        transaction.delete("a", old=B)
        assert transaction.find("a") is None
    assert refs.find("a") is None


@pytest.mark.parametrize(("expected", "found"), [(None, A), (B, A), (B, None)])
def test_a_ref_that_is_not_what_was_expected_is_a_conflict(refs, expected, found):
    if found:
        put(refs, a=found)

    def set_two():
        with refs.transaction("test") as transaction:
            transaction.set("other", C)
            transaction.set("a", C, old=expected)

    with pytest.raises(RefConflict) as caught:
        set_two()
    assert (caught.value.name, caught.value.expected, caught.value.found) == ("a", expected, found)
    assert refs.find("a") == found
    assert refs.find("other") is None


def test_a_conflict_says_what_the_ref_is_at():
    assert str(RefConflict("a", B, A)) == f"ref 'a' is at '{A}', expected '{B}'"
    assert str(RefConflict("a", None, A)) == f"ref 'a' is at '{A}', expected none"
    assert str(RefConflict("a", B, None)) == f"ref 'a' is not there, expected '{B}'"


def test_a_delete_that_finds_another_id_is_a_conflict(refs):
    put(refs, a=A)
    with pytest.raises(RefConflict), refs.transaction("test") as transaction:
        transaction.delete("a", old=B)
    assert refs.find("a") == A


def test_a_delete_of_what_is_not_there_does_nothing(refs):
    with refs.transaction("test") as transaction:
        transaction.delete("a")
        transaction.delete("a", old=None)
    assert list(refs.log()) == []


# transactions


class StopError(Exception):
    pass


def test_a_transaction_that_raises_changes_nothing(refs):
    put(refs, a=A)

    def change_and_raise():
        with refs.transaction("test") as transaction:
            transaction.set("a", B)
            transaction.set("b", B)
            transaction.insert("jobs", {"workdir": "dev", "number": 1})
            raise StopError

    with pytest.raises(StopError):
        change_and_raise()
    assert list(refs.names()) == [("a", A)]
    assert refs.select("jobs") == []
    assert len(list(refs.log())) == 1
    put(refs, a=C)
    assert refs.find("a") == C


def test_others_see_a_transaction_when_it_has_ended(refs, path):
    other = LocalRefs(path, [JOBS])
    with refs.transaction("test") as transaction:
        transaction.set("a", A)
        assert other.find("a") is None
        assert transaction.find("a") == A
    assert other.find("a") == A
    other.close()


def test_readers_do_not_wait_for_a_writer(refs):
    put(refs, a=A)
    seen = []
    with refs.transaction("test") as transaction:
        transaction.set("a", B)
        reader = threading.Thread(target=lambda: seen.append(refs.find("a")))
        reader.start()
        reader.join(10)
    assert seen == [A]


def test_a_transaction_inside_a_transaction_is_a_mistake(refs):
    def nest():
        with refs.transaction("one") as one:
            one.set("a", A)
            put(refs, b=B)

    with pytest.raises(AssertionError):
        nest()
    assert refs.find("a") is None


def test_a_transaction_used_after_its_end_is_a_mistake(refs):
    with refs.transaction("test") as transaction:
        pass
    with pytest.raises(AssertionError):
        transaction.set("a", A)


def test_threads_take_turns(refs):
    def work(number):
        for step in range(10):
            with refs.transaction("count") as transaction:
                transaction.set(f"{number}/{step}", A, old=None)
                transaction.insert("jobs", {"workdir": "dev", "number": len(transaction.select("jobs"))})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(refs.names())) == 40
    assert [row["number"] for row in refs.select("jobs")] == list(range(40))


# the log


def test_the_log_has_each_change_newest_first(refs):
    before = time.time()
    with refs.transaction("one") as transaction:
        transaction.set("a", A)
        transaction.set("b", A)
    with refs.transaction("two") as transaction:
        transaction.set("a", B)
        transaction.delete("a")
    changes = [("a", B, None, "two"), ("a", A, B, "two"), ("b", None, A, "one"), ("a", None, A, "one")]
    assert [(entry.name, entry.old, entry.new, entry.why) for entry in refs.log()] == changes
    assert [(entry.name, entry.old, entry.new, entry.why) for entry in refs.log("b")] == [changes[2]]
    assert all(before <= entry.time <= time.time() for entry in refs.log())
    assert list(refs.log("c")) == []


def test_the_log_is_trimmed_and_the_refs_stay(refs, path, monkeypatch):
    for number in range(3):
        put(refs, a=(A, B, C)[number], **{f"n{number}": A})
    alter(path, "UPDATE log SET time = entry")
    monkeypatch.setattr("cas.local.refs._TRIMMED_ROWS", 2)
    before = dict(refs.names())
    assert refs.trim_log(4) == 3
    assert [entry.time for entry in refs.log()] == [6, 5, 4]
    assert refs.trim_log(4) == 0
    assert refs.trim_log(100) == 3
    assert list(refs.log()) == []
    assert dict(refs.names()) == before
    put(refs, a=A)
    assert [entry.old for entry in refs.log("a")] == [C]


# a model


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    transactions=st.lists(
        st.tuples(
            st.booleans(),
            st.lists(
                st.tuples(st.sampled_from("abc"), st.sampled_from([A, B, None]), st.booleans()), max_size=5
            ),
        ),
        max_size=6,
    )
)
def test_refs_are_a_dict_with_transactions(refs, transactions):
    model = dict(refs.names())
    for is_kept, changes in transactions:
        draft = dict(model)
        try:
            with refs.transaction("test") as transaction:
                for name, oid, checks in changes:
                    old = {"old": draft.get(name)} if checks else {}
                    if oid is None:
                        transaction.delete(name, **old)
                        draft.pop(name, None)
                    else:
                        transaction.set(name, oid, **old)
                        draft[name] = oid
                    assert transaction.find(name) == draft.get(name)
                if not is_kept:
                    raise StopError
            model = draft
        except StopError:
            pass
        assert dict(refs.names()) == model
        assert {name: refs.find(name) for name in "abc"} == {name: model.get(name) for name in "abc"}
    # the log tells how each ref came to be what it is
    for name in "abc":
        entries = list(refs.log(name))
        assert (entries[0].new if entries else None) == model.get(name)
        assert all(later.old == earlier.new for later, earlier in itertools.pairwise(entries))


def test_the_newest_change_of_each_ref_with_a_prefix_is_known(refs):
    put(refs, **{"results/a": A, "results/b": A, "other": A, "results": A})
    put(refs, **{"results/a": B})
    with refs.transaction("away") as transaction:
        transaction.delete("results/b")
    found = refs.newest_changes("results/")
    assert {name: (entry.old, entry.new) for name, entry in found.items()} == {
        "results/a": (A, B),
        "results/b": (A, None),
    }
    assert found["results/a"] == next(refs.log("results/a"))


def test_what_the_log_has_forgotten_has_no_newest_change(refs):
    put(refs, a=A)
    refs.trim_log(time.time() + 1)
    assert refs.newest_changes("") == {}

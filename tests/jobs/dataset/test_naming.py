"""How a dataset is named in a text."""

import pytest

from jobs.dataset.naming import split_text, split_walk


@pytest.mark.parametrize(
    ("text", "job", "name"),
    [
        ("dev-12", "dev-12", ""),
        ("dev-12/", "dev-12", ""),
        ("dev-12/a/b:c", "dev-12", "a/b:c"),
        ("build-7:sales/bad", "build-7:sales", "bad"),
        (":import", ":import", ""),
        (":import:sales", ":import:sales", ""),
        (":import:sales/bad", ":import:sales", "bad"),
        (":anna/import/2019-12:sales", ":anna/import/2019-12:sales", ""),
        (":anna/import/2019-12^:sales/a/b:c", ":anna/import/2019-12^:sales", "a/b:c"),
        (":import/2019-12-09T12:19:04", ":import/2019-12-09T12:19:04", ""),
        (":import/2019-12-09T12:19:04:sales/bad", ":import/2019-12-09T12:19:04:sales", "bad"),
        (":import/2019-12-09 12:19:/bad", ":import/2019-12-09 12:19:", "bad"),
    ],
)
def test_a_text_names_a_job_and_a_dataset_of_it(text: str, job: str, name: str) -> None:
    assert split_text(text) == (job, name)


@pytest.mark.parametrize(
    ("name", "start", "steps"),
    [
        ("movies", "movies", []),
        ("", "", []),
        ("~", "", [("~", 1)]),
        ("movies~2^", "movies", [("~", 2), ("^", 1)]),
        ("a~1b^3", "a~1b", [("^", 3)]),
    ],
)
def test_a_way_to_a_dataset_has_a_start_and_steps(
    name: str, start: str, steps: list[tuple[str, int]]
) -> None:
    assert split_walk(name) == (start, tuple(steps))

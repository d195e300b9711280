"""Datasets as users hold them: names, what the head says, chains, and jobs that are gone."""

import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cas.memory import MemoryStore
from cas.oid import ObjectId
from jobs import context
from jobs.dataset.dataset import Dataset, NoDataset
from jobs.dataset.lists import DatasetChain
from jobs.errors import DatasetError, NoSuchDataset, NoSuchJob
from tests.jobs.dataset.owners import FewJobs

FIVE = [[(1,), (2,)], [(3,)], [(4,), (5,)]]


@pytest.fixture
def dataset(jobs: FewJobs) -> Dataset:
    return jobs.write({"a": "int64"}, FIVE, name="movies", caption="films", filename="films.csv")


def link(jobs: FewJobs, count: int) -> list[Dataset]:
    chain: list[Dataset] = []
    for number in range(count):
        previous = chain[-1] if chain else None
        chain.append(jobs.write({"n": "int64"}, [[(number,)], [], []], previous=previous))
    return chain


def test_a_dataset_is_its_text_and_what_its_head_says(dataset: Dataset) -> None:
    assert dataset == "dev-1/movies"
    assert (dataset.name, dataset.lines, dataset.shape) == ("movies", (2, 1, 2), (1, 5))
    assert (dataset.caption, dataset.filename, dataset.hashlabel) == ("films", "films.csv", None)
    assert (dataset.previous, dataset.parent) == (None, None)
    assert (dataset.min("a"), dataset.max("a")) == (1, 5)


def test_min_of_a_column_that_is_not_there_is_an_error(dataset: Dataset) -> None:
    with pytest.raises(DatasetError, match="dataset 'dev-1/movies' has no column 'b'"):
        dataset.min("b")


def test_a_dataset_is_opened_by_its_head_alone(dataset: Dataset) -> None:
    store = dataset.store
    assert isinstance(store, MemoryStore)
    head = store.get(dataset.node)
    store.objects.clear()
    store.put(head)
    again = Dataset.of(dataset.job, "movies", dataset.node)
    assert again.columns["a"].max == 5
    assert again.shape == (1, 5)


def test_naming_a_dataset_reads_nothing(jobs: FewJobs, dataset: Dataset) -> None:
    store = jobs.store
    assert isinstance(store, MemoryStore)
    store.objects.clear()
    assert Dataset.of(dataset.job, "movies", dataset.node) == dataset


def test_opening_a_dataset_does_not_load_numpy() -> None:
    source = "import jobs.dataset.dataset, sys; sys.exit('numpy' in sys.modules)"
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", source], cwd=root, check=False).returncode == 0


def test_looking_at_the_label_is_noted(jobs: FewJobs, dataset: Dataset) -> None:
    noted = jobs.jobs[0].noted
    list(dataset.iterate(None, "a"))
    assert dataset.spec == "dev-1/movies"
    assert noted == []
    assert dataset.job == jobs.jobs[0]
    assert str(dataset) == f"{dataset}" == "dev-1/movies"
    assert len(noted) == 3


def test_a_dataset_stands_in_a_node_by_head_and_name(dataset: Dataset) -> None:
    assert dataset.to_reference() == {"$dataset": {"name": "movies", "node": dataset.node}}


# ---- names


@pytest.fixture
def named(jobs: FewJobs, monkeypatch: pytest.MonkeyPatch) -> Iterator[FewJobs]:
    class Project:
        def get_job(self, text: str) -> Any:
            for job in jobs.jobs:
                if job.label == text:
                    return job
            raise NoSuchJob(f"no job '{text}'")

    before = context.enter(Project())  # type: ignore[arg-type]
    yield jobs
    context.enter(before)


def test_a_text_leads_from_dataset_to_dataset(named: FewJobs) -> None:
    first, second = link(named, 2)
    movies = second.job.write({"b": "int64"}, [[(5,)], [], []], name="movies", parent=first)
    assert Dataset("dev-2/~") == Dataset("dev-2/default~1") == Dataset("dev-2/movies^") == first
    assert movies.parent == first
    with pytest.raises(NoSuchDataset, match="dataset 'dev-1/default' has no previous"):
        Dataset("dev-2/~2")
    with pytest.raises(NoSuchDataset, match="no dataset 'film"):
        Dataset("dev-2/film~")


def test_a_text_names_a_dataset_in_a_project(named: FewJobs) -> None:
    job = named.new()
    default = job.write({"a": "int64"}, FIVE)
    odd = job.write({"a": "int64"}, FIVE, name="a/b c")
    assert Dataset("dev-1") == Dataset("dev-1/") == Dataset("dev-1/default") == default
    assert Dataset("dev-1/a/b c").node == odd.node
    assert Dataset("dev-1", "a/b c") == odd
    with pytest.raises(NoSuchJob):
        Dataset("dev-7")


def test_a_job_and_a_name_name_a_dataset(dataset: Dataset) -> None:
    assert Dataset(dataset.job, "movies") == dataset
    assert Dataset(dataset) is dataset


def test_the_parameter_of_a_job_names_a_dataset(jobs: FewJobs, dataset: Dataset) -> None:
    job = jobs.new()
    job.params["datasets"] = {"source": dataset, "unset": None, "many": [dataset]}
    assert Dataset({job: "source"}) is dataset
    assert Dataset({job: "unset"}) is NoDataset
    assert Dataset({"": "source"}) is NoDataset
    with pytest.raises(NoSuchDataset, match="job 'dev-2' has no dataset parameter 'sourc'"):
        Dataset({job: "sourc"})
    with pytest.raises(DatasetError, match="is a list of datasets"):
        Dataset({job: "many"})


# ---- chains


def test_a_chain_is_oldest_first(jobs: FewJobs) -> None:
    links = link(jobs, 5)
    newest = links[-1]
    assert isinstance(newest.chain(), DatasetChain)
    assert newest.chain() == links
    assert newest.chain(reverse=True) == links[::-1]
    assert newest.chain(2) == links[3:]
    assert newest.chain(0) == []
    assert newest.chain(stop_ds=links[1]) == links[2:]
    assert newest.chain(stop_ds=newest) == []
    assert newest.chain(stop_ds=NoDataset) == links
    assert newest.previous == links[3]
    assert list(newest.iterate_chain(0, "n")) == [0, 1, 2, 3, 4]
    assert list(newest.iterate_chain(0, "n", 2, reverse=True)) == [4, 3]


def test_a_chain_within_a_job_ends_where_another_job_begins(jobs: FewJobs) -> None:
    before = link(jobs, 2)[-1]
    job, links = jobs.new(), []
    for name in ("a", "b", "c"):
        links.append(
            job.write({"n": "int64"}, [[]] * jobs.slices, name=name, previous=(links or [before])[-1])
        )
    assert links[-1].chain_within_job() == links
    assert links[-1].chain_within_job(2, reverse=True) == links[:0:-1]
    assert before.chain_within_job() == [before]


def test_a_text_with_blanks_is_quoted_for_a_shell(jobs: FewJobs) -> None:
    job = jobs.new()
    assert job.write({"n": "int64"}, [[]] * jobs.slices, name="a b").quoted == "'dev-1/a b'"
    assert jobs.new().write({"n": "int64"}, [[]] * jobs.slices).quoted == "dev-2/default"


def test_a_chain_may_stop_at_what_a_job_was_given(jobs: FewJobs) -> None:
    links = link(jobs, 4)
    job = jobs.new()
    job.params["datasets"] = {"source": links[1]}
    assert links[3].chain(stop_ds={job: "source"}) == links[2:]
    assert links[3].chain(stop_ds={"": "source"}) == links


def test_a_long_chain_is_known_after_few_heads(jobs: FewJobs) -> None:
    links = link(jobs, 200)
    store = jobs.store
    assert isinstance(store, MemoryStore)
    read: list[str] = []
    get = store.get

    def counting_get(oid: ObjectId) -> bytes:
        read.append(oid)
        return get(oid)

    store.get = counting_get  # type: ignore[method-assign]
    fresh = Dataset.of(links[-1].job, "default", links[-1].node)
    assert fresh.chain() == links
    assert len(read) == 199 - 192 + 1 + 3


def test_a_dataset_whose_job_is_gone_is_there_under_a_short_id(jobs: FewJobs) -> None:
    first, second = link(jobs, 2)
    jobs.jobs[0].nodes.clear()
    found = second.previous
    assert found == f"{first.node[:12]}/default"
    assert list(found.iterate(0, "n")) == [0]
    assert [each.node for each in second.chain()] == [first.node, second.node]
    with pytest.raises(NoSuchJob, match="no job here has the dataset"):
        _ = found.job


# ---- no dataset


def test_no_dataset_is_falsy_and_empty() -> None:
    assert not NoDataset
    assert NoDataset.columns == {}
    assert NoDataset.lines[5] == 0
    assert sum(NoDataset.lines) == 0
    assert NoDataset.shape == (0, 0)
    assert NoDataset.chain() == []
    assert list(NoDataset.iterate(0, "a")) == []
    assert list(NoDataset.iterate_chain(0, "a")) == []
    assert (NoDataset.previous, NoDataset.parent, NoDataset.job) == (None, None, None)
    assert pickle.loads(pickle.dumps(NoDataset)) is NoDataset
    assert Dataset("") is NoDataset


def test_no_dataset_may_be_the_previous_of_another(jobs: FewJobs) -> None:
    dataset = jobs.write({"a": "int64"}, FIVE, previous=NoDataset, parent=NoDataset)
    assert dataset.previous is None

"""Datasets that a method links and merges itself: names, chains, and where that can be done."""

import pytest

from tests.projects import Folder

FILES = {
    "mine/a_make.py": """
        options = dict(start=0)
        datasets = ("previous",)

        def prepare(job, datasets):
            return job.datasetwriter(
                columns=dict(a="int64", b="int64"), previous=datasets.previous, filename="made.csv"
            )

        def analysis(sliceno, prepare_res, options):
            prepare_res.write(options.start + sliceno, 2)
    """,
    "mine/a_link.py": """
        datasets = ("source", "previous")
        options = dict(how={})

        def prepare(datasets, options):
            linked = datasets.source.link_to_here(**options.how)
            assert list(linked.iterate(None, "a")) == list(datasets.source.iterate(None, "a"))

        def synthesis(datasets, options):
            linked = datasets.source.link_to_here("second", rename={"a": "A"}, override_previous=datasets.previous)
            merged = linked.merge(datasets.source, "merged", previous=datasets.source)
            return [linked.previous, sorted(merged.columns), merged.parent, merged.previous.name]
    """,
    "mine/a_late.py": """
        datasets = ("source",)

        def analysis(sliceno, datasets):
            datasets.source.link_to_here()

        def synthesis():
            pass
    """,
    "mine/a_twice.py": """
        datasets = ("source",)

        def synthesis(datasets):
            datasets.source.link_to_here()
            datasets.source.link_to_here()
    """,
    "build.py": """
        def main(urd):
            one = urd.build("make")
            two = urd.build("make", start=10, previous=one)
            job = urd.build("link", source=two, previous=one)
            assert job.load() == [one.dataset(), ["A", "a", "b"], (job.dataset("second"), two.dataset()), "default"]
            assert job.dataset().previous == one.dataset()
            assert job.dataset().filename == "made.csv"
            assert job.dataset("merged").filename is None
            assert {each.name for each in job.datasets} == {"default", "second", "merged"}
            told = urd.build("link", source=two, how=dict(override_previous=None, filename="", column_filter=["a"]))
            assert told.dataset().previous is None
            assert told.dataset().filename is None
            assert set(told.dataset().columns) == {"a"}
    """,
    "build_late.py": """
        def main(urd):
            urd.build("late", source=urd.build("make"))
    """,
    "build_twice.py": """
        def main(urd):
            urd.build("twice", source=urd.build("make"))
    """,
    "build_outside.py": """
        def main(urd):
            urd.build("make").dataset().link_to_here()
    """,
}


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path, FILES)


def test_a_running_job_links_and_merges_datasets(folder):
    assert "4 jobs built" in folder.acc("build")
    assert "4 jobs, all reused" in folder.acc("build")


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("late", "datasets are linked and merged in prepare and synthesis, not in analysis"),
        ("twice", "dataset 'default' is written twice"),
        ("outside", "datasets are linked and merged in a running job"),
    ],
)
def test_where_no_dataset_can_be_linked_that_is_said(folder, script, error):
    assert error in folder.acc("build", script, code=1)

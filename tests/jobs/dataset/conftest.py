import pytest

from tests.jobs.dataset.owners import FewJobs, OneJob


@pytest.fixture
def jobs() -> FewJobs:
    return FewJobs()


@pytest.fixture
def job(jobs: FewJobs) -> OneJob:
    return jobs.new()

import os
from collections.abc import Iterator

import pytest

from jobs.execution.executors.processes import ProcessExecutor
from jobs.execution.executors.serial import SerialExecutor
from tests.suites.executor import ExecutorSuite


class TestSerialExecutor(ExecutorSuite):
    @pytest.fixture
    def executor(self) -> SerialExecutor:
        return SerialExecutor()


class TestProcessExecutor(ExecutorSuite):
    @pytest.fixture
    def executor(self) -> Iterator[ProcessExecutor]:
        executor = ProcessExecutor(os.environ, 2)
        yield executor
        executor.close()

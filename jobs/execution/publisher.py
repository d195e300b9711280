"""From the last event of a job to its nodes, one pack and one ref transaction; now, and only now, it exists."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from cas.errors import AccError
from cas.formats.node import put_node
from cas.oid import ObjectId
from jobs.errors import SpoiledOutcome, UndeclaredReads
from jobs.execution.events import Failed, FileRead, Finished
from jobs.execution.inside.reads import stat_of
from jobs.execution.jobdir import put_file
from jobs.execution.plan import Listener, Site
from jobs.execution.running import Running, size_and_time
from jobs.facets.runs import make_row, post
from jobs.nodes.facts import Fact, undeclared, undeclared_in_words
from jobs.nodes.job import JobNode
from jobs.nodes.listing import JobRow
from jobs.nodes.run import Failure, Run, Subjob
from jobs.reuse.hit import MISSING
from jobs.reuse.index import JobIndex
from jobs.reuse.pathnames import PathNames, content_of

_CHANGED = "changed while it was read"


class Publisher:
    """Publishes runs.

    Parameters
    ----------
    file_id
        Gives the content id of a file, as it is now.
    is_news
        Says whether the user has not been told a text yet, which he then has.
    trusts
        Says whether a run was made here, or came from where all is trusted.
    """

    def __init__(
        self,
        *,
        index: JobIndex,
        site: Site,
        listener: Listener,
        file_id: Callable[[Path], ObjectId],
        is_news: Callable[[str], bool],
        trusts: Callable[[ObjectId], bool],
    ) -> None:
        self._index = index
        self._site = site
        self._listener = listener
        self._file_id = file_id
        self._is_news = is_news
        self._trusts = trusts
        self._names = PathNames(site.root, site.input_directory)

    def publish(self, running: Running, last: Finished, end: Callable[[], None]) -> JobRow:
        """Return the row of a job that finished, once it exists.

        Parameters
        ----------
        end
            Returns when no process of the job is left; no file of it is taken in before, and no ref set.

        Raises
        ------
        SpoiledOutcome
            When a registered file is gone, an input file changed, or one was read that should have been declared;
            nothing is published then.
        """
        plan, staging = running.plan, running.staging
        if last.pending:
            end()
        outcome = running.take_in(last)
        outcome_id = put_node(staging, outcome)
        facts = (*last.facts, *map(self._fact_of_read, last.reads))
        if plan.strict and (names := undeclared(facts)):
            raise UndeclaredReads(undeclared_in_words("it", names))
        run = replace(
            self._run_node(running),
            job=put_node(staging, JobNode(plan.parts.source, outcome_id)),
            facts=(*plan.learned, *(fact for fact in facts if fact not in plan.learned)),
            subjobs=tuple(Subjob(run, built) for run, built in last.subjobs),
            kept_inputs=self._take_inputs(running),
        )
        row = make_row(put_node(staging, run), run, outcome_id)
        row = row._replace(earlier="" if plan.forced else self._earlier(running, outcome_id))
        self._warn_if_differs(row)
        staging.publish()
        end()
        running.scratch.clear()
        running.directory.tidy()
        running.directory.write_post(post(outcome, run, self._subjob_labels(run)))
        self._index.publish(row, last.datasets)
        self._warn_of_reads(row, undeclared(facts))
        return row

    def publish_failed(self, running: Running, last: Failed) -> JobRow:
        """Return the row of a run that failed, once it is published; its directory stays as it is."""
        running.put_source()  # it may have been interrupted before
        failure = Failure(last.message, last.stage, last.sliceno, last.traceback)
        run = replace(self._run_node(running), failure=failure)
        run_id = put_node(running.staging, run)
        running.directory.keep_output(running.scratch.outputs())
        running.staging.publish()
        running.scratch.clear()
        row = make_row(run_id, run, None)
        self._index.publish(row, {})
        return row

    # -- nodes -------------------------------------------------------------------------------------------------

    def _run_node(self, running: Running) -> Run:
        plan, site = running.plan, self._site
        return Run(
            job=None,
            source=plan.parts.source,
            key=plan.key,
            label=running.label,
            method=plan.method.name,
            times=running.clock.times(),
            caption=plan.caption,
            why=running.why,
            parent=plan.parent,
            inputs=plan.inputs,
            environment=plan.parts.environment,
            versions=site.versions,
            host=site.host,
            user=site.user,
            output={part: running.staging.put(text) for part, text in running.scratch.outputs().items()},
        )

    def _take_inputs(self, running: Running) -> dict[str, ObjectId]:
        """Return the declared input files that are stored, once it is clear that all are still what they were."""
        kept = {}
        for file in running.plan.input_files:
            if self._site.keep_inputs:
                with file.open() as stream:
                    kept[str(file)] = now = put_file(stream, running.staging).blob
            else:
                now = self._now_id(file.path)
            if now != file.content or size_and_time(file.path) != running.input_stats.get(file.path):
                raise SpoiledOutcome(f"input file '{file}' changed while the job ran")
        return kept

    def _now_id(self, path: Path) -> ObjectId:
        try:
            return content_of(path, self._file_id)
        except (OSError, AccError):
            return ObjectId(MISSING)

    def _fact_of_read(self, read: FileRead) -> Fact:
        name = self._names.name_of(read.path)
        if read.stat is None:
            return Fact("read", name, MISSING)
        content = self._now_id(Path(read.path))
        # what was hashed must be what was read, or the fact would vouch for bytes that nobody saw
        return Fact("read", name, content if stat_of(read.path) == read.stat else _CHANGED)

    def _earlier(self, running: Running, outcome: ObjectId) -> str:
        """Return the label of the first job with that outcome, or "" when there is none, or it is gone."""
        first = self._index.find_first_of_outcome(outcome)
        if first and not self._trusts(first.run):
            first = next(
                (row for row in self._index.of_outcome(outcome)[::-1] if self._trusts(row.run)), None
            )
        return first.label if first and running.staging.has(first.run) else ""

    def _subjob_labels(self, run: Run) -> dict[str, bool]:
        rows = ((self._index.of_run(subjob.run), subjob.built) for subjob in run.subjobs)
        return {row.label: built for row, built in rows if row is not None}

    # -- warnings ----------------------------------------------------------------------------------------------

    def _warn_if_differs(self, row: JobRow) -> None:
        before = self._index.find_action(row.key)
        if before is not None and not before.facts and not row.facts and before.outcome != row.outcome:
            self._listener.warn(
                f"'{row.method}' is not reproducible: '{row.label}' differs from '{before.label}'"
            )

    def _warn_of_reads(self, row: JobRow, names: Sequence[str]) -> None:
        if names and self._is_news(repr((row.method, sorted(names)))):
            self._listener.warn(undeclared_in_words(f"'{row.method}' ({row.label})", names))

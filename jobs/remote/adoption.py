"""Adoption: a run that came from elsewhere gets a label here, a job directory, and if it may be reused its action."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from posixpath import dirname
from typing import Any

from cas.formats.canonical import Json
from cas.formats.node import get_node
from cas.oid import ObjectId
from cas.store import Store
from jobs.execution.jobdir import JobDirectory
from jobs.execution.setup import in_words
from jobs.facets.runs import SETUP_VERSION, post
from jobs.method.stored import module_name
from jobs.nodes.listing import JobRow
from jobs.nodes.references import DATASET, INPUT, JOB, WITHFILE, from_structure, walk_references
from jobs.nodes.run import FORCED, MICROSECONDS
from jobs.nodes.source import Source
from jobs.nodes.values import DotDict
from jobs.remote.claim import Claim
from jobs.reuse.index import JobIndex, TakesAction


class Adoption:
    """Gives labels to runs from elsewhere, whose nodes are in the store.

    Parameters
    ----------
    workdirs
        Where job directories are.
    input_directory
        What setup.json says of it.
    """

    def __init__(
        self, store: Store, index: JobIndex, workdirs: Mapping[str, Path], input_directory: Path
    ) -> None:
        self._store = store
        self._index = index
        self._workdirs = workdirs
        self._input_directory = input_directory

    def adopt(
        self, claim: Claim, *, origin: str, workdir: str, number: int = 0, action: TakesAction = "if free"
    ) -> JobRow:
        """Return the row of a run, which is listed from now on; one that has a label here keeps it.

        Parameters
        ----------
        claim
            The run, as `read_claim` has checked it.
        origin
            The remote that it came from.
        workdir
            Of which it gets the next free number; what it is called elsewhere is another job here.
        number
            Which it gets if neither that nor a higher one is taken.
        action
            Whether its key leads to it from now on: "if free", when it leads nowhere; "never", when nobody trusts
            who wrote it.
        """
        row = self._index.of_run(claim.oid)
        if row is not None:
            self._index.take_action(row, action)
            return row
        last = max(self._index.last_number(workdir), number - 1)
        directory, number = JobDirectory.claim(workdir, self._workdirs[workdir], last)
        row = claim.row(origin)._replace(workdir=workdir, number=number, earlier=self._earlier(claim))
        try:
            directory.write_setup(self._setup(claim, row))
            directory.write_post(post(claim.outcome, claim.run, self._subjobs(claim)))
            listed = self._index.publish(row, claim.outcome.datasets, action)
        except BaseException:
            shutil.rmtree(directory.path, ignore_errors=True)
            raise
        if listed.label != row.label:
            shutil.rmtree(directory.path, ignore_errors=True)  # somebody else was quicker
        return listed

    def _earlier(self, claim: Claim) -> str:
        """Return the label of the first job here with that outcome, as if the run had been cut off early here."""
        first = self._index.find_first_of_outcome(claim.outcome_id)
        return first.label if first and claim.run.why != FORCED and self._store.has(first.run) else ""

    def _subjobs(self, claim: Claim) -> dict[str, bool]:
        rows = ((self._index.of_run(subjob.run), subjob.built) for subjob in claim.run.subjobs)
        return {row.label: built for row, built in rows if row is not None}

    def _setup(self, claim: Claim, row: JobRow) -> dict[str, Any]:
        """Return what setup.json says: as of a job that ran here, but for a parent, which it has elsewhere."""
        run = claim.run
        return DotDict(
            version=SETUP_VERSION,
            jobid=row.label,
            method=run.method,
            package=module_name(dirname(get_node(self._store, run.source, Source).main)),
            caption=run.caption,
            slices=claim.outcome.slices,
            hash=run.source,
            parent="",
            starttime=run.times.start / MICROSECONDS,
            input_directory=str(self._input_directory),
            versions=dict(run.versions),
            why=run.why,
            # what is nowhere else, should refs be lost
            run=claim.oid,
            origin=row.origin,
            **self._inputs(claim),
        )

    def _inputs(self, claim: Claim) -> dict[str, Any]:
        """Return options, datasets and jobs in words, jobs by the labels that they have here."""
        structure = claim.outcome.inputs.to_json()
        names = {
            id(found.content): self._name(claim, found.path, found.tag, found.content)
            for found in walk_references(structure)
        }
        words = in_words(from_structure(structure, lambda _, content: names[id(content)]))
        assert isinstance(words, dict)
        return words

    def _name(self, claim: Claim, path: str, tag: str, content: Json) -> str:
        """Return what a reference stands for, as people name it."""
        told = content if isinstance(content, dict) else {}
        if tag == INPUT:
            return str(told["name"])
        origin = claim.run.find_input(path)
        row = self._index.of_run(origin) if origin else None
        if row is None and tag == JOB:
            row = self._index.find_first_of_outcome(ObjectId(str(content)))
        label = row.label if row else str(origin or told.get("node") or content)[:12]
        return label + {DATASET: "/", WITHFILE: ":"}.get(tag, "") + str(told.get("name", ""))

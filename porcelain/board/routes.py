"""Which page stands at which address, and which of them may be slow."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from starlette.responses import Response

from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, Page
from porcelain.board.pages import (
    builds,
    compare,
    datasets,
    explained,
    files,
    graph,
    job,
    jobs,
    live,
    methods,
    outputs,
    results,
    rows,
    search,
    sources,
    store,
    urd,
    users,
    workdirs,
)

Shows: TypeAlias = Callable[[ShownProject, Asked], Page | Response]

PAGES: Final[Sequence[tuple[str, Shows]]] = (
    ("/", results.results),
    ("/result/{name:text}", results.result),
    ("/jobs", jobs.jobs),
    ("/job/{spec}", job.job),
    ("/job/{spec}/users", users.users),
    ("/job/{spec}/shared", users.shared),
    ("/job/{spec}/why", explained.why),
    ("/job/{spec}/output", outputs.output),
    ("/job/{spec}/output/{part}", outputs.text),
    ("/job/{spec}/source", sources.source),
    ("/job/{spec}/source.tar.gz", sources.archive),
    ("/job/{spec}/source/{path:text}", sources.file),
    ("/live", live.live),
    ("/last_error", live.last_error),
    ("/builds", builds.builds),
    ("/build/{name}", builds.build),
    ("/compare", compare.compare),
    ("/compare/outcomes", compare.outcomes),
    ("/urd", urd.urd),
    ("/urd/{user}/{list}", urd.sessions),
    ("/urd/{user}/{list}/graph", urd.session_graph),
    ("/urd/{user}/{list}/graph.svg", urd.file_of_session_graph),
    ("/methods", methods.methods),
    ("/method/{name}", methods.method),
    ("/script/{name}", methods.script),
    ("/workdirs", workdirs.workdirs),
    ("/file/{spec}/{name:text}", files.file),
    ("/raw/{spec}/{name:text}", files.raw),
    ("/holders/{blob}", files.holders),
    ("/job/{spec}/graph", graph.of_job),
    ("/job/{spec}/graph.svg", graph.file_of_job),
    ("/build/{name}/graph", graph.of_build),
    ("/build/{name}/graph.svg", graph.file_of_build),
    # before the datasets: their names may have slashes
    ("/dataset/{label}/{name:text}/graph", graph.of_dataset),
    ("/dataset/{label}/{name:text}/graph.svg", graph.file_of_dataset),
    ("/dataset/{label}/{name:text}", datasets.dataset),
    ("/column/{label}/{name:text}", datasets.column),
    ("/chain/{label}/{name:text}", datasets.chain),
    ("/rows/{label}/{name:text}", rows.rows),
    ("/csv/{label}/{name:text}", rows.csv),
    ("/search", search.search),
    ("/store", store.store),
)
# what may take longer than a page should, and how many of each are made at once
SLOW: Final[Mapping[Shows, int]] = {
    compare.compare: 2,
    compare.outcomes: 2,
    # the columns of a page are all asked for at once, and would see little of the time that each has
    datasets.column: 2,
    # methods are read as they are now, in processes of their own
    explained.why: 1,
    files.holders: 2,
    graph.of_build: 2,
    graph.of_job: 2,
    rows.rows: 4,
}

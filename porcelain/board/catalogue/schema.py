"""The tables of the catalogue."""

from typing import Final

# raised when a table changes: a database of another format is thrown away and filled again
FORMAT: Final = 2
MICROS_OF_DAY: Final = 86_400_000_000

# letters and numbers of all scripts, and pictures such as emoji; "_", "-" and "." separate words
_TOKENS: Final = "tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* Co So'\""

# what of a job is searched, in this order in its table
FIELDS: Final = ("label", "method", "caption", "options", "files", "datasets", "columns", "failure")

# Each of these holds all that a list is filtered by, so that a page of it is found in one index, wherever it begins.
_SORTED: Final = {
    "ended": "ended",
    "micros": "micros",
    "method": "method, ended",
    "label": "workdir, number",
    "stored": "stored",
}
_JOBS_SORTED: Final = "".join(
    f"CREATE INDEX jobs_by_{name} ON jobs ({columns}, {', '.join(rest)});\n"
    for name, columns in _SORTED.items()
    for rest in [[each for each in ("workdir", "method", "state") if each not in columns.split(", ")]]
)

# not "OR IGNORE": in a trigger the statement that sets it off says what a conflict means
_DAY_EXISTS: Final = (
    f"INSERT INTO days SELECT new.first / {MICROS_OF_DAY}, 0, 0, 0, 0, 0"
    f" WHERE NOT EXISTS (SELECT 1 FROM days WHERE day = new.first / {MICROS_OF_DAY});"
)

# what a list offers to choose from, with the number of jobs of each
COUNTED: Final = ("workdir", "method", "state")
_COUNT_UP: Final = "\n".join(
    f"INSERT INTO counts SELECT '{kind}', new.{kind}, 0"
    f" WHERE NOT EXISTS (SELECT 1 FROM counts WHERE kind = '{kind}' AND value = new.{kind});"
    f" UPDATE counts SET jobs = jobs + 1 WHERE kind = '{kind}' AND value = new.{kind};"
    for kind in COUNTED
)
_COUNT_DOWN: Final = "\n".join(
    f"UPDATE counts SET jobs = jobs - 1 WHERE kind = '{kind}' AND value = old.{kind};" for kind in COUNTED
)
_COUNTED: Final = f"""
CREATE TRIGGER job_comes AFTER INSERT ON jobs BEGIN {_COUNT_UP} END;
CREATE TRIGGER job_goes AFTER DELETE ON jobs BEGIN {_COUNT_DOWN} END;
"""

# A job's id is when it ended, in microseconds, or a little later when another ended just then: by it the newest come
# first, also among what a search finds. `counts` and `days` are kept by triggers: to add up all jobs and objects takes
# too long for a page.
SCHEMA: Final = f"""
CREATE TABLE notes (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY, workdir TEXT, number INTEGER, run TEXT, method TEXT, state TEXT, ended INTEGER,
    micros INTEGER, caption TEXT, raw INTEGER, stored INTEGER, lacking INTEGER
);
CREATE UNIQUE INDEX jobs_labels ON jobs (workdir, number);
CREATE INDEX jobs_runs ON jobs (run);
CREATE INDEX jobs_unread ON jobs (id) WHERE stored IS NULL;
CREATE INDEX jobs_lacking ON jobs (id) WHERE lacking;
{_JOBS_SORTED}
CREATE TABLE counts (kind TEXT, value TEXT, jobs INTEGER, PRIMARY KEY (kind, value)) WITHOUT ROWID;
CREATE INDEX counts_by_jobs ON counts (kind, jobs);
{_COUNTED}
CREATE VIRTUAL TABLE texts USING fts5({", ".join(FIELDS)}, places UNINDEXED, prefix = '1 2 3', {_TOKENS});

CREATE TABLE objects (
    id INTEGER PRIMARY KEY, oid BLOB UNIQUE, raw INTEGER, stored INTEGER, holders INTEGER, first INTEGER
);
CREATE TABLE held (job INTEGER, object INTEGER, PRIMARY KEY (job, object)) WITHOUT ROWID;
CREATE INDEX held_by_object ON held (object, job);
CREATE TABLE given (thing INTEGER, job INTEGER, how INTEGER, PRIMARY KEY (thing, job)) WITHOUT ROWID;
CREATE INDEX given_to ON given (job);
CREATE TABLE days (
    day INTEGER PRIMARY KEY, objects INTEGER, raw INTEGER, stored INTEGER, held_raw INTEGER, held_stored INTEGER
);
CREATE TRIGGER object_comes AFTER INSERT ON objects BEGIN
    {_DAY_EXISTS}
    UPDATE days SET objects = objects + 1, raw = raw + new.raw, stored = stored + new.stored,
        held_raw = held_raw + new.raw * new.holders, held_stored = held_stored + new.stored * new.holders
        WHERE day = new.first / {MICROS_OF_DAY};
END;
CREATE TRIGGER object_goes AFTER DELETE ON objects BEGIN
    UPDATE days SET objects = objects - 1, raw = raw - old.raw, stored = stored - old.stored,
        held_raw = held_raw - old.raw * old.holders, held_stored = held_stored - old.stored * old.holders
        WHERE day = old.first / {MICROS_OF_DAY};
END;
CREATE TRIGGER object_changes AFTER UPDATE OF holders, first ON objects BEGIN
    UPDATE days SET objects = objects - 1, raw = raw - old.raw, stored = stored - old.stored,
        held_raw = held_raw - old.raw * old.holders, held_stored = held_stored - old.stored * old.holders
        WHERE day = old.first / {MICROS_OF_DAY};
    {_DAY_EXISTS}
    UPDATE days SET objects = objects + 1, raw = raw + new.raw, stored = stored + new.stored,
        held_raw = held_raw + new.raw * new.holders, held_stored = held_stored + new.stored * new.holders
        WHERE day = new.first / {MICROS_OF_DAY};
END;

CREATE TABLE things (id INTEGER PRIMARY KEY, kind TEXT, name TEXT, oid TEXT, blob TEXT, UNIQUE (kind, name));
CREATE INDEX things_of ON things (blob) WHERE blob IS NOT NULL;
CREATE VIRTUAL TABLE thing_texts USING fts5(name, text, prefix = '1 2 3', {_TOKENS});

CREATE TABLE places (name TEXT PRIMARY KEY, stamp INTEGER, objects INTEGER, raw INTEGER, stored INTEGER) WITHOUT ROWID;
"""

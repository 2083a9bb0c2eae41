"""The schema of the store's SQLite file, its format number, and the settings that are fixed when a file is created.

`objects` and `actions` are rowid tables on purpose: their rows are appended, and only the narrow index of their keys is
written at random places. WITHOUT ROWID would write whole rows at random places; measured, that halves the commits per
second. Pages of 8 KB hold three values of 2 KB, while pages of 4 KB hold one.

Later additions to the schema are made when an older file is opened (migrations).

Format 2: the rows that bind a name to a value have seals (seals). Older programs, which would write none, refuse the file.
"""

FORMAT = 2
APPLICATION_ID = 0x5EEDBA4C
PAGE_BYTES = 8192

# objects.data is NULL if the bytes are in a file.
SCHEMA = """
CREATE TABLE objects (content_digest TEXT NOT NULL UNIQUE, size_bytes INTEGER NOT NULL, compressed INTEGER NOT NULL,
    data BLOB);
CREATE TABLE actions (action_key TEXT NOT NULL UNIQUE, stage TEXT NOT NULL, content_digest TEXT NOT NULL,
    type_name TEXT NOT NULL, parts TEXT NOT NULL, provenance TEXT NOT NULL, created_at REAL NOT NULL, seal INTEGER,
    parts_seal INTEGER, provenance_seal INTEGER);
CREATE TABLE refs (stage TEXT NOT NULL, partition TEXT NOT NULL, action_key TEXT NOT NULL,
    content_digest TEXT NOT NULL, run_id TEXT NOT NULL, state TEXT NOT NULL, published_at REAL NOT NULL, seal INTEGER,
    PRIMARY KEY (stage, partition)) WITHOUT ROWID;
CREATE TABLE failures (action_key TEXT PRIMARY KEY, stage TEXT NOT NULL, partition TEXT NOT NULL,
    reason TEXT NOT NULL, remedy TEXT NOT NULL, transient INTEGER NOT NULL, failed_at REAL NOT NULL, seal INTEGER,
    settings TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
CREATE TABLE owners (owner TEXT PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, started_at REAL NOT NULL,
    heartbeat_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE quarantine (content_digest TEXT NOT NULL, found_digest TEXT NOT NULL, found_at REAL NOT NULL, data BLOB);
"""

ADDED = """
CREATE TABLE IF NOT EXISTS requests (action_key TEXT NOT NULL, stage TEXT NOT NULL, model TEXT NOT NULL,
    outcome TEXT NOT NULL, detail TEXT NOT NULL, seconds REAL NOT NULL, input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL, usd REAL, response TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS requests_at ON requests (at);
CREATE TABLE IF NOT EXISTS savings (stage TEXT NOT NULL, model TEXT NOT NULL, results INTEGER NOT NULL,
    requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, usd REAL NOT NULL,
    unpriced INTEGER NOT NULL, at REAL NOT NULL);
"""

# Table -> column of the seal -> the sealed columns, in order. The parts and the provenance of an action have seals of their
# own, so that damage to them does not affect the result.
SEALS = {
    "actions": {
        "seal": ("action_key", "content_digest"),
        "parts_seal": ("action_key", "parts"),
        "provenance_seal": ("action_key", "type_name", "provenance"),
    },
    "refs": {"seal": ("stage", "partition", "action_key", "content_digest", "state")},
    "failures": {"seal": ("action_key", "stage", "partition", "reason", "remedy", "transient")},
}

"""The tables of the store's SQLite file.

What belongs here: the schema, its version, and what is decided when a file is made. What does not: using it.

`objects` and `actions` are rowid tables on purpose: their rows are appended, and only the narrow index of their keys
is written at random places. WITHOUT ROWID puts whole rows there, and halves the commits a second. Pages of 8 KB hold
three values of 2 KB, where pages of 4 KB hold one.

`requests` and `savings` came after the first files of this format. A file without them gets them when it is opened: a
program that does not know them uses the file as before.
"""

FORMAT = 1
APPLICATION_ID = 0x5EEDBA4C
PAGE_BYTES = 8192

# objects.data is NULL where the bytes are a file of their own.
SCHEMA = """
CREATE TABLE objects (content_digest TEXT NOT NULL UNIQUE, size_bytes INTEGER NOT NULL, compressed INTEGER NOT NULL,
    data BLOB);
CREATE TABLE actions (action_key TEXT NOT NULL UNIQUE, stage TEXT NOT NULL, content_digest TEXT NOT NULL,
    type_name TEXT NOT NULL, parts TEXT NOT NULL, provenance TEXT NOT NULL, created_at REAL NOT NULL);
CREATE TABLE refs (stage TEXT NOT NULL, partition TEXT NOT NULL, action_key TEXT NOT NULL,
    content_digest TEXT NOT NULL, run_id TEXT NOT NULL, state TEXT NOT NULL, published_at REAL NOT NULL,
    PRIMARY KEY (stage, partition)) WITHOUT ROWID;
CREATE TABLE failures (action_key TEXT PRIMARY KEY, stage TEXT NOT NULL, partition TEXT NOT NULL,
    reason TEXT NOT NULL, remedy TEXT NOT NULL, transient INTEGER NOT NULL, failed_at REAL NOT NULL) WITHOUT ROWID;
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

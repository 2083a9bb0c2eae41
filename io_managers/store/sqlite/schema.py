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
    parts_seal INTEGER, provenance_seal INTEGER, used_on INTEGER);
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

# The account by day (UTC), stage and model. SQLite adds each request and each finished action to it in the commit that records
# them, so it is never behind, and reading it takes milliseconds however many requests there are. Latencies are rounded to three
# digits, so that their number stays small; they are in the order in which all days are added up. `computed` counts the results
# for which requests were sent.
ACCOUNT_TABLES = """
CREATE TABLE IF NOT EXISTS spending (day TEXT NOT NULL, stage TEXT NOT NULL, model TEXT NOT NULL, outcome TEXT NOT NULL,
    requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, usd REAL NOT NULL,
    unpriced INTEGER NOT NULL, PRIMARY KEY (day, stage, model, outcome)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latencies (day TEXT NOT NULL, stage TEXT NOT NULL, model TEXT NOT NULL, seconds REAL NOT NULL,
    requests INTEGER NOT NULL, PRIMARY KEY (stage, model, seconds, day)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS computed (day TEXT NOT NULL, stage TEXT NOT NULL, model TEXT NOT NULL, results INTEGER NOT NULL,
    PRIMARY KEY (day, stage, model)) WITHOUT ROWID;
"""
_ROUNDED = "CAST(printf('%.2e', {seconds}) AS REAL)"
_PAID = "instr({provenance}, '\"requests\":') > 0"
_MODEL = "CASE WHEN json_valid({provenance}) THEN coalesce(json_extract({provenance}, '$.model'), '') ELSE '' END"
# What one row of `requests` or `actions` adds to the tables above: the columns of each table.
SPENDING_OF = "date({0}at, 'unixepoch'), {0}stage, {0}model, {0}outcome, 1, {0}input_tokens, {0}output_tokens"
SPENDING_OF += ", coalesce({0}usd, 0.0), {0}usd IS NULL"
LATENCY_OF = "date({0}at, 'unixepoch'), {0}stage, {0}model, " + _ROUNDED.format(seconds="{0}seconds") + ", 1"
COMPUTED_OF = "date({0}created_at, 'unixepoch'), {0}stage, " + _MODEL.format(provenance="{0}provenance") + ", 1"
ADDED_SPENDING = (
    "ON CONFLICT DO UPDATE SET requests = requests + 1, input_tokens = input_tokens + excluded.input_tokens,"
    " output_tokens = output_tokens + excluded.output_tokens, usd = usd + excluded.usd, unpriced = unpriced + excluded.unpriced"
)
_PAID_NEW = _PAID.format(provenance="NEW.provenance")
_COMPUTED = (
    f"INSERT INTO computed VALUES ({COMPUTED_OF.format('NEW.')}) ON CONFLICT DO UPDATE SET results = results + 1"
)
ACCOUNT_TRIGGERS = (
    "CREATE TRIGGER IF NOT EXISTS request_sent AFTER INSERT ON requests BEGIN"
    f" INSERT INTO spending VALUES ({SPENDING_OF.format('NEW.')}) {ADDED_SPENDING}; END",
    "CREATE TRIGGER IF NOT EXISTS request_answered AFTER INSERT ON requests WHEN NEW.outcome = 'answered' BEGIN"
    f" INSERT INTO latencies VALUES ({LATENCY_OF.format('NEW.')}) ON CONFLICT DO UPDATE SET requests = requests + 1; END",
    f"CREATE TRIGGER IF NOT EXISTS result_computed AFTER INSERT ON actions WHEN {_PAID_NEW} BEGIN {_COMPUTED}; END",
    # A result that is computed again replaces the one that is there.
    "CREATE TRIGGER IF NOT EXISTS result_replaced AFTER UPDATE OF created_at ON actions"
    f" WHEN NEW.created_at > OLD.created_at AND {_PAID_NEW} BEGIN {_COMPUTED}; END",
)
# What fills the tables from the rows of an earlier file.
ACCOUNT_ROWS = (
    f"INSERT INTO spending SELECT {SPENDING_OF.format('')} FROM requests WHERE true {ADDED_SPENDING}",
    f"INSERT INTO latencies SELECT {LATENCY_OF.format('')} FROM requests WHERE outcome = 'answered'"
    " ON CONFLICT DO UPDATE SET requests = requests + 1",
    f"INSERT INTO computed SELECT {COMPUTED_OF.format('')} FROM actions WHERE {_PAID.format(provenance='provenance')}"
    " ON CONFLICT DO UPDATE SET results = results + 1",
)

# What bounds the store and erases from it needs. `actions.used_on` is the last day (since 1970, UTC) on which a result was found
# though nothing current refers to it, or on which a current result was replaced; NULL until then. An index by digest finds who
# shares a value. `origins` says what a result was made for: the owner is a document (or another unit), or the action inside of
# which this one was found or computed.
RETENTION_TABLES = """
CREATE TABLE IF NOT EXISTS origins (owner TEXT NOT NULL, action_key TEXT NOT NULL, PRIMARY KEY (owner, action_key))
    WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS actions_age ON actions (stage, created_at);
CREATE INDEX IF NOT EXISTS actions_digest ON actions (content_digest);
CREATE INDEX IF NOT EXISTS refs_action ON refs (action_key);
CREATE INDEX IF NOT EXISTS requests_response ON requests (response) WHERE response <> '';
"""
# The requests of which more is kept than figures: an unusable reply, or what was wrong. Erasing a document has to find them.
SAYS_MORE = "(response <> '' OR detail <> '')"
REPLIES_INDEX = f"CREATE INDEX IF NOT EXISTS requests_action ON requests (action_key) WHERE {SAYS_MORE}"
TODAY = "CAST(strftime('%s', 'now') AS INTEGER) / 86400"
_WAS_CURRENT = (
    f"UPDATE actions SET used_on = {TODAY} WHERE action_key = OLD.action_key;"
    # Not OR IGNORE: within a trigger the policy of the statement counts that has fired it.
    " INSERT INTO origins SELECT OLD.partition, OLD.action_key WHERE OLD.state = '' AND NOT EXISTS (SELECT 1 FROM origins"
    " WHERE owner = OLD.partition AND action_key = OLD.action_key)"
)
RETENTION_TRIGGERS = (
    "CREATE TRIGGER IF NOT EXISTS ref_replaced AFTER UPDATE OF action_key ON refs WHEN NEW.action_key <> OLD.action_key"
    f" BEGIN {_WAS_CURRENT}; END",
    f"CREATE TRIGGER IF NOT EXISTS ref_dropped AFTER DELETE ON refs BEGIN {_WAS_CURRENT}; END",
)

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

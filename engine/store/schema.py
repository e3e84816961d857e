"""The tables of the index, and the migrations from older versions.

A release that changes a table raises `SCHEMA` and adds the SQL that leads to it to
`MIGRATIONS`, under the version that it starts from. The index is copied to `backups/`
before it is migrated.
"""

SCHEMA = 2
WITH_FACTS = 2  # the first version whose tables hold what lists show

_FACTS = """CREATE TABLE facts (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, call TEXT NOT NULL, value REAL,
  words TEXT NOT NULL, numbers TEXT NOT NULL, tags TEXT NOT NULL,
  body TEXT NOT NULL, seal TEXT NOT NULL
) WITHOUT ROWID"""

TABLES = f"""
CREATE TABLE runs (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, workspace TEXT NOT NULL,
  state TEXT NOT NULL, title TEXT NOT NULL, about TEXT NOT NULL,
  created REAL NOT NULL, started REAL, finished REAL,
  turn INTEGER NOT NULL, attempt INTEGER NOT NULL, lost INTEGER NOT NULL,
  worker TEXT NOT NULL, stage TEXT NOT NULL, done REAL NOT NULL,
  note TEXT NOT NULL, error TEXT NOT NULL, damaged TEXT NOT NULL,
  texts TEXT NOT NULL, files INTEGER NOT NULL,
  seal TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX runs_by_age ON runs (kind, created DESC, key);
CREATE INDEX runs_by_state ON runs (state, turn);
CREATE TABLE texts (
  key TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL, seal TEXT NOT NULL,
  PRIMARY KEY (key, name)
) WITHOUT ROWID;
CREATE INDEX texts_by_name ON texts (name, key);
CREATE TABLE payloads (
  id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, kind TEXT NOT NULL,
  name TEXT NOT NULL, file TEXT NOT NULL, digest TEXT NOT NULL,
  info TEXT NOT NULL, seal TEXT NOT NULL
);
CREATE INDEX payloads_by_key ON payloads (key, id);
CREATE TABLE leases (
  token INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL,
  pid INTEGER NOT NULL, birth REAL NOT NULL, boot TEXT NOT NULL,
  began REAL NOT NULL, share REAL NOT NULL, beat REAL NOT NULL,
  longest REAL NOT NULL, revoked REAL
);
CREATE INDEX leases_by_key ON leases (key);
{_FACTS};
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('turn', 0);
"""

MIGRATIONS: dict[int, str] = {1: _FACTS}

-- Who may ask, and what they asked. No secret is here: tokens and codes are
-- known by their SHA-256, the passphrase by its argon2id.

-- Programs that registered themselves.
CREATE TABLE clients (
	id         TEXT PRIMARY KEY,
	name       TEXT NOT NULL,
	redirects  TEXT NOT NULL, -- URIs, a JSON array
	uri        TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	last_used  INTEGER NOT NULL -- 0 for never
) STRICT, WITHOUT ROWID;

-- Each yes of the owner to a client, which need not be one of the above.
CREATE TABLE grants (
	num           INTEGER PRIMARY KEY AUTOINCREMENT,
	client_id     TEXT NOT NULL,
	client_name   TEXT NOT NULL,
	redirect_host TEXT NOT NULL,
	scopes        TEXT NOT NULL,
	resource      TEXT NOT NULL,
	created_at    INTEGER NOT NULL,
	last_used     INTEGER NOT NULL, -- 0 for never
	revoked_at    INTEGER NOT NULL  -- 0 for not
) STRICT;

CREATE INDEX grants_by_client ON grants (client_id);

CREATE TABLE tokens (
	num        INTEGER PRIMARY KEY AUTOINCREMENT,
	kind       TEXT NOT NULL CHECK (kind IN ('api', 'access', 'refresh', 'code', 'once')),
	hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
	name       TEXT NOT NULL,
	scopes     TEXT NOT NULL,
	shop       TEXT NOT NULL,
	grant_num  INTEGER REFERENCES grants ON DELETE CASCADE,
	resource   TEXT NOT NULL,
	redirect   TEXT NOT NULL,
	challenge  TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL, -- 0 for never
	last_used  INTEGER NOT NULL, -- 0 for never
	revoked_at INTEGER NOT NULL, -- 0 for not
	spent_at   INTEGER NOT NULL  -- 0 for not
) STRICT;

CREATE INDEX tokens_by_grant ON tokens (grant_num) WHERE grant_num IS NOT NULL;
CREATE INDEX tokens_by_name ON tokens (name) WHERE kind = 'api';

-- One row, or none where there is no passphrase.
CREATE TABLE passphrase (
	one  INTEGER PRIMARY KEY CHECK (one = 1),
	hash TEXT NOT NULL
) STRICT;

-- Attempts at guessing, of late.
CREATE TABLE attempts (
	name  TEXT PRIMARY KEY,
	made  INTEGER NOT NULL, -- how many
	since INTEGER NOT NULL  -- the first of them
) STRICT, WITHOUT ROWID;

-- What was asked. Rows go by age alone.
CREATE TABLE calls (
	num       INTEGER PRIMARY KEY AUTOINCREMENT,
	at        INTEGER NOT NULL,
	caller    TEXT NOT NULL,
	name      TEXT NOT NULL,
	client    TEXT NOT NULL,
	address   TEXT NOT NULL,
	tool      TEXT NOT NULL,
	arguments TEXT NOT NULL,
	outcome   TEXT NOT NULL,
	took      INTEGER NOT NULL -- microseconds
) STRICT;

CREATE INDEX calls_by_time ON calls (at);

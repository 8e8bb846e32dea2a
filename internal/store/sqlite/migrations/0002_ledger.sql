-- How the stock came to be what it is: every change of a level is a movement,
-- which is appended and never altered. Products and shops are named by their
-- numbers, and outlive their rows here: see retired.

-- What was done in one go, and by whom.
CREATE TABLE deeds (
	num    INTEGER PRIMARY KEY AUTOINCREMENT,
	at     INTEGER NOT NULL,
	reason TEXT NOT NULL, -- of its movements; or 'reserve', 'release', 'lapse'
	note   TEXT NOT NULL,
	actor  TEXT NOT NULL,
	client TEXT NOT NULL,
	key    TEXT NOT NULL  -- the idempotency key, or ''
) STRICT;

CREATE TABLE movements (
	num             INTEGER PRIMARY KEY AUTOINCREMENT,
	deed            INTEGER NOT NULL REFERENCES deeds,
	grp             INTEGER NOT NULL, -- the first of the movements that are undone together
	product         INTEGER NOT NULL,
	shop            INTEGER NOT NULL,
	expiry          TEXT NOT NULL,    -- of the lot, YYYY-MM-DD; '' outside lots
	delta           INTEGER NOT NULL,
	on_hand         INTEGER NOT NULL CHECK (on_hand >= 0), -- after it
	reserved_before INTEGER NOT NULL,
	reserved        INTEGER NOT NULL CHECK (reserved BETWEEN 0 AND on_hand),
	reverses        INTEGER REFERENCES movements
) STRICT;

CREATE INDEX movements_by_level ON movements (product, shop, num);
CREATE INDEX movements_by_group ON movements (grp) WHERE grp <> num;
CREATE UNIQUE INDEX movements_by_reversed ON movements (reverses) WHERE reverses IS NOT NULL;

CREATE TRIGGER movements_never_change BEFORE UPDATE ON movements BEGIN
	SELECT RAISE(ABORT, 'movements never change');
END;

-- Demo data goes with its history.
CREATE TRIGGER movements_never_go BEFORE DELETE ON movements WHEN (SELECT NOT demo FROM catalog) BEGIN
	SELECT RAISE(ABORT, 'movements are never deleted');
END;

-- What of a level has an expiry date. The rest has none.
CREATE TABLE lots (
	product INTEGER NOT NULL,
	shop    INTEGER NOT NULL,
	expiry  TEXT NOT NULL CHECK (expiry <> ''),
	on_hand INTEGER NOT NULL CHECK (on_hand > 0),
	PRIMARY KEY (product, shop, expiry)
) STRICT, WITHOUT ROWID;

CREATE INDEX lots_by_expiry ON lots (expiry);

CREATE TABLE reservations (
	num      INTEGER PRIMARY KEY AUTOINCREMENT,
	deed     INTEGER NOT NULL REFERENCES deeds,
	product  INTEGER NOT NULL,
	shop     INTEGER NOT NULL,
	quantity INTEGER NOT NULL CHECK (quantity > 0),
	until    INTEGER NOT NULL,
	state    TEXT NOT NULL CHECK (state IN ('held', 'released', 'lapsed')),
	ended_at INTEGER CHECK ((ended_at IS NULL) = (state = 'held'))
) STRICT;

CREATE INDEX reservations_by_end ON reservations (until) WHERE state = 'held';
CREATE INDEX reservations_by_level ON reservations (product, shop, num) WHERE state = 'held';

-- What changes under an idempotency key did.
CREATE TABLE keys (
	caller  TEXT NOT NULL,
	key     TEXT NOT NULL,
	content BLOB NOT NULL, -- a hash of what was asked for
	receipt TEXT NOT NULL, -- as JSON
	PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;

-- Tokens that were used up, until they expire.
CREATE TABLE spent (
	token TEXT PRIMARY KEY,
	until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_by_end ON spent (until);

CREATE TABLE secrets (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What changed of late, for those who watch: a product in a shop, or 0 for
-- either where it is about the other alone, or for both where it is anything.
CREATE TABLE changes (
	num     INTEGER PRIMARY KEY AUTOINCREMENT,
	product INTEGER NOT NULL,
	shop    INTEGER NOT NULL
) STRICT;

CREATE TRIGGER changes_trim AFTER INSERT ON changes BEGIN
	DELETE FROM changes WHERE num <= new.num - 1000;
END;

-- Shops and products that are gone but have a history.
CREATE TABLE retired (
	kind TEXT NOT NULL CHECK (kind IN ('shop', 'product')),
	id   TEXT NOT NULL,
	num  INTEGER NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY (kind, id),
	UNIQUE (kind, num)
) STRICT, WITHOUT ROWID;

-- What was there before there was a ledger came by an import.
INSERT INTO deeds (at, reason, note, actor, client, key)
SELECT loaded_at, 'import', '', '', '', '' FROM catalog WHERE EXISTS (SELECT 1 FROM levels);

INSERT INTO movements (deed, grp, product, shop, expiry, delta, on_hand, reserved_before, reserved)
SELECT 1, row_number() OVER (ORDER BY product, shop), product, shop, '', on_hand, on_hand, 0, 0
FROM levels WHERE on_hand > 0 ORDER BY product, shop;

INSERT INTO deeds (at, reason, note, actor, client, key)
SELECT loaded_at, 'reserve', '', '', '', '' FROM catalog WHERE EXISTS (SELECT 1 FROM levels WHERE reserved > 0);

INSERT INTO reservations (deed, product, shop, quantity, until, state)
SELECT 2, product, shop, reserved, (unixepoch() + 7 * 86400) * 1000000, 'held' FROM levels WHERE reserved > 0;

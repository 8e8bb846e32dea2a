-- What a chain of shops has on its shelves. Lists that belong to one row
-- (aliases, barcodes) are JSON arrays; names in other languages a JSON object.
-- "texts" are the folded names a question is compared with, one a line, the
-- name itself first. Numbers are never given out twice (AUTOINCREMENT), so that
-- one that somebody remembers cannot come to mean something else.

CREATE TABLE catalog (
	one       INTEGER PRIMARY KEY CHECK (one = 1),
	demo      INTEGER NOT NULL,
	loaded_at INTEGER NOT NULL -- microseconds since 1970, UTC, as all times here
) STRICT;

CREATE TABLE chains (
	num       INTEGER PRIMARY KEY AUTOINCREMENT,
	name      TEXT NOT NULL UNIQUE,
	aliases   TEXT NOT NULL,
	sort_name TEXT NOT NULL, -- the folded name
	texts     TEXT NOT NULL
) STRICT;

-- What a shop without a chain belongs to.
INSERT INTO chains (num, name, aliases, sort_name, texts) VALUES (0, '', '[]', '', '');

CREATE TABLE shops (
	num       INTEGER PRIMARY KEY AUTOINCREMENT,
	id        TEXT NOT NULL UNIQUE,
	name      TEXT NOT NULL,
	chain     INTEGER NOT NULL REFERENCES chains,
	place     INTEGER NOT NULL, -- among all shops by folded name and ID
	address   TEXT NOT NULL,
	latitude  REAL,
	longitude REAL,
	hours     TEXT NOT NULL,
	aliases   TEXT NOT NULL,
	texts     TEXT NOT NULL,
	address_text TEXT NOT NULL, -- the address, folded
	UNIQUE (num, chain, place) -- which levels repeat
) STRICT;

CREATE INDEX shops_by_place ON shops (place);
CREATE INDEX shops_by_chain ON shops (chain, place);

CREATE TABLE products (
	num           INTEGER PRIMARY KEY AUTOINCREMENT,
	id            TEXT NOT NULL,
	sku           TEXT NOT NULL,
	name          TEXT NOT NULL,
	names         TEXT NOT NULL,
	aliases       TEXT NOT NULL,
	category      TEXT NOT NULL,
	unit          TEXT NOT NULL,
	price         TEXT NOT NULL,
	currency      TEXT NOT NULL,
	barcodes      TEXT NOT NULL,
	reorder_point INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX products_by_id ON products (id);

-- Chain and place are the shop's, for the indexes to be in the order of
-- answers: most available first, then by name. What answers need is in the
-- indexes too, as looking up each row takes twice as long.
CREATE TABLE levels (
	product  INTEGER NOT NULL REFERENCES products,
	shop     INTEGER NOT NULL,
	chain    INTEGER NOT NULL,
	place    INTEGER NOT NULL,
	on_hand  INTEGER NOT NULL CHECK (on_hand >= 0),
	reserved INTEGER NOT NULL CHECK (reserved BETWEEN 0 AND on_hand),
	as_of    INTEGER NOT NULL,
	PRIMARY KEY (product, shop),
	FOREIGN KEY (shop, chain, place) REFERENCES shops (num, chain, place) ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX levels_by_shop ON levels (shop, product);
CREATE INDEX levels_everywhere ON levels (product, reserved - on_hand, place, on_hand, reserved, as_of);
CREATE INDEX levels_by_chain ON levels (product, chain, reserved - on_hand, place, on_hand, reserved, as_of);

-- The sums of levels. Triggers keep them, whoever writes; only INSERT OR REPLACE
-- needs PRAGMA recursive_triggers for that, so prefer ON CONFLICT DO UPDATE.
CREATE TABLE totals (
	product  INTEGER NOT NULL,
	chain    INTEGER NOT NULL,
	shops    INTEGER NOT NULL,
	on_hand  INTEGER NOT NULL,
	reserved INTEGER NOT NULL,
	as_of    INTEGER NOT NULL, -- the latest
	PRIMARY KEY (product, chain)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER levels_insert AFTER INSERT ON levels BEGIN
	INSERT INTO totals (product, chain, shops, on_hand, reserved, as_of)
	VALUES (new.product, new.chain, 1, new.on_hand, new.reserved, new.as_of)
	ON CONFLICT DO UPDATE SET
		shops = shops + 1,
		on_hand = on_hand + excluded.on_hand,
		reserved = reserved + excluded.reserved,
		as_of = max(as_of, excluded.as_of);
END;

CREATE TRIGGER levels_delete AFTER DELETE ON levels BEGIN
	DELETE FROM totals WHERE product = old.product AND chain = old.chain AND shops = 1;
	UPDATE totals SET
		shops = shops - 1,
		on_hand = on_hand - old.on_hand,
		reserved = reserved - old.reserved,
		as_of = CASE WHEN as_of > old.as_of THEN as_of
			ELSE (SELECT max(as_of) FROM levels WHERE product = old.product AND chain = old.chain) END
	WHERE product = old.product AND chain = old.chain;
END;

CREATE TRIGGER levels_update AFTER UPDATE ON levels
WHEN new.product = old.product AND new.chain = old.chain BEGIN
	UPDATE totals SET
		on_hand = on_hand - old.on_hand + new.on_hand,
		reserved = reserved - old.reserved + new.reserved,
		as_of = CASE WHEN new.as_of >= as_of THEN new.as_of WHEN as_of > old.as_of THEN as_of
			ELSE (SELECT max(as_of) FROM levels WHERE product = old.product AND chain = old.chain) END
	WHERE product = old.product AND chain = old.chain;
END;

-- A shop that changes its chain takes its levels along.
CREATE TRIGGER levels_move AFTER UPDATE ON levels
WHEN new.product <> old.product OR new.chain <> old.chain BEGIN
	DELETE FROM totals WHERE product IN (old.product, new.product) AND chain IN (old.chain, new.chain);
	INSERT INTO totals (product, chain, shops, on_hand, reserved, as_of)
	SELECT product, chain, count(*), sum(on_hand), sum(reserved), max(as_of) FROM levels
	WHERE product IN (old.product, new.product) AND chain IN (old.chain, new.chain)
	GROUP BY product, chain;
END;

-- What follows is made out of the tables above, for finding, and always anew
-- with them; so it is not held to them row by row.

-- What a shop or product is called exactly: folded names, aliases, ID, SKU,
-- barcodes.
CREATE TABLE shop_keys (
	key  TEXT NOT NULL,
	shop INTEGER NOT NULL,
	PRIMARY KEY (key, shop)
) STRICT, WITHOUT ROWID;

CREATE TABLE product_keys (
	key     TEXT NOT NULL,
	product INTEGER NOT NULL,
	PRIMARY KEY (key, product)
) STRICT, WITHOUT ROWID;

-- Products numbered in display order, so that no answer need be sorted.
CREATE TABLE product_index (
	rank     INTEGER PRIMARY KEY,
	product  INTEGER NOT NULL UNIQUE,
	category TEXT NOT NULL, -- folded
	texts    TEXT NOT NULL
) STRICT;

-- The grams of product_index.texts, "^" with what words begin with, and "#" with
-- the category, by rank. Built of
-- whole tokens: every character that a fold leaves is one of a token.
CREATE VIRTUAL TABLE product_grams USING fts5 (
	grams,
	content = '',
	columnsize = 0,
	detail = none,
	tokenize = "ascii tokenchars '.+#^'"
);

-- What a chain of shops has on its shelves. Lists that belong to one row
-- (aliases, barcodes) are JSON arrays; names in other languages a JSON object.
-- "texts" are the folded names a question is compared with, one a line, the
-- name itself first.

CREATE TABLE catalog (
	one       INTEGER PRIMARY KEY CHECK (one = 1),
	demo      INTEGER NOT NULL,
	loaded_at INTEGER NOT NULL -- microseconds since 1970, UTC, as all times here
) STRICT;

CREATE TABLE chains (
	num       INTEGER PRIMARY KEY,
	name      TEXT NOT NULL UNIQUE,
	aliases   TEXT NOT NULL,
	sort_name TEXT NOT NULL, -- the folded name
	texts     TEXT NOT NULL
) STRICT;

CREATE TABLE shops (
	num       INTEGER PRIMARY KEY,
	id        TEXT NOT NULL UNIQUE,
	name      TEXT NOT NULL,
	chain     INTEGER REFERENCES chains,
	address   TEXT NOT NULL,
	latitude  REAL,
	longitude REAL,
	hours     TEXT NOT NULL,
	aliases   TEXT NOT NULL,
	sort_name TEXT NOT NULL,
	texts     TEXT NOT NULL
) STRICT;

CREATE INDEX shops_by_name ON shops (sort_name, id);
CREATE INDEX shops_by_chain ON shops (chain);

CREATE TABLE products (
	num           INTEGER PRIMARY KEY,
	id            TEXT NOT NULL UNIQUE,
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

CREATE TABLE levels (
	product  INTEGER NOT NULL REFERENCES products,
	shop     INTEGER NOT NULL REFERENCES shops,
	on_hand  INTEGER NOT NULL CHECK (on_hand >= 0),
	reserved INTEGER NOT NULL CHECK (reserved BETWEEN 0 AND on_hand),
	as_of    INTEGER NOT NULL,
	PRIMARY KEY (product, shop)
) STRICT, WITHOUT ROWID;

CREATE INDEX levels_by_shop ON levels (shop, product);

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

-- The grams of product_index.texts and "#" with the category, by rank. Built of
-- whole tokens: every character that a fold leaves is one of a token.
CREATE VIRTUAL TABLE product_grams USING fts5 (
	grams,
	content = '',
	columnsize = 0,
	detail = none,
	tokenize = "ascii tokenchars '.+#'"
);

-- What is low and what expires is listed shop by shop, each shop's in the order
-- of an index: a page then takes one step for each shop and each of its rows,
-- however many levels there are.

-- The product's reorder point, repeated for an index to hold what is low.
ALTER TABLE levels ADD COLUMN reorder_point INTEGER NOT NULL DEFAULT 0;
ALTER TABLE levels ADD COLUMN available INTEGER NOT NULL GENERATED ALWAYS AS (on_hand - reserved) VIRTUAL;

-- As before, but only where a sum changes.
DROP TRIGGER levels_update;
CREATE TRIGGER levels_update AFTER UPDATE OF on_hand, reserved, as_of ON levels
WHEN new.product = old.product AND new.chain = old.chain BEGIN
	UPDATE totals SET
		on_hand = on_hand - old.on_hand + new.on_hand,
		reserved = reserved - old.reserved + new.reserved,
		as_of = CASE WHEN new.as_of >= as_of THEN new.as_of WHEN as_of > old.as_of THEN as_of
			ELSE (SELECT max(as_of) FROM levels WHERE product = old.product AND chain = old.chain) END
	WHERE product = old.product AND chain = old.chain;
END;

UPDATE levels SET reorder_point = p.reorder_point FROM products p WHERE p.num = levels.product AND p.reorder_point <> 0;

CREATE TRIGGER products_reorder AFTER UPDATE OF reorder_point ON products
WHEN new.reorder_point <> old.reorder_point BEGIN
	UPDATE levels SET reorder_point = new.reorder_point WHERE product = new.num;
END;

DROP INDEX levels_by_shop;
CREATE INDEX levels_by_shop ON levels (shop, available, product);
CREATE INDEX levels_low ON levels (shop, available, product) WHERE reorder_point > 0 AND available <= reorder_point;

DROP INDEX lots_by_expiry;
CREATE INDEX lots_by_shop ON lots (shop, expiry, product);

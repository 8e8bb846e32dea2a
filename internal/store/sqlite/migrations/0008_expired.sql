-- What has expired is not available. No sum holds it, as it changes by the clock
-- alone: what is due is found by these indexes when a question is asked.

-- Of a shop, with how much that is.
DROP INDEX lots_by_shop;
CREATE INDEX lots_by_shop ON lots (shop, expiry, product, on_hand);

-- Of a product.
CREATE INDEX lots_by_product ON lots (product, expiry, shop, on_hand);

-- A refresh token may be used again for a while after its first use. The secret
-- of its successor is kept for that time, encrypted under a key that is made from
-- the old token's own secret, which is not here.
ALTER TABLE tokens ADD COLUMN successor BLOB;                         -- NULL but within the window
ALTER TABLE tokens ADD COLUMN renewed_scopes TEXT NOT NULL DEFAULT ''; -- of the first access token
ALTER TABLE tokens ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0;

CREATE INDEX tokens_by_window ON tokens (spent_at) WHERE successor IS NOT NULL;

-- When a client was told that it lacks a scope, and what it asked for then and
-- the owner refused.
ALTER TABLE grants ADD COLUMN challenged_at INTEGER NOT NULL DEFAULT 0; -- 0 for never
ALTER TABLE grants ADD COLUMN withheld TEXT NOT NULL DEFAULT '';

-- The scope that a client registered to ask for, '' if it did not say.
ALTER TABLE clients ADD COLUMN scope TEXT NOT NULL DEFAULT '';

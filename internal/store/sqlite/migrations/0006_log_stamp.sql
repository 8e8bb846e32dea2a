-- One row, by which a write-ahead log and the file that it belongs to know each
-- other. It is found in both without SQLite, by its mark, after which its two
-- other values follow at once: see wal.go.
CREATE TABLE log_stamp (
	one      INTEGER PRIMARY KEY CHECK (one = 1),
	mark     BLOB NOT NULL CHECK (length(mark) = 16),
	previous BLOB NOT NULL CHECK (length(previous) = 8), -- zeros in the first
	current  BLOB NOT NULL CHECK (length(current) = 8)
) STRICT;

INSERT INTO log_stamp VALUES (1, x'FF6D6370FE73746FFD72652DFC6C6F67', zeroblob(8), randomblob(8));

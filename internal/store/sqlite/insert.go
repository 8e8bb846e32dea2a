package sqlite

import (
	"context"
	"database/sql"
	"slices"
	"strings"
)

// statements are those of a transaction, each prepared once.
type statements struct {
	ctx   context.Context
	tx    *sql.Tx
	stmts map[string]*sql.Stmt
}

func newStatements(ctx context.Context, tx *sql.Tx) *statements {
	return &statements{ctx, tx, map[string]*sql.Stmt{}}
}

func (ss *statements) prepare(query string) (*sql.Stmt, error) {
	// Asked here, since a context that SQLite watches costs a goroutine a time.
	if err := ss.ctx.Err(); err != nil {
		return nil, err
	}
	s := ss.stmts[query]
	if s == nil {
		var err error
		if s, err = ss.tx.Prepare(query); err != nil {
			return nil, err
		}
		ss.stmts[query] = s
	}
	return s, nil
}

func (ss *statements) exec(query string, args ...any) error {
	s, err := ss.prepare(query)
	if err == nil {
		_, err = s.Exec(args...)
	}
	return err
}

// changed is exec that returns how many rows changed.
func (ss *statements) changed(query string, args ...any) (int64, error) {
	s, err := ss.prepare(query)
	if err != nil {
		return 0, err
	}
	result, err := s.Exec(args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (ss *statements) queryRow(query string, args ...any) row {
	s, err := ss.prepare(query)
	if err != nil {
		return row{err: err}
	}
	return row{row: s.QueryRow(args...)}
}

// each calls do with each row that query finds, until it fails.
func (ss *statements) each(query string, args []any, do func(scan func(...any) error) error) error {
	s, err := ss.prepare(query)
	if err != nil {
		return err
	}
	rows, err := s.Query(args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for n := 1; rows.Next(); n++ {
		if n%1024 == 0 && ss.ctx.Err() != nil {
			return ss.ctx.Err()
		}
		if err := do(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (ss *statements) close() {
	for _, s := range ss.stmts {
		s.Close()
	}
}

// inserter gathers rows and stores many at once.
type inserter struct {
	*statements
	batches map[string]*batch
	err     error // why nothing is stored any more
}

// batch is rows of one table, of the same columns.
type batch struct {
	into string // the table and its columns, as in SQL
	rows int
	args []any
	full string // SQL for as many as are stored at once
}

// batchRows is where more would save nothing.
const batchRows = 50

func newInserter(ctx context.Context, tx *sql.Tx) *inserter {
	return &inserter{statements: newStatements(ctx, tx), batches: map[string]*batch{}}
}

// insert stores a row, at the latest when flush returns.
func (in *inserter) insert(into string, row ...any) {
	b := in.batches[into]
	if b == nil {
		b = &batch{into: into, args: make([]any, 0, batchRows*len(row))}
		b.full = insertion(into, len(row), batchRows)
		in.batches[into] = b
	}
	b.args = append(b.args, row...)
	if b.rows++; b.rows == batchRows {
		in.store(b.full, b.args)
		b.rows, b.args = 0, b.args[:0]
	}
}

// insertAlone is insert with a statement for the row alone, at once.
func (in *inserter) insertAlone(into string, row ...any) {
	in.store(insertion(into, len(row), 1), row)
}

// flush stores what was gathered. It returns why a row could not be stored, if
// one could not.
func (in *inserter) flush() error {
	for _, b := range in.batches {
		if b.rows > 0 {
			in.store(insertion(b.into, len(b.args)/b.rows, b.rows), b.args)
			b.rows, b.args = 0, b.args[:0]
		}
	}
	return in.err
}

func (in *inserter) store(query string, args []any) {
	if in.err == nil {
		in.err = in.exec(query, args...)
	}
}

// insertion is SQL that stores rows of so many columns.
func insertion(into string, columns, rows int) string {
	row := "(" + strings.Join(slices.Repeat([]string{"?"}, columns), ", ") + ")"
	return "INSERT INTO " + into + " VALUES " + strings.Join(slices.Repeat([]string{row}, rows), ", ")
}

package sqlite

import (
	"context"
	"database/sql"
	"slices"
	"strings"
)

// inserter gathers rows and stores many at once.
type inserter struct {
	ctx     context.Context
	tx      *sql.Tx
	batches map[string]*batch
	stmts   map[shape]*sql.Stmt
	err     error // why nothing is stored any more
}

// batch is rows of one table.
type batch struct {
	shape
	args []any
}

// shape is what batches have in common that one statement stores.
type shape struct {
	into string // the table and its columns, as in SQL
	rows int
}

// batchRows is where more would save nothing.
const batchRows = 50

func newInserter(ctx context.Context, tx *sql.Tx) *inserter {
	return &inserter{ctx: ctx, tx: tx, batches: map[string]*batch{}, stmts: map[shape]*sql.Stmt{}}
}

// insert stores a row, at the latest when flush returns.
func (in *inserter) insert(into string, row ...any) {
	b := in.batches[into]
	if b == nil {
		b = &batch{shape{into, 0}, make([]any, 0, batchRows*len(row))}
		in.batches[into] = b
	}
	b.args = append(b.args, row...)
	if b.rows++; b.rows == batchRows {
		in.store(*b)
		b.rows, b.args = 0, b.args[:0]
	}
}

// insertAlone is insert with a statement for the row alone.
func (in *inserter) insertAlone(into string, row ...any) {
	in.store(batch{shape{into, 1}, row})
}

// flush stores what was gathered. It returns why a row could not be stored, if
// one could not.
func (in *inserter) flush() error {
	for _, b := range in.batches {
		if b.rows > 0 {
			in.store(*b)
		}
	}
	clear(in.batches)
	return in.err
}

func (in *inserter) store(b batch) {
	if in.err != nil {
		return
	}
	// Asked here, since a context that SQLite watches costs a goroutine a time.
	if in.err = in.ctx.Err(); in.err != nil {
		return
	}
	s := in.stmts[b.shape]
	if s == nil {
		if s, in.err = in.tx.Prepare(b.sql()); in.err != nil {
			return
		}
		in.stmts[b.shape] = s
	}
	_, in.err = s.Exec(b.args...)
}

func (b batch) sql() string {
	row := "(" + strings.Join(slices.Repeat([]string{"?"}, len(b.args)/b.rows), ", ") + ")"
	return "INSERT INTO " + b.into + " VALUES " + strings.Join(slices.Repeat([]string{row}, b.rows), ", ")
}

func (in *inserter) close() {
	for _, s := range in.stmts {
		s.Close()
	}
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/ledger"
)

// importer takes rows in. They are put aside first (stage.go); then, in one
// transaction, it is found out what shops and products they are of
// (import_shops.go, import_link.go), these are written (import_products.go),
// and then the levels (import_levels.go). Nothing that grows with the rows is
// held in memory but a few numbers for each product.
type importer struct {
	db  *DB
	ctx context.Context
	o   store.ImportOptions
	tx  *sql.Tx // of a connection of its own
	in  *inserter
	now int64

	sheets    []*store.Sheet // that rows are of
	sheetNums map[*store.Sheet]int
	problems  problems
	misread   bool  // rows could not be read, and what they say is missing
	failed    error // why no more rows could be read, or the caller wants no more

	seeds       [2]maphash.Seed
	buf         []byte
	shops       []saidShop // what rows say of shops, from 1
	recentShops map[[2]uint64]int
	said        int               // how much is said of products, from 1
	kinds       []uint8           // what it calls them by
	nick        []bool            // whether it calls them by another name than their own
	recent      map[[2]uint64]int // of it, what was said last
	quantities  int               // rows that say how much there is

	shopNums    []int64      // the numbers of what shops are of
	productNums []int64      // likewise of said
	newNums     []int64      // those of new products, by what is said of them first
	shopStates  []*shopState // all shops
	nextProduct int64        // the number of the next product that was never there
	someRetired bool         // products are gone that were there once
	someIDs     bool         // rows give IDs to products
	reindex     *reindexer

	report store.ImportReport
}

// Import takes rows in, all or none. Others read what was there before until
// it is done, and wait with writing only while what was read is applied.
func (db *DB) Import(ctx context.Context, rows iter.Seq2[store.Row, error], o store.ImportOptions) (store.ImportReport, error) {
	if o.MaxProblems <= 0 {
		o.MaxProblems = 20
	}
	if o.MaxExamples <= 0 {
		o.MaxExamples = 20
	}
	im := &importer{
		db: db, ctx: ctx, o: o,
		sheetNums:   map[*store.Sheet]int{},
		problems:    problems{most: o.MaxProblems},
		seeds:       [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		recentShops: map[[2]uint64]int{},
		recent:      map[[2]uint64]int{},
		kinds:       make([]uint8, 1),
	}
	err := im.run(rows)
	if _, bad := errors.AsType[*store.ImportError](err); bad {
		return store.ImportReport{}, err
	}
	if im.failed != nil {
		return store.ImportReport{}, im.failed
	}
	if ended := ctx.Err(); err != nil && ended != nil {
		err = ended // and not what came of it
	}
	if err != nil {
		return store.ImportReport{}, db.failed("import stock", err)
	}
	return im.report, nil
}

// Memory of an import: of pages, and as much again where SQLite sorts.
const importCache = `
	PRAGMA temp_store = FILE; -- or sorting would take place in memory
	PRAGMA cache_size = -24576;
	PRAGMA temp.cache_size = -16384;
	PRAGMA cache_spill = ON;`

func (im *importer) run(rows iter.Seq2[store.Row, error]) error {
	switch im.o.Mode {
	case "", store.Merge, store.Replace:
	default:
		return &store.InvalidError{Text: fmt.Sprintf("mode %q is neither %q nor %q", im.o.Mode, store.Merge, store.Replace)}
	}
	if im.o.RemoveStores && im.o.Mode != store.Replace {
		return &store.InvalidError{Text: fmt.Sprintf("stores are removed in mode %q only", store.Replace)}
	}
	pool, err := im.db.connect(1, "")
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := pool.ExecContext(im.ctx, importCache+stageTables); err != nil {
		return err
	}
	if err := im.within(pool, func() error { return im.stage(rows) }, true); err != nil {
		return err
	}
	switch {
	case im.problems.count > 0 && im.report.Rows == 0:
		return im.problems.err()
	case im.report.Rows == 0:
		return problem("there are no rows to take in", "check that the file is the right one; nothing was changed")
	}
	// Writers of this process wait for their turn here rather than for SQLite,
	// which would give up.
	turn, err := im.db.write.Conn(im.ctx)
	if err != nil {
		return err
	}
	defer turn.Close()
	if err := im.db.look(); err != nil {
		return err
	}
	if err := im.within(pool, im.apply, !im.o.DryRun); err != nil || im.o.DryRun {
		return err
	}
	im.db.recent.forget()
	if err := im.db.look(); err != nil {
		return err
	}
	im.db.wrote(nil)
	// The log holds a copy of all that was written; a reader that still needs
	// it only puts this off until the next one.
	pool.ExecContext(im.ctx, `PRAGMA busy_timeout = 100; PRAGMA wal_checkpoint(TRUNCATE)`)
	return nil
}

// within does something in a transaction.
func (im *importer) within(pool *sql.DB, do func() error, commit bool) (err error) {
	if im.tx, err = pool.BeginTx(im.ctx, nil); err != nil {
		return err
	}
	defer im.tx.Rollback()
	im.in = newInserter(im.ctx, im.tx)
	defer im.in.close()
	if err := do(); err != nil || !commit {
		return err
	}
	return im.tx.Commit()
}

// apply brings the stock to what the rows say.
func (im *importer) apply() error {
	im.now = im.db.now().UnixMicro()
	// The first statement takes the lock, for the whole of the transaction.
	if err := im.exec(renewStamp); err != nil {
		return err
	}
	steps := []struct {
		do    func() error
		share float64 // of the time
	}{
		{im.lapse, 0},
		{im.removeDemo, 0.01},
		{im.refuseEmptying, 0},
		{im.link, 0.15},
		{im.applyShops, 0.01},
		{im.applyProducts, 0.18},
		{im.wantLevels, 0.1},
		{im.problems.err, 0},
		{im.applyLevels, 0.2},
		{im.removeGone, 0.02},
		{im.indexProducts, 0.3},
		{im.finish, 0.03},
	}
	var done float64
	for _, step := range steps {
		if err := step.do(); err != nil {
			return err
		}
		if done += step.share; im.o.Progress != nil && step.share > 0 {
			im.o.Progress(im.report.Rows, min(done, 1))
		}
	}
	return nil
}

// lapse ends the reservations that are due.
func (im *importer) lapse() error {
	return ledger.Lapse(&tx{ctx: im.ctx, sql: im.tx}, utc(im.now))
}

// removeDemo makes room for the first data that is not the demo's.
func (im *importer) removeDemo() error {
	if err := im.row(`SELECT demo FROM catalog`).Scan(&im.report.RemovedDemo); err != nil || !im.report.RemovedDemo {
		return err
	}
	if err := removeAll(im.ctx, im.tx); err != nil {
		return err
	}
	return im.exec(`INSERT INTO catalog (one, demo, loaded_at) VALUES (1, 0, ?)`, im.now)
}

// refuseEmptying refuses to take all stock away for the want of a column.
func (im *importer) refuseEmptying() error {
	if im.o.Mode != store.Replace || im.quantities > 0 || im.problems.count > 0 {
		return nil
	}
	var some bool
	if err := im.row(`SELECT EXISTS (SELECT 1 FROM levels)`).Scan(&some); err != nil || !some {
		return err
	}
	return problem("no row has a quantity, so that replacing would leave no stock anywhere",
		"merge lists of products or stores instead, or add a column of quantities; nothing was changed")
}

// finish tells those who watch.
func (im *importer) finish() error {
	return im.exec(`INSERT INTO changes (product, shop) VALUES (0, 0)`)
}

// removesOthers reports whether shops that no row names go.
func (im *importer) removesOthers() bool { return im.o.Mode == store.Replace && im.o.RemoveStores }

func (im *importer) exec(query string, args ...any) error {
	_, err := im.tx.ExecContext(im.ctx, query, args...)
	return err
}

func (im *importer) row(query string, args ...any) *sql.Row {
	return im.tx.QueryRowContext(im.ctx, query, args...)
}

// each calls do with each row that query finds, until it fails.
func (im *importer) each(query string, args []any, do func(scan func(...any) error) error) error {
	return im.in.each(query, args, do)
}

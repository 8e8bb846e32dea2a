package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/store"
)

func stockCommand(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stock",
		Short: "Look at the stock and change it by hand",
		Example: `  mcpstore stock list --store KOKO大安 茶葉蛋
  mcpstore stock move --store KOKO大安 --product 茶葉蛋 --delta -2 --reason sale
  mcpstore stock history --store KOKO大安 --product 茶葉蛋`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return &usageError{errors.New("stock needs to be told what to do"), "mcpstore stock --help lists what there is, such as mcpstore stock list"}
		},
	}
	cmd.AddCommand(
		stockListCommand(e),
		stockMoveCommand(e),
		stockCountCommand(e),
		stockTransferCommand(e),
		stockReservationsCommand(e),
		stockReleaseCommand(e),
		stockUndoCommand(e),
		stockHistoryCommand(e),
		stockEditCommand(e),
	)
	return cmd
}

// stockOptions are the flags that the commands below stock share.
type stockOptions struct {
	db    string
	store string
	json  bool
}

func (o *stockOptions) addFlags(cmd *cobra.Command, e *env, storeUsage string) {
	f := cmd.Flags()
	f.SortFlags = false
	if storeUsage != "" {
		f.StringVar(&o.store, "store", "", storeUsage)
	}
	f.BoolVar(&o.json, "json", false, "print JSON")
	e.addDatabaseFlags(f, &o.db)
}

// with calls do with the database open, as the user of the command line.
func (o *stockOptions) with(cmd *cobra.Command, e *env, do func(ctx context.Context, db database) error) error {
	ctx := asUser(cmd.Context(), e.getenv)
	db, _, err := e.openExisting(ctx, o.db)
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, db), db.Close())
}

// stockLine is a level as the commands print it.
type stockLine struct {
	StoreID      string    `json:"store_id"`
	Store        string    `json:"store"`
	ProductID    string    `json:"product_id"`
	Product      string    `json:"product"`
	Unit         string    `json:"unit,omitempty"`
	OnHand       int64     `json:"on_hand"`
	Reserved     int64     `json:"reserved"`
	Expired      int64     `json:"expired,omitempty"`
	Available    int64     `json:"available"`
	ReorderPoint int64     `json:"reorder_point,omitempty"`
	AsOf         time.Time `json:"as_of"`
}

func newStockLine(s store.Shop, p store.Product, l store.Level) stockLine {
	return stockLine{s.ID, s.Name, p.ID, p.Name, p.Unit, l.OnHand, l.Reserved, l.Expired, l.Available(), p.ReorderPoint, l.AsOf}
}

func stockListCommand(e *env) *cobra.Command {
	var o stockOptions
	var low bool
	var limit int
	cmd := &cobra.Command{
		Use:   "list [QUERY]",
		Short: "List how much of what is where",
		Example: `  mcpstore stock list 茶葉蛋
  mcpstore stock list --store KOKO --low
  mcpstore stock list --json --limit 0 >stock.json`,
		Args: atMostOne("QUERY", "the name of a product, or a part of it"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return &usageError{fmt.Errorf("--limit %d is less than nothing", limit), "give how many rows to list, or 0 for all"}
			}
			return o.with(cmd, e, func(ctx context.Context, db database) error {
				return listStock(ctx, e, db, &o, append(args, "")[0], low, limit)
			})
		},
	}
	o.addFlags(cmd, e, "only this `store`, or the stores of this chain")
	cmd.Flags().BoolVar(&low, "low", false, "only what is at or below its reorder point")
	cmd.Flags().IntVar(&limit, "limit", 200, "list at most this many; 0 lists all")
	return cmd
}

func listStock(ctx context.Context, e *env, db database, o *stockOptions, query string, low bool, limit int) error {
	at, err := findPlace(ctx, db, o.store)
	if err != nil {
		return err
	}
	find := levelsOf
	if low {
		find = lowLevelsOf
	}
	lines := []stockLine{}
	more := false
	err = find(ctx, db, at, query, func(line stockLine) bool {
		more = limit > 0 && len(lines) == limit
		if !more {
			line.AsOf = e.local(line.AsOf)
			lines = append(lines, line)
		}
		return !more
	})
	if err != nil {
		return err
	}
	if more {
		fmt.Fprintf(e.stderr, "mcpstore: there is more than these %d; --limit 0 lists all\n", limit)
	}
	if o.json {
		return printJSON(e.stdout, lines)
	}
	if len(lines) == 0 {
		fmt.Fprintln(e.stderr, "mcpstore: there is nothing to list")
		return nil
	}
	t := newTable("STORE", "PRODUCT", ">AVAILABLE", ">RESERVED", ">EXPIRED", "UNIT", ">REORDER AT", "AS OF")
	for _, l := range lines {
		reorder := any("")
		if l.ReorderPoint > 0 {
			reorder = l.ReorderPoint
		}
		t.add(l.Store, l.Product, l.Available, l.Reserved, l.Expired, l.Unit, reorder, e.localTime(l.AsOf))
	}
	return t.print(e.stdout)
}

// levelsOf gives the levels of the products that query finds, product by
// product, until yield has enough.
func levelsOf(ctx context.Context, db database, at place, query string, yield func(stockLine) bool) error {
	return each(func(page store.Page) ([]store.Product, string, error) {
		return db.Products(ctx, store.ProductQuery{Text: query, ShopID: at.shop.ID, Chain: at.chain, Page: page})
	}, func(p store.Product) (bool, error) {
		if at.shop.ID != "" {
			l, err := db.Level(ctx, at.shop.ID, p.ID)
			if errors.Is(err, store.ErrNotFound) {
				return true, nil // since it was listed
			}
			return err == nil && yield(newStockLine(at.shop, p, l)), err
		}
		more := true
		err := each(func(page store.Page) ([]store.ShopLevel, string, error) {
			return db.Levels(ctx, store.LevelQuery{ProductID: p.ID, Chain: at.chain, Page: page})
		}, func(l store.ShopLevel) (bool, error) {
			more = yield(newStockLine(l.Shop, p, l.Level))
			return more, nil
		})
		return more, err
	})
}

// lowLevelsOf gives those that are at or below their reorder point.
func lowLevelsOf(ctx context.Context, db database, at place, query string, yield func(stockLine) bool) error {
	var asked map[string]bool // products; nil for all
	if query != "" {
		asked = map[string]bool{}
		err := each(func(page store.Page) ([]store.Product, string, error) {
			return db.Products(ctx, store.ProductQuery{Text: query, Page: page})
		}, func(p store.Product) (bool, error) {
			asked[p.ID] = true
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	return each(func(page store.Page) ([]store.StockLevel, string, error) {
		return db.LowStock(ctx, store.LowStockQuery{ShopID: at.shop.ID, Chain: at.chain, Page: page})
	}, func(l store.StockLevel) (bool, error) {
		if asked != nil && !asked[l.Product.ID] {
			return true, nil
		}
		return yield(newStockLine(l.Shop, l.Product, l.Level)), nil
	})
}

// each turns the pages of a list until do has enough.
func each[T any](list func(store.Page) ([]T, string, error), do func(T) (more bool, err error)) error {
	page := store.Page{Limit: store.MaxLimit}
	for {
		things, next, err := list(page)
		if err != nil {
			return err
		}
		for _, thing := range things {
			if more, err := do(thing); err != nil || !more {
				return err
			}
		}
		if next == "" {
			return nil
		}
		page.Cursor = next
	}
}

// firstOf turns the pages of a list until it has as many as the limit, and says
// where there are more. A limit of 0 is none.
func firstOf[T any](e *env, limit int, list func(store.Page) ([]T, string, error)) ([]T, error) {
	found := []T{}
	more := false
	err := each(list, func(thing T) (bool, error) {
		if more = limit > 0 && len(found) == limit; !more {
			found = append(found, thing)
		}
		return !more, nil
	})
	if err == nil && more {
		fmt.Fprintf(e.stderr, "mcpstore: there is more than these %d; --limit 0 lists all\n", limit)
	}
	return found, err
}

// atMostOne takes one argument, which is what says, or none.
func atMostOne(name, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= 1 {
			return nil
		}
		return &usageError{fmt.Errorf("%s takes one %s, %s; got %d", cmd.CommandPath(), name, what, len(args)), "put it in quotes if it has spaces"}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/store"
)

// changeOptions are the flags that the commands share which change a level.
type changeOptions struct {
	stockOptions
	product string
	note    string
	once    store.Once
}

func (o *changeOptions) addFlags(cmd *cobra.Command, e *env, storeUsage string) {
	o.stockOptions.addFlags(cmd, e, storeUsage)
	f := cmd.Flags()
	if storeUsage != "" {
		f.StringVar(&o.product, "product", "", "the `product`: its name, a part of that, SKU or barcode")
	}
	f.StringVar(&o.note, "note", "", "a `text` to keep with the movement")
	f.StringVar(&o.once.Key, "key", "", "an idempotency `key`: the same change with the same key is made once")
	f.BoolVar(&o.once.DryRun, "dry-run", false, "show what would change, and change nothing")
}

// change makes a change of a product and prints what it did.
func (o *changeOptions) change(cmd *cobra.Command, e *env, do func(ctx context.Context, db database, p store.Product) (store.Receipt, error)) error {
	return o.with(cmd, e, func(ctx context.Context, db database) error {
		var p store.Product
		var err error
		if cmd.Flags().Lookup("product") != nil {
			if p, err = findProduct(ctx, db, o.product); err != nil {
				return err
			}
		}
		r, err := do(ctx, db, p)
		if err != nil {
			return refused(ctx, db, err)
		}
		return o.printReceipt(ctx, e, db, r)
	})
}

func stockMoveCommand(e *env) *cobra.Command {
	var o changeOptions
	var delta int64
	var reason, expiry string
	cmd := &cobra.Command{
		Use:   "move --store STORE --product PRODUCT --delta N --reason REASON",
		Short: "Record a delivery, a sale, waste or a correction",
		Example: `  mcpstore stock move --store KOKO大安 --product 茶葉蛋 --delta -2 --reason sale
  mcpstore stock move --store KOKO大安 --product 鮮乳 --delta 12 --reason delivery --expiry 2026-12-05`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needs(cmd, "delta", "reason"); err != nil {
				return err
			}
			m := store.Move{Delta: delta, Reason: store.Reason(reason), Note: o.note, Once: o.once}
			var err error
			if expiry != "" {
				if m.Expiry, err = store.ParseDate(expiry); err != nil {
					return &usageError{fmt.Errorf("--expiry %w", err), "write the year, the month and the day: --expiry 2026-11-30"}
				}
			}
			return o.change(cmd, e, func(ctx context.Context, db database, p store.Product) (store.Receipt, error) {
				shop, err := findShop(ctx, db, o.store)
				if err != nil {
					return store.Receipt{}, err
				}
				m.ShopID, m.ProductID = shop.ID, p.ID
				return db.Move(ctx, m)
			})
		},
	}
	o.addFlags(cmd, e, "the `store`: its name, or a part of that")
	cmd.Flags().Int64Var(&delta, "delta", 0, "how many more, or below 0 how many less")
	cmd.Flags().StringVar(&reason, "reason", "", "delivery, sale, waste or correction")
	cmd.Flags().StringVar(&expiry, "expiry", "", "the `date` on which the lot expires, such as 2026-11-30")
	return cmd
}

func stockCountCommand(e *env) *cobra.Command {
	var o changeOptions
	var quantity int64
	cmd := &cobra.Command{
		Use:     "count --store STORE --product PRODUCT --quantity N",
		Short:   "Set a level to what was counted",
		Example: `  mcpstore stock count --store KOKO大安 --product 茶葉蛋 --quantity 7`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needs(cmd, "quantity"); err != nil {
				return err
			}
			return o.change(cmd, e, func(ctx context.Context, db database, p store.Product) (store.Receipt, error) {
				shop, err := findShop(ctx, db, o.store)
				if err != nil {
					return store.Receipt{}, err
				}
				return db.Count(ctx, store.Count{ShopID: shop.ID, ProductID: p.ID, Quantity: quantity, Note: o.note, Once: o.once})
			})
		},
	}
	o.addFlags(cmd, e, "the `store`: its name, or a part of that")
	cmd.Flags().Int64Var(&quantity, "quantity", 0, "how many are on the shelf, those included that are reserved")
	return cmd
}

func stockTransferCommand(e *env) *cobra.Command {
	var o changeOptions
	var to string
	var quantity int64
	cmd := &cobra.Command{
		Use:     "transfer --store FROM --to STORE --product PRODUCT --quantity N",
		Short:   "Take from one store and give to another",
		Example: `  mcpstore stock transfer --store KOKO信義 --to KOKO大安 --product 茶葉蛋 --quantity 3`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needs(cmd, "to", "quantity"); err != nil {
				return err
			}
			return o.change(cmd, e, func(ctx context.Context, db database, p store.Product) (store.Receipt, error) {
				from, err := findShop(ctx, db, o.store)
				if err != nil {
					return store.Receipt{}, err
				}
				there, err := findShop(ctx, db, to)
				if err != nil {
					return store.Receipt{}, err
				}
				return db.Transfer(ctx, store.Transfer{FromShopID: from.ID, ToShopID: there.ID, ProductID: p.ID,
					Quantity: quantity, Note: o.note, Once: o.once})
			})
		},
	}
	o.addFlags(cmd, e, "the `store` to take from")
	cmd.Flags().StringVar(&to, "to", "", "the `store` to give to")
	cmd.Flags().Int64Var(&quantity, "quantity", 0, "how many")
	return cmd
}

func stockUndoCommand(e *env) *cobra.Command {
	var o changeOptions
	cmd := &cobra.Command{
		Use:   "undo MOVEMENT",
		Short: "Reverse a movement, and those that were made with it",
		Example: `  mcpstore stock history --product 茶葉蛋     shows the numbers of movements
  mcpstore stock undo 1234`,
		Args: func(cmd *cobra.Command, args []string) error {
			const hint = "mcpstore stock history shows the numbers of movements"
			if len(args) != 1 {
				return &usageError{fmt.Errorf("undo takes the number of one movement; got %d arguments", len(args)), hint}
			}
			if n, err := strconv.ParseInt(args[0], 10, 64); err != nil || n <= 0 {
				return &usageError{fmt.Errorf("%q is not the number of a movement", args[0]), hint}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.change(cmd, e, func(ctx context.Context, db database, _ store.Product) (store.Receipt, error) {
				n, err := strconv.ParseInt(args[0], 10, 64)
				if err != nil {
					return store.Receipt{}, err
				}
				return db.Undo(ctx, store.Undo{Movement: n, Note: o.note, Once: o.once})
			})
		},
	}
	o.addFlags(cmd, e, "")
	return cmd
}

// needs refuses a call without one of flags.
func needs(cmd *cobra.Command, flags ...string) error {
	for _, name := range flags {
		if f := cmd.Flags().Lookup(name); !f.Changed {
			return &usageError{fmt.Errorf("--%s is missing", name), cmd.CommandPath() + " --help shows an example"}
		}
	}
	return nil
}

// refused says in a shop's words why a change was not made.
func refused(ctx context.Context, s database, err error) error {
	if little, ok := errors.AsType[*store.InsufficientError](err); ok {
		shop, product := namesOf(ctx, s, little.ShopID, little.ProductID)
		expired := ""
		if little.Level.Expired > 0 {
			expired = fmt.Sprintf(", %d expired", little.Level.Expired)
		}
		text := fmt.Sprintf("%s has %d of %s available, not %d (%d on hand, %d reserved%s)",
			shop, little.Level.Available(), product, little.Asked, little.Level.OnHand, little.Level.Reserved, expired)
		if little.Expiry != "" {
			text = fmt.Sprintf("%s has %d of %s that expire on %s, not %d", shop, little.Lot, product, little.Expiry, little.Asked)
		}
		return &failure{errors.New(text), "if that is not what is on the shelf, count it: mcpstore stock count"}
	}
	switch {
	case errors.As(err, new(*store.InvalidError)):
		return &usageError{err, "nothing was changed; the same command with --help shows an example"}
	case errors.Is(err, store.ErrNotFound):
		return &failure{err, "mcpstore stock list shows what is carried where, mcpstore stock history what moved"}
	}
	return err
}

// namesOf returns what people call a shop and a product; their IDs, where
// they are gone.
func namesOf(ctx context.Context, s database, shopID, productID string) (shop, product string) {
	shop, product = shopID, productID
	if found, err := s.Shop(ctx, shopID); err == nil {
		shop = found.Name
	}
	if found, err := s.Product(ctx, productID); err == nil {
		product = found.Name
	}
	return printable(shop), printable(product)
}

// receiptJSON is what a change did, for programs.
type receiptJSON struct {
	Movements []movementJSON    `json:"movements"`
	Levels    []levelChangeJSON `json:"levels"`
	Released  []reservationJSON `json:"released_reservations,omitempty"`
	Replayed  bool              `json:"replayed"`
	DryRun    bool              `json:"dry_run"`
}

type levelChangeJSON struct {
	StoreID   string    `json:"store_id"`
	ProductID string    `json:"product_id"`
	Before    levelJSON `json:"before"`
	After     levelJSON `json:"after"`
}

type levelJSON struct {
	OnHand    int64 `json:"on_hand"`
	Reserved  int64 `json:"reserved"`
	Expired   int64 `json:"expired,omitempty"`
	Available int64 `json:"available"`
}

type reservationJSON struct {
	ID       int64  `json:"id"`
	Quantity int64  `json:"quantity"`
	Note     string `json:"note,omitempty"`
}

func newLevelJSON(l store.Level) levelJSON {
	return levelJSON{l.OnHand, l.Reserved, l.Expired, l.Available()}
}

func (o *changeOptions) printReceipt(ctx context.Context, e *env, s database, r store.Receipt) error {
	if o.json {
		out := receiptJSON{Movements: []movementJSON{}, Levels: []levelChangeJSON{}, Replayed: r.Replayed, DryRun: o.once.DryRun}
		for _, m := range r.Movements {
			out.Movements = append(out.Movements, e.newMovementJSON(m))
		}
		for _, c := range r.Levels {
			out.Levels = append(out.Levels, levelChangeJSON{c.ShopID, c.ProductID, newLevelJSON(c.Before), newLevelJSON(c.After)})
		}
		for _, held := range r.Released {
			out.Released = append(out.Released, reservationJSON{held.ID, held.Quantity, held.Note})
		}
		return printJSON(e.stdout, out)
	}
	for _, c := range r.Levels {
		shop, product := namesOf(ctx, s, c.ShopID, c.ProductID)
		if r.Reservation != nil { // what is on hand stays; what can be sold does not
			fmt.Fprintf(e.stdout, "%s: %s: available %d → %d of %d\n", shop, product, c.Before.Available(), c.After.Available(), c.After.OnHand)
			continue
		}
		fmt.Fprintf(e.stdout, "%s: %s: %d → %d", shop, product, c.Before.OnHand, c.After.OnHand)
		var unavailable []string
		if n := c.After.Reserved; n > 0 {
			unavailable = append(unavailable, fmt.Sprintf("%d reserved", n))
		}
		if n := c.After.Expired; n > 0 {
			unavailable = append(unavailable, fmt.Sprintf("%d expired", n))
		}
		if unavailable != nil {
			fmt.Fprintf(e.stdout, " (%s)", strings.Join(unavailable, ", "))
		}
		fmt.Fprintln(e.stdout)
	}
	for _, held := range r.Released {
		fmt.Fprintf(e.stderr, "mcpstore: reservation %d of %d was released: there is too little left\n", held.ID, held.Quantity)
	}
	switch {
	case o.once.DryRun:
		fmt.Fprintln(e.stderr, "mcpstore: this was a dry run; nothing was changed")
	case r.Replayed:
		fmt.Fprintln(e.stderr, "mcpstore: this was done before with the same key; nothing was changed now")
	case len(r.Movements) > 0:
		fmt.Fprintf(e.stderr, "mcpstore: movement %d; mcpstore stock undo %d takes it back\n", r.Movements[0].ID, r.Movements[0].ID)
	}
	return nil
}

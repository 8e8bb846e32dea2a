package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/store"
)

// movementJSON is a movement, for programs.
type movementJSON struct {
	ID         int64        `json:"id"`
	Group      int64        `json:"group"`
	At         time.Time    `json:"at"`
	StoreID    string       `json:"store_id"`
	ProductID  string       `json:"product_id"`
	Expiry     store.Date   `json:"expiry,omitempty"`
	Delta      int64        `json:"delta"`
	Reason     store.Reason `json:"reason"`
	Note       string       `json:"note,omitempty"`
	Actor      string       `json:"actor,omitempty"`
	Client     string       `json:"client,omitempty"`
	Key        string       `json:"idempotency_key,omitempty"`
	Before     levelJSON    `json:"before"`
	After      levelJSON    `json:"after"`
	Reverses   int64        `json:"reverses,omitempty"`
	ReversedBy int64        `json:"reversed_by,omitempty"`
}

func (e *env) newMovementJSON(m store.Movement) movementJSON {
	return movementJSON{m.ID, m.Group, e.local(m.At), m.ShopID, m.ProductID, m.Expiry, m.Delta, m.Reason, m.Note, m.Actor, m.Client,
		m.Key, newLevelJSON(m.Before), newLevelJSON(m.After), m.Reverses, m.ReversedBy}
}

func stockHistoryCommand(e *env) *cobra.Command {
	var o stockOptions
	var product string
	var limit int
	cmd := &cobra.Command{
		Use:   "history",
		Short: "List what moved, newest first",
		Example: `  mcpstore stock history --store KOKO大安 --product 茶葉蛋
  mcpstore stock history --limit 0 --json >ledger.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return &usageError{fmt.Errorf("--limit %d is less than nothing", limit), "give how many movements to list, or 0 for all"}
			}
			return o.with(cmd, e, func(ctx context.Context, db database) error {
				return listHistory(ctx, e, db, &o, product, limit)
			})
		},
	}
	o.addFlags(cmd, e, "only in this `store`")
	cmd.Flags().StringVar(&product, "product", "", "only of this `product`")
	cmd.Flags().IntVar(&limit, "limit", 50, "list at most this many; 0 lists all")
	return cmd
}

func listHistory(ctx context.Context, e *env, db database, o *stockOptions, product string, limit int) error {
	var q store.MovementQuery
	if o.store != "" {
		shop, err := findShop(ctx, db, o.store)
		if err != nil {
			return err
		}
		q.ShopID = shop.ID
	}
	if product != "" {
		p, err := findProduct(ctx, db, product)
		if err != nil {
			return err
		}
		q.ProductID = p.ID
	}
	movements, err := firstOf(e, limit, func(page store.Page) ([]store.Movement, string, error) {
		q.Page = page
		return db.Movements(ctx, q)
	})
	if err != nil {
		return err
	}
	if o.json {
		out := []movementJSON{}
		for _, m := range movements {
			out = append(out, e.newMovementJSON(m))
		}
		return printJSON(e.stdout, out)
	}
	if len(movements) == 0 {
		fmt.Fprintln(e.stderr, "mcpstore: nothing moved yet")
		return nil
	}
	return printHistory(ctx, e, db, movements)
}

func printHistory(ctx context.Context, e *env, db database, movements []store.Movement) error {
	t := newTable(">MOVEMENT", "AT", "STORE", "PRODUCT", "REASON", ">BY", ">BEFORE", ">AFTER", "EXPIRY", "WHO", "NOTE")
	named := map[[2]string][2]string{}
	for _, m := range movements {
		ids := [2]string{m.ShopID, m.ProductID}
		names, known := named[ids]
		if !known {
			names[0], names[1] = namesOf(ctx, db, m.ShopID, m.ProductID)
			named[ids] = names
		}
		reason := string(m.Reason)
		if m.Reverses != 0 {
			reason = fmt.Sprintf("undo of %d", m.Reverses)
		}
		if m.ReversedBy != 0 {
			reason += fmt.Sprintf(" (undone by %d)", m.ReversedBy)
		}
		t.add(m.ID, e.localTime(m.At), names[0], names[1], reason, fmt.Sprintf("%+d", m.Delta), m.Before.OnHand, m.After.OnHand, m.Expiry, m.Actor, m.Note)
	}
	return t.print(e.stdout)
}

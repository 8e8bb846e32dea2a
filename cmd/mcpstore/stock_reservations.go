package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/store"
)

// heldJSON is a reservation that holds, for programs.
type heldJSON struct {
	ID        int64     `json:"id"`
	StoreID   string    `json:"store_id"`
	ProductID string    `json:"product_id"`
	Quantity  int64     `json:"quantity"`
	MadeAt    time.Time `json:"made_at"`
	Until     time.Time `json:"until"`
	Actor     string    `json:"actor,omitempty"`
	Client    string    `json:"client,omitempty"`
	Note      string    `json:"note,omitempty"`
}

func stockReservationsCommand(e *env) *cobra.Command {
	var o stockOptions
	cmd := &cobra.Command{
		Use:     "reservations",
		Short:   "List what is held for somebody, the first to lapse first",
		Example: `  mcpstore stock reservations --store KOKO大安`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd, e, func(ctx context.Context, db database) error {
				return listReservations(ctx, e, db, &o)
			})
		},
	}
	o.addFlags(cmd, e, "only in this `store`")
	return cmd
}

func listReservations(ctx context.Context, e *env, db database, o *stockOptions) error {
	var q store.ReservationQuery
	if o.store != "" {
		shop, err := findShop(ctx, db, o.store)
		if err != nil {
			return err
		}
		q.ShopID = shop.ID
	}
	out := []heldJSON{}
	list := newTable(">RESERVATION", "STORE", "PRODUCT", ">HELD", "UNTIL", "WHO", "NOTE")
	err := each(func(page store.Page) ([]store.Reservation, string, error) {
		q.Page = page
		return db.Reservations(ctx, q)
	}, func(r store.Reservation) (bool, error) {
		if o.json {
			out = append(out, heldJSON{r.ID, r.ShopID, r.ProductID, r.Quantity, e.local(r.MadeAt), e.local(r.Until), r.Actor, r.Client, r.Note})
			return true, nil
		}
		shop, product := namesOf(ctx, db, r.ShopID, r.ProductID)
		list.add(r.ID, shop, product, r.Quantity, e.localTime(r.Until), r.Actor, r.Note)
		return true, nil
	})
	switch {
	case err != nil:
		return err
	case o.json:
		return printJSON(e.stdout, out)
	case len(list.rows) == 0:
		fmt.Fprintln(e.stderr, "mcpstore: nothing is reserved")
		return nil
	}
	return list.print(e.stdout)
}

func stockReleaseCommand(e *env) *cobra.Command {
	var o stockOptions
	cmd := &cobra.Command{
		Use:   "release RESERVATION",
		Short: "Let go what is held for somebody, whoever asked for it",
		Example: `  mcpstore stock reservations     shows the numbers of reservations
  mcpstore stock release 12`,
		Args: one("the number of one reservation", "12"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := idArgument(args, "reservation", "mcpstore stock reservations")
			if err != nil {
				return err
			}
			return o.with(cmd, e, func(ctx context.Context, db database) error {
				r, err := db.Release(ctx, store.Release{Reservation: id})
				switch {
				case errors.Is(err, store.ErrNotFound):
					return &failure{fmt.Errorf("there is no reservation %d", id), "mcpstore stock reservations lists them"}
				case errors.Is(err, store.ErrReservationExpired):
					return &failure{fmt.Errorf("reservation %d has lapsed by itself", id), "there is nothing to release"}
				case err != nil:
					return err
				}
				return (&changeOptions{stockOptions: o}).printReceipt(ctx, e, db, r)
			})
		},
	}
	o.addFlags(cmd, e, "")
	return cmd
}

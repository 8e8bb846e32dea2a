package storetest

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mcpstore/mcpstore/internal/store"
)

// testLapse only reads after the reservations have ended.
func testLapse(t *testing.T, d *desk) {
	made := d.must(store.Reserve{ShopID: "a1", ProductID: "egg", Quantity: 10}).Reservation
	longer := d.must(store.Reserve{ShopID: "b1", ProductID: "egg", Quantity: 3, For: time.Hour}).Reservation
	if want := made.MadeAt.Add(30 * time.Minute); !made.Until.Equal(want) {
		t.Errorf("held until %v, want %v", made.Until, want)
	}
	for _, read := range map[string]func() (reserved int64){
		"Level": func() int64 { return d.level("a1", "egg").Reserved },
		"Levels": func() int64 {
			levels, _, err := d.Levels(t.Context(), store.LevelQuery{ProductID: "egg", InStock: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range levels {
				if l.Shop.ID == "a1" {
					return l.Reserved
				}
			}
			return 10 // not in stock
		},
		"Total": func() int64 {
			total, err := d.Total(t.Context(), "egg", "a")
			if err != nil {
				t.Fatal(err)
			}
			return total.Reserved
		},
		"Products": func() int64 {
			products, _, err := d.Products(t.Context(), store.ProductQuery{Text: "茶葉蛋", Match: store.Exact, ShopID: "a1", InStock: true})
			if err != nil {
				t.Fatal(err)
			}
			return int64(10 * (1 - len(products)))
		},
		"LowStock": func() int64 {
			low, _, err := d.LowStock(t.Context(), store.LowStockQuery{ShopID: "a1"})
			if err != nil {
				t.Fatal(err)
			}
			return int64(10 * len(low))
		},
		"Reservation": func() int64 {
			r, err := d.Reservation(t.Context(), made.ID)
			if err != nil {
				t.Fatal(err)
			}
			if r.State != store.Held {
				return 0
			}
			return r.Quantity
		},
		"Reservations": func() int64 {
			held, _, err := d.Reservations(t.Context(), store.ReservationQuery{ShopID: "a1"})
			if err != nil {
				t.Fatal(err)
			}
			return int64(10 * len(held))
		},
	} {
		d.wait(made.Until.Sub(d.now()) - 1*time.Microsecond)
		if got := read(); got != 10 {
			t.Errorf("a moment before the end %d are reserved, want 10", got)
		}
		d.wait(time.Microsecond)
		if got := read(); got != 0 {
			t.Errorf("at the end %d are reserved, want 0", got)
		}
		made = d.must(store.Reserve{ShopID: "a1", ProductID: "egg", Quantity: 10, For: time.Second}).Reservation
	}
	d.checkLevel("b1", "egg", 3, 3)

	// It ends when it should have, whenever that is noticed.
	d.wait(48 * time.Hour)
	got, err := d.Reservation(t.Context(), longer.ID)
	if err != nil || got.State != store.Lapsed || !got.EndedAt.Equal(longer.Until) {
		t.Errorf("Reservation = %+v, %v, want it lapsed at %v", got, err, longer.Until)
	}
	if l := d.level("b1", "egg"); l.Reserved != 0 || !l.AsOf.Equal(longer.Until) {
		t.Errorf("level %+v, want nothing reserved as of %v", l, longer.Until)
	}
}

func testRelease(t *testing.T, d *desk) {
	made := d.must(reserve("a1", 4)).Reservation
	d.checkLevel("a1", "egg", 10, 4)
	d.wait(time.Minute)
	got := d.must(store.Release{Reservation: made.ID})
	want := *made
	want.State, want.EndedAt = store.Released, d.now()
	if diff := gocmp.Diff(&want, got.Reservation); diff != "" || len(got.Movements) > 0 {
		t.Errorf("receipt: %v (-want +got):\n%s", got.Movements, diff)
	}
	if l := got.Levels[0]; l.Before.Reserved != 4 || l.After.Reserved != 0 {
		t.Errorf("level %+v, want 4 reserved before and 0 after", l)
	}
	d.checkLevel("a1", "egg", 10, 0)
}

func testReservations(t *testing.T, d *desk) {
	var made []store.Reservation
	for i, r := range []store.Reserve{
		{ShopID: "a1", ProductID: "egg", Quantity: 1, For: time.Hour},
		{ShopID: "a1", ProductID: "tea", Quantity: 1, For: time.Minute},
		{ShopID: "b1", ProductID: "egg", Quantity: 1, For: time.Minute, Note: "陳小姐"},
		{ShopID: "a1", ProductID: "egg", Quantity: 2, For: 30 * time.Minute},
		{ShopID: "a1", ProductID: "egg", Quantity: 3, For: 2 * time.Minute},
	} {
		made = append(made, *d.must(r).Reservation)
		if i == 4 {
			d.must(store.Release{Reservation: made[4].ID})
		}
	}
	for _, tt := range []struct {
		q    store.ReservationQuery
		want []store.Reservation
	}{
		{store.ReservationQuery{}, []store.Reservation{made[1], made[2], made[3], made[0]}},
		{store.ReservationQuery{ShopID: "a1"}, []store.Reservation{made[1], made[3], made[0]}},
		{store.ReservationQuery{ProductID: "egg"}, []store.Reservation{made[2], made[3], made[0]}},
		{store.ReservationQuery{ShopID: "a1", ProductID: "egg"}, []store.Reservation{made[3], made[0]}},
		{store.ReservationQuery{ShopID: "a2"}, nil},
		{store.ReservationQuery{ShopID: "nowhere"}, nil},
	} {
		for _, n := range []int{1, 2, 100} {
			got := pages(t, n, func(p store.Page) ([]store.Reservation, string, error) {
				tt.q.Page = p
				return d.Reservations(t.Context(), tt.q)
			})
			if diff := gocmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Reservations(%+v) (-want +got):\n%s", tt.q, diff)
			}
		}
	}
}

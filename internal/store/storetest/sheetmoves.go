package storetest

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/store"
)

func testImportTwice(t *testing.T, openAt OpenAt) {
	rows := []store.Row{
		stock("大安店", "茶葉蛋", 5, barcode("4710000000012"), price("13"), chain("KOKO")),
		stock("大安店", "奶茶", 0),
		stock("信義店", "茶葉蛋", 7, expiry("2026-12-01")),
		product(store.Product{Name: "雨傘", Aliases: []string{"傘"}, Names: map[string]string{"en": "Umbrella"}}),
		shop(store.Shop{Name: "板橋店", Location: &store.Location{Latitude: 25, Longitude: 121.5}}),
	}
	s, first := imported(t, openAt, rows)
	checkReport(t, first, "3 new shops, 3 new products, 3 new")
	if first.Rows != 5 || first.Levels != 3 {
		t.Errorf("%d rows and %d levels, want 5 and 3", first.Rows, first.Levels)
	}
	want := []string{"信義店|4710000000012|7|2026-12-01", "大安店|奶茶|0", "大安店|4710000000012|5", "板橋店|", "|雨傘"}
	checkContent(t, s, want...)
	moved := movements(t, s)
	checkReport(t, mustImport(t, s, store.ImportOptions{}, rows...), "")
	checkContent(t, s, want...)
	if diff := gocmp.Diff(moved, movements(t, s)); diff != "" {
		t.Errorf("movements (-before +after):\n%s", diff)
	}
}

func testImportMovesStock(t *testing.T, openAt OpenAt) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	s := openAt(t, store.Catalog{}, func() time.Time { return now })
	mustImport(t, s, store.ImportOptions{}, stock("甲", "蛋", 5), stock("甲", "茶", 3), stock("甲", "糖", 2))
	began := now
	now = now.Add(time.Hour)
	ctx := store.WithCaller(t.Context(), store.Caller{ID: "user:mei", Client: "mcpstore 1.0"})
	report, err := s.Import(ctx, rowsOf(stock("甲", "蛋", 9), stock("甲", "茶", 1), stock("甲", "糖", 2), stock("乙", "蛋", 0)),
		store.ImportOptions{Note: "庫存.csv"})
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, report, "1 new shops, 1 new, 1 up, 1 down")
	checkContent(t, s, "乙|蛋|0", "甲|糖|2", "甲|茶|1", "甲|蛋|9")
	for product, want := range map[string]time.Time{"蛋": now, "茶": now, "糖": began} {
		if l, err := s.Level(t.Context(), "甲", product); err != nil || !l.AsOf.Equal(want) {
			t.Errorf("%s is as of %v, %v, want %v", product, l.AsOf, err, want)
		}
	}
	got, _, err := s.Movements(t.Context(), store.MovementQuery{ShopID: "甲", ProductID: "茶"})
	if err != nil {
		t.Fatal(err)
	}
	want := store.Movement{ID: got[0].ID, Group: got[0].ID, At: now, ShopID: "甲", ProductID: "茶", Delta: -2, Reason: store.Imported,
		Note: "庫存.csv", Actor: "user:mei", Client: "mcpstore 1.0", Before: store.Level{OnHand: 3}, After: store.Level{OnHand: 1}}
	if diff := gocmp.Diff(want, got[0]); diff != "" {
		t.Errorf("movement (-want +got):\n%s", diff)
	}
	if _, err := s.Undo(t.Context(), store.Undo{Movement: got[0].ID}); err != nil {
		t.Errorf("undo: %v", err)
	}
	checkContent(t, s, "乙|蛋|0", "甲|糖|2", "甲|茶|3", "甲|蛋|9")
}

func testImportReportsExamples(t *testing.T, openAt OpenAt) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	s := openAt(t, store.Catalog{}, func() time.Time { return now })
	mustImport(t, s, store.ImportOptions{}, stock("甲", "蛋", 5), stock("甲", "茶", 3))
	report := mustImport(t, s, store.ImportOptions{MaxExamples: 1},
		stock("甲", "蛋", 6, price("10")), stock("甲", "茶", 4), stock("乙", "蛋", 1), stock("丙", "蛋", 1))
	checkReport(t, report, "2 new shops, 1 changed products, 2 new, 2 up")
	if diff := gocmp.Diff([]store.LevelChange{{ShopID: "甲", ProductID: "蛋",
		Before: store.Level{OnHand: 5, AsOf: now}, After: store.Level{OnHand: 6, AsOf: now}}}, report.Up.First); diff != "" {
		t.Errorf("up (-want +got):\n%s", diff)
	}
	if len(report.New.First) != 1 || !report.New.First[0].New {
		t.Errorf("new levels are %+v, want one that is new", report.New.First)
	}
	if diff := gocmp.Diff([]store.Shop{{ID: "乙", Name: "乙"}}, report.NewShops.First); diff != "" {
		t.Errorf("new shops (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]store.Product{{ID: "蛋", Name: "蛋", Price: "10", Currency: "TWD"}}, report.ChangedProducts.First); diff != "" {
		t.Errorf("changed products (-want +got):\n%s", diff)
	}
}

func testImportLots(t *testing.T, openAt OpenAt) {
	const soon, later = store.Date("2026-12-01"), store.Date("2026-12-24")
	s, _ := imported(t, openAt, []store.Row{stock("甲", "蛋", 5, expiry(soon)), stock("甲", "蛋", 3, expiry(later)), stock("甲", "蛋", 2)})
	checkContent(t, s, "甲|蛋|5|2026-12-01", "甲|蛋|3|2026-12-24", "甲|蛋|2")
	if l, err := s.Level(t.Context(), "甲", "蛋"); err != nil || l.OnHand != 10 {
		t.Errorf("level is %+v, %v, want 10", l, err)
	}
	// As many as before, of other dates.
	report := mustImport(t, s, store.ImportOptions{}, stock("甲", "蛋", 1, expiry(soon)), stock("甲", "蛋", 9))
	checkReport(t, report, "")
	checkContent(t, s, "甲|蛋|1|2026-12-01", "甲|蛋|9")
	got := movements(t, s)[:3]
	if diff := gocmp.Diff([]string{"甲 蛋 -32026-12-24", "甲 蛋 -42026-12-01", "甲 蛋 +7"}, got); diff != "" {
		t.Errorf("movements, newest first (-want +got):\n%s", diff)
	}
	// They are one deed, which is undone as one.
	page, _, err := s.Movements(t.Context(), store.MovementQuery{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Undo(t.Context(), store.Undo{Movement: page[0].ID}); err != nil {
		t.Fatal(err)
	}
	checkContent(t, s, "甲|蛋|5|2026-12-01", "甲|蛋|3|2026-12-24", "甲|蛋|2")
	checkReport(t, mustImport(t, s, store.ImportOptions{}, stock("甲", "蛋", 0, expiry(soon)), stock("甲", "蛋", 0)), "1 down")
	checkContent(t, s, "甲|蛋|0")
}

func testImportGivesWay(t *testing.T, openAt OpenAt) {
	s, _ := imported(t, openAt, []store.Row{stock("甲", "蛋", 10), stock("甲", "茶", 5), stock("乙", "蛋", 4)})
	var held []int64
	for _, r := range []store.Reserve{
		{ShopID: "甲", ProductID: "蛋", Quantity: 4}, {ShopID: "甲", ProductID: "蛋", Quantity: 3},
		{ShopID: "甲", ProductID: "蛋", Quantity: 1}, {ShopID: "乙", ProductID: "蛋", Quantity: 4},
	} {
		receipt, err := s.Reserve(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, receipt.Reservation.ID)
	}
	report := mustImport(t, s, store.ImportOptions{}, stock("甲", "蛋", 5), stock("乙", "蛋", 4))
	checkReport(t, report, "1 down, 2 released")
	var gone []int64
	for _, r := range report.Released {
		if gone = append(gone, r.ID); r.State != store.Released || r.EndedAt.IsZero() || r.ShopID != "甲" || r.ProductID != "蛋" {
			t.Errorf("released is %+v", r)
		}
	}
	if diff := gocmp.Diff([]int64{held[2], held[1]}, gone); diff != "" {
		t.Errorf("released, newest first (-want +got):\n%s", diff)
	}
	if l, err := s.Level(t.Context(), "甲", "蛋"); err != nil || l.OnHand != 5 || l.Reserved != 4 {
		t.Errorf("level is %+v, %v, want 5, 4 of them reserved", l, err)
	}
	if c := report.Down.First[0]; c.Before.Reserved != 8 || c.After.Reserved != 4 {
		t.Errorf("reserved changes from %d to %d, want from 8 to 4", c.Before.Reserved, c.After.Reserved)
	}
	checkReport(t, mustImport(t, s, store.ImportOptions{Mode: store.Replace, RemoveStores: true}, stock("甲", "茶", 5)),
		"1 gone shops, 1 gone products, 2 gone, 2 released")
	checkContent(t, s, "甲|茶|5")
	if r, err := s.Reservation(t.Context(), held[0]); err != nil || r.State != store.Released || r.ProductID != "蛋" {
		t.Errorf("a reservation of what is gone is %+v, %v", r, err)
	}
}

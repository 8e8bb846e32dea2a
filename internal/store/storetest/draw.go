package storetest

import (
	"time"

	"pgregory.net/rapid"

	"github.com/mcpstore/mcpstore/internal/store"
)

// What random requests are made of: few of each, so that they meet.
var (
	drawShop     = rapid.SampledFrom([]string{"a1", "a1", "a1", "a2", "b1", "b1", "nowhere"})
	drawProduct  = rapid.SampledFrom([]string{"egg", "egg", "egg", "tea", "nothing"})
	drawQuantity = rapid.Int64Range(1, 12)
	drawExpiry   = rapid.SampledFrom([]store.Date{"", "", "2020-01-01", "2026-11-22", "2026-11-23", "2026-11-24", "2026-12-01", "2026-12-02", "2027-01-01"})
	drawNote     = rapid.SampledFrom([]string{"", "盤點"})
)

func drawCaller(rt *rapid.T) store.Caller {
	return rapid.SampledFrom([]store.Caller{{}, {ID: "wang", Client: "ChatGPT"}, {ID: "chen"}}).Draw(rt, "caller")
}

// drawOnce returns a Once of which some keys and tokens come again.
func drawOnce(rt *rapid.T, now time.Time) store.Once {
	once := store.Once{
		Key:    rapid.SampledFrom([]string{"", "", "", "k1", "k2", "k3", "k4", "k5"}).Draw(rt, "key"),
		Token:  rapid.SampledFrom([]string{"", "", "", "", "t1", "t2", "t3"}).Draw(rt, "token"),
		DryRun: rapid.IntRange(0, 5).Draw(rt, "dry run") == 0,
	}
	if once.Token != "" {
		once.TokenUntil = now.Add(1000 * time.Hour)
	}
	return once
}

// draw returns a random request of one kind.
func (p *pair) draw(rt *rapid.T, kind string) any {
	switch kind {
	case "move":
		r := store.Move{
			ShopID: drawShop.Draw(rt, "shop"), ProductID: drawProduct.Draw(rt, "product"), Delta: drawQuantity.Draw(rt, "delta"),
			Reason: rapid.SampledFrom([]store.Reason{store.Delivery, store.Sale, store.Sale, store.Waste, store.Correction}).Draw(rt, "reason"),
			Expiry: drawExpiry.Draw(rt, "expiry"), Note: drawNote.Draw(rt, "note"),
		}
		if r.Reason == store.Sale || r.Reason == store.Waste || r.Reason == store.Correction && rapid.Bool().Draw(rt, "less") {
			r.Delta = -r.Delta
		}
		if r.Reason == store.Delivery && rapid.IntRange(0, 9).Draw(rt, "huge") == 0 {
			r.Delta = store.MaxQuantity
		}
		return r
	case "count":
		return store.Count{ShopID: drawShop.Draw(rt, "shop"), ProductID: drawProduct.Draw(rt, "product"),
			Quantity: rapid.Int64Range(0, 20).Draw(rt, "quantity"), Note: drawNote.Draw(rt, "note")}
	case "transfer":
		return store.Transfer{FromShopID: drawShop.Draw(rt, "from"), ToShopID: drawShop.Draw(rt, "to"),
			ProductID: drawProduct.Draw(rt, "product"), Quantity: drawQuantity.Draw(rt, "quantity")}
	case "reserve":
		return store.Reserve{ShopID: drawShop.Draw(rt, "shop"), ProductID: drawProduct.Draw(rt, "product"),
			Quantity: rapid.Int64Range(1, 5).Draw(rt, "quantity"), Note: drawNote.Draw(rt, "note"),
			For: rapid.SampledFrom([]time.Duration{0, store.MinHold, 20 * time.Minute, store.MaxHold}).Draw(rt, "for")}
	case "release":
		return store.Release{Reservation: drawID(rt, p.reservations)}
	}
	return store.Undo{Movement: drawID(rt, p.movements), Note: drawNote.Draw(rt, "note")}
}

// drawID returns an ID, mostly one of the last and now and then none that exists.
func drawID(rt *rapid.T, ids []int64) int64 {
	if len(ids) == 0 || rapid.IntRange(0, 9).Draw(rt, "none") == 0 {
		return 1 << 40
	}
	return ids[len(ids)-1-rapid.IntRange(0, min(len(ids)-1, 8)).Draw(rt, "back")]
}

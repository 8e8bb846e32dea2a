package tools

import (
	"context"
	"fmt"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// What became of a change that was asked for.
const (
	statusDone        status = "done"
	statusUnconfirmed status = "confirmation_required"
	statusDeclined    status = "declined"
	statusRefused     status = "refused"
)

// changed is the answer of every tool that changes the stock.
type changed struct {
	Status status `json:"status"`
	annotations
	Confirmation string        `json:"confirmation,omitempty"` // to send in a second call
	Replayed     bool          `json:"replayed,omitempty"`
	Levels       []levelChange `json:"levels,omitempty"`
	Movements    []moved       `json:"movements,omitempty"`
	Reservation  *held         `json:"reservation,omitempty"` // made, or ended
	Released     []held        `json:"released,omitempty"`    // that had to give way
}

type levelChange struct {
	Store   shopRef    `json:"store"`
	Product productRef `json:"product"`
	Before  amounts    `json:"before"`
	After   amounts    `json:"after"`
}

type amounts struct {
	OnHand    int64 `json:"on_hand"`
	Reserved  int64 `json:"reserved"`
	Expired   int64 `json:"expired,omitempty"`
	Available int64 `json:"available"`
}

type moved struct {
	ID       int64      `json:"id"`
	StoreID  string     `json:"store_id"`
	Delta    int64      `json:"delta"`
	Expiry   store.Date `json:"expiry,omitempty"`
	Reverses int64      `json:"reverses,omitempty"`
}

// held is a reservation.
type held struct {
	ID       int64                  `json:"id"`
	Quantity int64                  `json:"quantity"`
	Until    string                 `json:"until"`
	State    store.ReservationState `json:"state"`
	Note     string                 `json:"note,omitempty"`
}

func amountsOf(l store.Level) amounts {
	return amounts{OnHand: l.OnHand, Reserved: l.Reserved, Expired: l.Expired, Available: l.Available()}
}

func (h *handler) heldOf(r store.Reservation) held {
	return held{ID: r.ID, Quantity: r.Quantity, Until: h.timestamp(r.Until), State: r.State, Note: oneLine(r.Note)}
}

func (h *handler) heldOfAll(reservations []store.Reservation) []held {
	var list []held
	for _, r := range reservations {
		list = append(list, h.heldOf(r))
	}
	return list
}

// describe tells a receipt in a line and as data. It cannot fail: what it
// tells of has happened.
func (h *handler) describe(ctx context.Context, say language, r store.Receipt) (string, changed) {
	out := changed{Status: statusDone, Replayed: r.Replayed, Released: h.heldOfAll(r.Released)}
	var lines []string
	for _, l := range r.Levels {
		shop, product := h.shopOf(ctx, l.ShopID), h.productOf(ctx, l.ProductID)
		out.Levels = append(out.Levels, levelChange{refShop(shop), refProduct(product), amountsOf(l.Before), amountsOf(l.After)})
		lines = append(lines, levelLine(say, shop, product, l))
	}
	for _, m := range r.Movements {
		out.Movements = append(out.Movements, moved{m.ID, m.ShopID, m.Delta, m.Expiry, m.Reverses})
	}
	if r.Reservation != nil {
		out.Reservation = new(h.heldOf(*r.Reservation))
	}
	line := strings.Join(lines, say.say("，", ", ")) + say.say("（%s）", " (%s)", h.deed(say, r))
	if len(r.Released) > 0 {
		line += say.say("；因此放開了保留：%s", "; this released reservation %s", say.list(numbers(say, r.Released), false))
	}
	return line, out
}

// levelLine is a level before and after: on hand, or what is available where
// only that changed.
func levelLine(say language, shop store.Shop, p store.Product, l store.LevelChange) string {
	before, after, line := l.Before.OnHand, l.After.OnHand, say.say("%[1]s %[2]s：", "%[2]s at %[1]s: ", oneLine(shop.Name), say.product(p))
	if before == after && l.Before.Reserved != l.After.Reserved {
		before, after = l.Before.Available(), l.After.Available()
		line += say.say("可賣 ", "available ")
	}
	line += fmt.Sprintf("%d → %s", before, say.count(after, p))
	if l.New {
		line += say.say("，之前沒有賣", ", not carried before")
	}
	var besides []string // of what is on hand
	if l.After.Reserved > 0 && l.Before.OnHand != l.After.OnHand {
		besides = append(besides, say.say("%d %s已保留", "%[1]d reserved", l.After.Reserved, unit(p)))
	}
	if l.After.Expired > 0 && l.Before.OnHand != l.After.OnHand {
		besides = append(besides, say.say("%d %s已過期", "%[1]d expired", l.After.Expired, unit(p)))
	}
	if len(besides) > 0 {
		line += say.say("，其中 %s", ", of which %s", say.rows(besides, false))
	}
	return line
}

// deed is what was done, in few words.
func (h *handler) deed(say language, r store.Receipt) string {
	if made := r.Reservation; made != nil && made.State == store.Held {
		return say.say("保留 %d，到 %s", "%d reserved until %s", made.Quantity, h.clockTime(made.Until))
	} else if made != nil {
		return say.say("放開 %d", "%d released", made.Quantity)
	}
	if len(r.Movements) == 0 {
		return say.say("不變", "unchanged")
	}
	first := r.Movements[0]
	if first.Reverses != 0 {
		undone := first.Reverses // and what was done in one go with it
		for _, m := range r.Movements {
			undone = min(undone, m.Reverses)
		}
		return say.say("復原異動 %d", "movement %d undone", undone)
	}
	var delta int64
	var lots []string
	dated := false
	for _, m := range r.Movements {
		if m.ShopID != first.ShopID {
			continue
		}
		delta += m.Delta
		dated = dated || m.Expiry != ""
		if m.Expiry == "" {
			lots = append(lots, say.say("無效期 %d", "%d without a date", magnitude(m.Delta)))
		} else {
			lots = append(lots, say.say("%[2]s 到期 %[1]d", "%[1]d expiring %[2]s", magnitude(m.Delta), m.Expiry))
		}
	}
	text := say.moved(first.Reason, delta)
	switch {
	case dated && len(lots) == 1:
		text += say.say("，%s 到期", ", expiring %s", first.Expiry)
	case dated:
		text += say.say("：", ": ") + say.list(lots, false)
	}
	return text
}

// moved is why how much moved.
func (l language) moved(why store.Reason, delta int64) string {
	n := magnitude(delta)
	switch why {
	case store.Delivery:
		return l.say("進貨 %d", "%d delivered", n)
	case store.Sale:
		return l.say("賣出 %d", "%d sold", n)
	case store.Waste:
		return l.say("報廢 %d", "%d wasted", n)
	case store.Counted:
		if delta == 0 {
			return l.say("盤點相符", "counted, as expected")
		}
		return l.say("盤點 %+d", "counted, %+d", delta)
	case store.Transferred:
		return l.say("調撥 %d", "%d transferred", n)
	case store.Imported:
		return l.say("匯入 %+d", "imported, %+d", delta)
	default:
		return l.say("更正 %+d", "corrected by %+d", delta)
	}
}

func magnitude(n int64) int64 { return max(n, -n) }

// numbers are those of reservations, and how much they held.
func numbers(say language, reservations []store.Reservation) []string {
	var list []string
	for _, r := range reservations {
		list = append(list, say.say("編號 %d（%d）", "%d (%d)", r.ID, r.Quantity))
	}
	return list
}

// shopOf is the shop with the given ID or, where it cannot be had, one that is
// called by it.
func (h *handler) shopOf(ctx context.Context, id string) store.Shop {
	s, err := h.store.Shop(ctx, id)
	if err != nil {
		return store.Shop{ID: id, Name: id}
	}
	return s
}

// productOf is the product with the given ID, likewise.
func (h *handler) productOf(ctx context.Context, id string) store.Product {
	p, err := h.store.Product(ctx, id)
	if err != nil {
		return store.Product{ID: id, Name: id}
	}
	return p
}

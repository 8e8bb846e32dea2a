package tools

import (
	"context"
	"fmt"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// soon is how many days ahead list_expiring looks unless told: what a
// convenience store marks down.
const soon = 3

type listExpiringInput struct {
	Store  string
	Days   *int64
	Limit  int64
	Cursor string
}

func (h *handler) listExpiringTool() tool[listExpiringInput] {
	type in = listExpiringInput
	return tool[in]{
		name:        "list_expiring",
		title:       "即期品 List expiring stock",
		description: `What expires soon (即期品) or has expired, earliest first, with how many of each date: in a store, a chain, or everywhere. Only stock with a known expiry date is there.`,
		params: params[in]{list: append([]param[in]{
			placeParam(func(in *in) *string { return &in.Store }),
			{name: "within_days", example: "3", maximum: 3650,
				description: "Up to this many days from today; default 3",
				integer:     func(in *in) *int64 { in.Days = new(int64); return in.Days }},
		}, pageParams(func(in *in) (*int64, *string) { return &in.Limit, &in.Cursor })...)},
		card:   true,
		answer: h.listExpiring,
	}
}

// lotList is the answer of list_expiring.
type lotList struct {
	Status status `json:"status"`
	annotations
	Store *shopRef   `json:"store,omitempty"` // the shop asked about
	Chain string     `json:"chain,omitempty"` // or else the chain
	Until store.Date `json:"until,omitempty"` // the last day that was looked at
	Lots  []lotItem  `json:"lots"`
	choices
}

type lotItem struct {
	Store    shopRef    `json:"store"`
	Product  productRef `json:"product"`
	OnHand   int64      `json:"on_hand"`
	Unit     string     `json:"unit,omitempty"`
	Expiry   store.Date `json:"expiry"`
	State    string     `json:"state"`
	DaysLeft int        `json:"days_left"` // below 0 once expired
}

func (h *handler) listExpiring(ctx context.Context, meta *mcp.Meta, in listExpiringInput) (answer, error) {
	say := languageOf(meta, in.Store)
	out := lotList{Status: statusFound, Lots: []lotItem{}}
	where, ask, err := h.within(ctx, say, in.Store)
	if err != nil {
		return answer{}, err
	}
	if ask != nil {
		out.Status, out.choices = ask.status, ask.choices
		return answer{say: say, text: ask.text, data: &out}, nil
	}
	out.Store, out.Chain = where.refs()
	days := soon
	if in.Days != nil {
		days = int(*in.Days)
	}
	today := h.today()
	out.Until = today.AddDays(days)
	lots, next, err := h.store.Expiring(ctx, store.ExpiringQuery{
		ShopID: where.shop.ID, Chain: where.chain, Through: out.Until,
		Page: store.Page{Limit: int(in.Limit), Cursor: in.Cursor},
	})
	if err != nil {
		return answer{}, err
	}
	if out.NextCursor = next; len(lots) == 0 {
		out.Status = statusNone
		return answer{say: say, text: where.prefix(say) + say.say("到 %s 為止沒有到期的商品", "nothing that has a date expires by %s", out.Until), data: &out}, nil
	}
	lines := make([]string, len(lots))
	for i, l := range lots {
		left := daysBetween(today, l.Expiry)
		state, when := expiring(say, left)
		out.Lots = append(out.Lots, lotItem{refShop(l.Shop), refProduct(l.Product), l.OnHand, oneLine(l.Product.Unit), l.Expiry, state, left})
		lines[i] = where.item(say, l.Shop, l.Product) + say.say(" %s（%s）", ": %s (%s)", say.count(l.OnHand, l.Product), when)
	}
	line := say.say("%d 批即期或過期：%s", "%d expiring or expired: %s", len(lots), say.rows(lines, next != ""))
	return answer{say: say, text: where.prefix(say) + page(say, line, in.Cursor, next), data: &out}, nil
}

// expiring says how far off a day is, for programs and for people.
func expiring(say language, left int) (state, when string) {
	days := fmt.Sprint(magnitude(int64(left)), " days")
	if left == 1 || left == -1 {
		days = "1 day"
	}
	switch {
	case left < 0:
		return "expired", say.say("過期 %[1]d 天", "expired %[2]s ago", -left, days)
	case left == 0:
		return "today", say.say("今天到期", "expires today")
	default:
		return "soon", say.say("%[1]d 天後到期", "expires in %[2]s", left, days)
	}
}

// daysBetween is how many days later b is than a.
func daysBetween(a, b store.Date) int {
	from, _ := time.Parse(time.DateOnly, string(a))
	to, _ := time.Parse(time.DateOnly, string(b))
	return int(to.Sub(from) / (24 * time.Hour))
}

package tools

import (
	"context"
	"errors"
	"math"
	"strconv"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

type listStoresInput struct {
	Query  string
	Near   *store.Location
	Limit  int64
	Cursor string
}

func (h *handler) listStoresTool() tool[listStoresInput] {
	type in = listStoresInput
	return tool[in]{
		name:        "list_stores",
		title:       "門市清單 List stores",
		description: `Stores with address, opening hours and, where a place is known, distance, nearest first. Use it for "which stores are there", "where is …" and "the nearest". For who has a product, call check_stock.`,
		params: params[in]{list: []param[in]{
			{name: "query", example: `"大安"`, maxLength: 200,
				description: "Part of the name of a store or chain",
				text:        func(in *in) *string { return &in.Query }},
			{name: "near", example: examplePoint,
				description: "Where to measure from, in degrees; else the user's place, if known",
				point:       func(in *in) **store.Location { return &in.Near }},
			{name: "limit", example: "20", minimum: 1, maximum: store.MaxLimit,
				description: "Stores a page; default 20",
				integer:     func(in *in) *int64 { return &in.Limit }},
			{name: "cursor", example: `"next_cursor of the page before"`, maxLength: 500,
				description: "next_cursor of the page before",
				text:        func(in *in) *string { return &in.Cursor }},
		}},
		answer: h.listStores,
	}
}

// storeList is the answer of list_stores.
type storeList struct {
	Status status `json:"status"`
	annotations
	SortedBy string      `json:"sorted_by"` // "distance" or "name"
	Stores   []storeItem `json:"stores"`
	choices
}

type storeItem struct {
	shopRef
	Address    string   `json:"address,omitempty"`
	Latitude   *float64 `json:"latitude,omitempty"`
	Longitude  *float64 `json:"longitude,omitempty"`
	Hours      string   `json:"hours,omitempty"`
	DistanceKm *float64 `json:"distance_km,omitempty"`
}

func (h *handler) listStores(ctx context.Context, meta *mcp.Meta, in listStoresInput) (answer, error) {
	say := languageOf(meta, in.Query)
	if in.Near == nil {
		in.Near = userLocation(meta)
	}
	out := storeList{Status: statusFound, SortedBy: "name", Stores: []storeItem{}}
	if in.Near != nil {
		out.SortedBy = "distance"
	}
	shops, next, err := h.storesCalled(ctx, in)
	if err != nil {
		return answer{}, err
	}
	if len(shops) == 0 && in.Query != "" && in.Cursor == "" {
		// It may name a shop in another way, such as chain and branch.
		f, err := h.findPlace(ctx, in.Query)
		if err != nil {
			return answer{}, err
		}
		if !f.ok || f.one.chain != "" {
			return noStores(say, in.Query, f, out), nil
		}
		shops = []store.Shop{f.one.shop}
	}
	names := namesOf(say, options(shops, shopOption))
	for i, s := range shops {
		item := refStore(s, in.Near)
		if item.DistanceKm != nil {
			names[i] += " " + strconv.FormatFloat(*item.DistanceKm, 'f', -1, 64) + say.say(" 公里", " km")
		}
		out.Stores = append(out.Stores, item)
	}
	out.NextCursor = next
	if len(shops) == 0 {
		out.Status = statusNone
		return answer{say: say, text: say.say("沒有門市", "There are no stores"), data: &out}, nil
	}
	line := say.say("%d 間門市：%s", "%d stores: %s", len(shops), say.rows(names, next != ""))
	line = page(say, line, in.Cursor, next)
	if in.Near != nil {
		line = say.say("由近到遠，", "Nearest first. ") + line
	}
	return answer{say: say, text: line, data: &out}, nil
}

// storesCalled returns a page of the shops that in asks for. A query that is a
// chain means its shops, whatever they are called; one that is no shop's name
// may be a part of addresses.
func (h *handler) storesCalled(ctx context.Context, in listStoresInput) ([]store.Shop, string, error) {
	q := store.ShopQuery{Text: in.Query, Near: in.Near, Page: store.Page{Limit: int(in.Limit), Cursor: in.Cursor}}
	if in.Query == "" {
		return h.store.Shops(ctx, q)
	}
	chains, err := h.store.Chains(ctx, in.Query, store.Exact, 2)
	if err != nil {
		return nil, "", err
	}
	if len(chains) == 1 {
		q.Text, q.Chain = "", chains[0].Name
		return h.store.Shops(ctx, q)
	}
	shops, next, err := h.store.Shops(ctx, q)
	// A cursor that is not of the list by name may be of the one by address.
	if err == nil && len(shops) == 0 && q.Cursor == "" || errors.Is(err, store.ErrBadCursor) {
		q.Text, q.Address = "", in.Query
		return h.store.Shops(ctx, q)
	}
	return shops, next, err
}

// noStores answers that no shop is called query, and what it may mean.
func noStores(say language, query string, f found[place], out storeList) answer {
	if f.ok { // a chain, which the query must name as it is called
		f = none[place]([]option{chainOption(store.Chain{Name: f.one.chain})})
	}
	out.Status, out.choices = statusNone, f.choices()
	return answer{say: say, text: f.ask(say, query, unknownStore), data: &out}
}

// refStore describes s and, where both places are known, how far it is.
func refStore(s store.Shop, from *store.Location) storeItem {
	item := storeItem{shopRef: refShop(s), Address: oneLine(s.Address), Hours: oneLine(s.Hours)}
	if s.Location == nil {
		return item
	}
	item.Latitude, item.Longitude = &s.Location.Latitude, &s.Location.Longitude
	if from != nil {
		item.DistanceKm = new(math.Round(kilometres(*from, *s.Location)*100) / 100)
	}
	return item
}

// kilometres is the distance between two points on the globe.
func kilometres(a, b store.Location) float64 {
	const radius = 6371
	return radius * a.Distance(b)
}

// userLocation is where the client says its user is, nil where it does not or
// where that is no place on the globe: it is a hint, and no reason to fail.
func userLocation(meta *mcp.Meta) *store.Location {
	hint, ok := meta.GetMetaField("openai/userLocation").(map[string]any)
	if !ok {
		return nil
	}
	var degrees [2]float64
	for i, key := range pointKeys {
		value := hint[key.name]
		if s, ok := value.(string); ok { // some clients quote them
			if f, err := strconv.ParseFloat(s, 64); err == nil {
				value = f
			}
		}
		f, ok := value.(float64)
		if !ok || !(math.Abs(f) <= key.bound) { // NaN neither
			return nil
		}
		degrees[i] = f
	}
	return &store.Location{Latitude: degrees[0], Longitude: degrees[1]}
}

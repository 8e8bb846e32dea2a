package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/page"
)

// Summary counts what there is.
func (db *DB) Summary(ctx context.Context) (store.Summary, error) {
	shops, products := db.names.Counts()
	return store.Summary{Shops: shops, Products: products, Demo: db.demo}, ctx.Err()
}

// Shop returns the shop with the given ID, or [store.ErrNotFound].
func (db *DB) Shop(ctx context.Context, id string) (store.Shop, error) {
	if err := ctx.Err(); err != nil {
		return store.Shop{}, err
	}
	return db.names.Shop(id)
}

// Product returns the product with the given ID, or [store.ErrNotFound].
func (db *DB) Product(ctx context.Context, id string) (store.Product, error) {
	if err := ctx.Err(); err != nil {
		return store.Product{}, err
	}
	return db.names.Product(id)
}

// Shops lists the shops that q asks for.
func (db *DB) Shops(ctx context.Context, q store.ShopQuery) ([]store.Shop, string, error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	return db.names.Shops(q)
}

// Chains lists the chains whose names match.
func (db *DB) Chains(ctx context.Context, text string, m store.Match, limit int) ([]store.Chain, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return db.names.Chains(text, m, limit), nil
}

// Products lists the products that q asks for.
func (db *DB) Products(ctx context.Context, q store.ProductQuery) (products []store.Product, next string, err error) {
	today := db.Today()
	err = db.view(ctx, func(s *state) error {
		somewhere := func(productID string, of func(store.Shop) bool) bool {
			for at, l := range s.levels {
				if at.productID == productID && (!q.InStock || l.on(today).Available() > 0) {
					if shop, err := db.names.Shop(at.shopID); err == nil && of(shop) {
						return true
					}
				}
			}
			return false
		}
		products, next, err = db.names.Products(q, func(id string) bool {
			return (q.ShopID == "" || somewhere(id, func(s store.Shop) bool { return s.ID == q.ShopID })) &&
				(q.Chain == "" || somewhere(id, func(s store.Shop) bool { return s.Chain == q.Chain })) &&
				(!q.InStock || q.ShopID+q.Chain != "" || somewhere(id, func(store.Shop) bool { return true }))
		})
		return err
	})
	return products, next, err
}

// Level returns the stock of one product in one shop, or [store.ErrNotFound].
func (db *DB) Level(ctx context.Context, shopID, productID string) (l store.Level, err error) {
	err = db.view(ctx, func(s *state) error {
		kept, carried := s.levels[place{shopID, productID}]
		if !carried {
			return fmt.Errorf("level of product %q in shop %q: %w", productID, shopID, store.ErrNotFound)
		}
		l = kept.on(db.Today())
		return nil
	})
	return l, err
}

// stock is a level with what it is of.
type stock struct {
	store.StockLevel
	lots []store.Lot
}

// stockOf returns the levels of the products and shops that are wanted, which
// compare orders.
func (db *DB) stockOf(s *state, wanted func(stock) bool, compare func(a, b stock) int) []stock {
	today := db.Today()
	var all []stock
	for at, l := range s.levels {
		shop, _ := db.names.Shop(at.shopID)
		product, _ := db.names.Product(at.productID)
		x := stock{store.StockLevel{Shop: shop, Product: product, Level: l.on(today)}, l.list()}
		if wanted(x) {
			all = append(all, x)
		}
	}
	slices.SortFunc(all, func(a, b stock) int {
		return cmp.Or(compare(a, b), db.names.CompareProducts(a.Product.ID, b.Product.ID), db.names.CompareShops(a.Shop.ID, b.Shop.ID))
	})
	return all
}

func in(shop store.Shop, id, chain string) bool {
	return (id == "" || shop.ID == id) && (chain == "" || shop.Chain == chain)
}

// list cuts a page out of rows, whose cursors are how they sort and where they
// are: a row that moved or went since the last page is still a place in the list.
func list[T any](rows []T, q any, p store.Page, key func(T) string, after func(T, string) (bool, error)) ([]T, string, error) {
	last, err := page.Last(q, p.Cursor)
	if err != nil {
		return nil, "", err
	}
	if last != "" {
		var rest []T
		for _, row := range rows {
			ok, err := after(row, last)
			if err != nil {
				return nil, "", err
			}
			if ok {
				rest = append(rest, row)
			}
		}
		rows = rest
	}
	rows, next := page.Cut(slices.Clip(rows), page.Limit(p.Limit), q, key)
	return rows, next, nil
}

// placeKey names a row for a cursor: what it sorts by first, its product and its
// shop.
func placeKey(first any, productID, shopID string) string {
	return fmt.Sprintf("%v %d %s%s", first, len(productID), productID, shopID)
}

func parsePlaceKey(key string) (first, productID, shopID string, ok bool) {
	var n int
	if _, err := fmt.Sscanf(key, "%s %d ", &first, &n); err != nil {
		return "", "", "", false
	}
	rest := key[len(first)+1+len(strconv.Itoa(n))+1:]
	if n < 0 || n > len(rest) {
		return "", "", "", false
	}
	return first, rest[:n], rest[n:], true
}

// afterKey reports whether a row that sorts by first, product and shop comes
// after the one that a cursor names.
func (db *DB) afterKey(compareFirst func(string) int, productID, shopID, key string) (bool, error) {
	first, product, shop, ok := parsePlaceKey(key)
	if ok {
		_, noProduct := db.names.Product(product)
		_, noShop := db.names.Shop(shop)
		ok = noProduct == nil && noShop == nil
	}
	if !ok {
		return false, store.ErrBadCursor
	}
	return cmp.Or(compareFirst(first), db.names.CompareProducts(productID, product), db.names.CompareShops(shopID, shop)) > 0, nil
}

func compareInt(n int64) func(string) int {
	return func(text string) int {
		other, _ := strconv.ParseInt(text, 10, 64)
		return cmp.Compare(n, other)
	}
}

// Levels lists where q's product is carried, most available first.
func (db *DB) Levels(ctx context.Context, q store.LevelQuery) (levels []store.ShopLevel, next string, err error) {
	err = db.view(ctx, func(s *state) error {
		rows := db.stockOf(s, func(x stock) bool {
			return x.Product.ID == q.ProductID && in(x.Shop, "", q.Chain) && (!q.InStock || x.Available() > 0)
		}, func(a, b stock) int { return cmp.Compare(b.Available(), a.Available()) })
		query := q
		query.Page = store.Page{}
		rows, next, err = list(rows, query, q.Page,
			func(x stock) string { return placeKey(-x.Available(), x.Product.ID, x.Shop.ID) },
			func(x stock, key string) (bool, error) {
				return db.afterKey(compareInt(-x.Available()), x.Product.ID, x.Shop.ID, key)
			})
		for _, x := range rows {
			levels = append(levels, store.ShopLevel{Shop: x.Shop, Level: x.Level})
		}
		return err
	})
	return levels, next, err
}

// Total sums a product's levels over the shops of chain, or over all shops.
func (db *DB) Total(ctx context.Context, productID, chain string) (t store.Total, err error) {
	err = db.view(ctx, func(s *state) error {
		for _, x := range db.stockOf(s, func(x stock) bool { return x.Product.ID == productID && in(x.Shop, "", chain) },
			func(stock, stock) int { return 0 }) {
			t.Add(x.Level)
		}
		return nil
	})
	return t, err
}

// LowStock lists the levels that are at or below where more should be ordered.
func (db *DB) LowStock(ctx context.Context, q store.LowStockQuery) (low []store.StockLevel, next string, err error) {
	err = db.view(ctx, func(s *state) error {
		rows := db.stockOf(s, func(x stock) bool {
			point, set := x.Product.ReorderPoint, x.Product.ReorderPoint > 0
			if q.Threshold != nil {
				point, set = *q.Threshold, true
			}
			return in(x.Shop, q.ShopID, q.Chain) && set && x.Available() <= point
		}, func(a, b stock) int { return cmp.Compare(a.Available(), b.Available()) })
		query := struct {
			store.LowStockQuery
			threshold int64
		}{LowStockQuery: q}
		if query.Page, query.Threshold = (store.Page{}), nil; q.Threshold != nil {
			query.threshold = *q.Threshold
		}
		rows, next, err = list(rows, query, q.Page,
			func(x stock) string { return placeKey(x.Available(), x.Product.ID, x.Shop.ID) },
			func(x stock, key string) (bool, error) {
				return db.afterKey(compareInt(x.Available()), x.Product.ID, x.Shop.ID, key)
			})
		for _, x := range rows {
			low = append(low, x.StockLevel)
		}
		return err
	})
	return low, next, err
}

// Lots returns the lots of a product in a shop, the first to expire first.
func (db *DB) Lots(ctx context.Context, shopID, productID string) (lots []store.Lot, err error) {
	err = db.view(ctx, func(s *state) error {
		lots = s.levels[place{shopID, productID}].list()
		return nil
	})
	return lots, err
}

// Expiring lists lots by their expiry date.
func (db *DB) Expiring(ctx context.Context, q store.ExpiringQuery) (lots []store.StockLot, next string, err error) {
	err = db.view(ctx, func(s *state) error {
		var rows []store.StockLot
		for _, x := range db.stockOf(s, func(x stock) bool { return in(x.Shop, q.ShopID, q.Chain) }, func(stock, stock) int { return 0 }) {
			for _, lot := range x.lots {
				if q.Through == "" || lot.Expiry <= q.Through {
					rows = append(rows, store.StockLot{Shop: x.Shop, Product: x.Product, Lot: lot})
				}
			}
		}
		slices.SortStableFunc(rows, func(a, b store.StockLot) int { return cmp.Compare(a.Expiry, b.Expiry) })
		query := q
		query.Page = store.Page{}
		lots, next, err = list(rows, query, q.Page,
			func(l store.StockLot) string { return placeKey(l.Expiry, l.Product.ID, l.Shop.ID) },
			func(l store.StockLot, key string) (bool, error) {
				return db.afterKey(func(first string) int { return cmp.Compare(string(l.Expiry), first) }, l.Product.ID, l.Shop.ID, key)
			})
		return err
	})
	return lots, next, err
}

// Movements lists what moved, newest first.
func (db *DB) Movements(ctx context.Context, q store.MovementQuery) (movements []store.Movement, next string, err error) {
	err = db.view(ctx, func(s *state) error {
		rows := s.movements
		if q.Group != 0 {
			rows, _ = s.Group(q.Group)
			slices.Reverse(rows)
		}
		var found []store.Movement
		for _, m := range slices.Backward(rows) {
			if (q.ShopID == "" || m.ShopID == q.ShopID) && (q.ProductID == "" || m.ProductID == q.ProductID) {
				found = append(found, m)
			}
		}
		query := q
		query.Page = store.Page{}
		movements, next, err = list(found, query, q.Page,
			func(m store.Movement) string { return strconv.FormatInt(m.ID, 10) },
			func(m store.Movement, last string) (bool, error) {
				id, err := strconv.ParseInt(last, 10, 64)
				return m.ID < id, err
			})
		return err
	})
	return movements, next, err
}

// Reservation returns the reservation with the given ID, or [store.ErrNotFound].
func (db *DB) Reservation(ctx context.Context, id int64) (r store.Reservation, err error) {
	err = db.view(ctx, func(s *state) error {
		r, err = s.Reservation(id)
		return err
	})
	return r, err
}

// Reservations lists those that are held, the first to lapse first.
func (db *DB) Reservations(ctx context.Context, q store.ReservationQuery) (held []store.Reservation, next string, err error) {
	err = db.view(ctx, func(s *state) error {
		rows := slices.DeleteFunc(s.held(), func(r store.Reservation) bool {
			return q.ShopID != "" && r.ShopID != q.ShopID || q.ProductID != "" && r.ProductID != q.ProductID
		})
		query := q
		query.Page = store.Page{}
		held, next, err = list(rows, query, q.Page,
			func(r store.Reservation) string { return fmt.Sprintf("%020d %020d", r.Until.UnixMicro(), r.ID) },
			func(r store.Reservation, last string) (bool, error) {
				return fmt.Sprintf("%020d %020d", r.Until.UnixMicro(), r.ID) > last, nil
			})
		return err
	})
	return held, next, err
}

package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// whole makes a database that has something in each table, by what the program
// does, and returns its path.
func whole(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "whole.db")
	now := time.Date(2026, 11, 3, 8, 0, 0, 0, time.UTC)
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Now: func() time.Time {
		now = now.Add(time.Second)
		return now
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := store.WithCaller(t.Context(), store.Caller{ID: "token:1", Client: "a client"})
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	north := store.Shop{ID: "north", Name: "甲 北店", Chain: "甲", Address: "臺北市中山路1號", Hours: "24 小時", Aliases: []string{"North"}, Location: &store.Location{Latitude: 25, Longitude: 121.5}}
	south := store.Shop{ID: "south", Name: "甲 南店", Chain: "甲", Address: "臺南市"}
	alone := store.Shop{ID: "alone", Name: "獨立店"}
	egg := store.Product{ID: "egg", SKU: "E1", Name: "茶葉蛋", Names: map[string]string{"en": "Tea egg"}, Aliases: []string{"滷蛋"}, Category: "熟食", Unit: "顆", Price: "13", Currency: "TWD", Barcodes: []string{"4710000000019"}}
	tea := store.Product{ID: "tea", Name: "綠茶", Category: "飲料", Barcodes: []string{"4710000000026"}}
	rice := store.Product{ID: "rice", Name: "御飯糰"}
	rows := []store.Row{
		{Shop: north, ChainAliases: []string{"A chain"}, Product: egg, Quantity: new(int64(10)), ReorderPoint: new(int64(5))},
		{Shop: north, Product: tea, Quantity: new(int64(4)), Expiry: "2026-11-20"},
		{Shop: north, Product: tea, Quantity: new(int64(6)), Expiry: "2026-12-20"},
		{Shop: south, Product: egg, Quantity: new(int64(3))},
		{Shop: south, Product: rice, Quantity: new(int64(0))},
		{Shop: alone, Product: egg, Quantity: new(int64(8))},
		{Shop: store.Shop{ID: "gone", Name: "丙店"}, Product: store.Product{ID: "old", Name: "舊商品"}, Quantity: new(int64(2))},
	}
	must(db.Import(ctx, rowsOf(rows...), store.ImportOptions{}))
	must(db.Import(ctx, rowsOf(rows[:6]...), store.ImportOptions{Mode: store.Replace, RemoveStores: true}))
	must(db.Move(ctx, store.Move{ShopID: "north", ProductID: "egg", Delta: -2, Reason: store.Sale, Note: "to a guest", Once: store.Once{Key: "sale"}}))
	must(db.Move(ctx, store.Move{ShopID: "north", ProductID: "tea", Delta: -5, Reason: store.Sale, Once: store.Once{Key: "lots"}}))
	must(db.Move(ctx, store.Move{ShopID: "south", ProductID: "egg", Delta: 4, Reason: store.Delivery, Once: store.Once{Key: "delivery", Token: "used", TokenUntil: now.Add(time.Hour)}}))
	must(db.Transfer(ctx, store.Transfer{FromShopID: "alone", ToShopID: "north", ProductID: "egg", Quantity: 3, Once: store.Once{Key: "transfer"}}))
	undone, err := db.Move(ctx, store.Move{ShopID: "alone", ProductID: "egg", Delta: -1, Reason: store.Waste})
	must(undone, err)
	must(db.Undo(ctx, store.Undo{Movement: undone.Movements[0].ID, Once: store.Once{Key: "undo"}}))
	released, err := db.Reserve(ctx, store.Reserve{ShopID: "north", ProductID: "egg", Quantity: 2, Once: store.Once{Key: "released"}})
	must(released, err)
	must(db.Release(ctx, store.Release{Reservation: released.Reservation.ID, Once: store.Once{Key: "release"}}))
	must(db.Reserve(ctx, store.Reserve{ShopID: "north", ProductID: "egg", Quantity: 1, For: 2 * time.Second})) // lapses
	must(db.Move(ctx, store.Move{ShopID: "south", ProductID: "egg", Delta: 1, Reason: store.Delivery}))
	must(db.Move(ctx, store.Move{ShopID: "south", ProductID: "egg", Delta: 1, Reason: store.Delivery}))
	must(db.Reserve(ctx, store.Reserve{ShopID: "south", ProductID: "egg", Quantity: 5}))                                      // gives way
	must(db.Count(ctx, store.Count{ShopID: "south", ProductID: "egg", Quantity: 2, Once: store.Once{Key: "count"}}))          // to this
	must(db.Reserve(ctx, store.Reserve{ShopID: "alone", ProductID: "egg", Quantity: 3, For: time.Hour, Note: "for a guest"})) // held
	must(db.Move(ctx, store.Move{ShopID: "alone", ProductID: "egg", Delta: -1, Reason: store.Sale}))
	must(db.EditProduct(ctx, "tea", store.ProductEdit{ReorderPoint: new(int64(9))}))

	must(nil, db.AddClient(ctx, store.Client{ID: "client", Name: "A client", RedirectURIs: []string{"https://a.example/cb"}, URI: "https://a.example"}, 10))
	must(db.AddToken(ctx, store.Token{Kind: store.APIToken, Hash: store.HashOf("x"), Name: "till", Scopes: store.ScopeRead}))
	must(db.AddGrant(ctx, store.Grant{ClientID: "client", ClientName: "A client", RedirectHost: "a.example", Scopes: store.ScopeRead | store.ScopeWrite, Resource: "https://r.example/mcp"},
		store.Token{Kind: store.CodeToken, Hash: store.HashOf("y"), Scopes: store.ScopeRead, Challenge: "c", Redirect: "https://a.example/cb"}))
	must(nil, db.SetPassphrase(ctx, "$argon2id$v=19$m=65536,t=3,p=4$YQ$YQ"))
	must(db.Attempt(ctx, "passphrase", 5, time.Hour))
	must(nil, db.Record(ctx, []store.Call{{At: now, Tool: "check_stock", Arguments: `{}`, Outcome: "ok"}}, nil))
	must(db.Secret(context.WithoutCancel(ctx), "confirm"))
	checkVerified(t, db)
	return path
}

// TestVerifyFindsDamageOfEveryTable damages each column that answers are made
// from, and each row, index and trigger that they rest on. What is found must
// say what is wrong and where.
func TestVerifyFindsDamageOfEveryTable(t *testing.T) {
	original, err := os.ReadFile(whole(t))
	if err != nil {
		t.Fatal(err)
	}
	const (
		egg    = `(SELECT num FROM products WHERE id = 'egg')`
		tea    = `(SELECT num FROM products WHERE id = 'tea')`
		north  = `(SELECT num FROM shops WHERE id = 'north')`
		south  = `(SELECT num FROM shops WHERE id = 'south')`
		sale   = `(SELECT m.num FROM movements m JOIN deeds d ON d.num = m.deed WHERE d.key = 'sale')`
		level  = ` WHERE product = ` + egg + ` AND shop = ` + north
		reopen = "; -- and over another connection\n"
		bad    = `CAST(x'ff41' AS TEXT)` // not UTF-8
	)
	set := func(table, change, where string) string {
		return `UPDATE ` + table + ` SET ` + change + ` WHERE ` + where
	}
	ofKey := func(change, key string) string { return set(`keys`, change, `key = '`+key+`'`) }
	moved := func(change string) string { return unguarded + set(`movements`, change, `num = `+sale) }
	damages := []struct{ name, damage, want string }{
		{"catalog demo", `UPDATE catalog SET demo = 7`, `catalog: whether this is the demo data is 7`},
		{"catalog demo, which an import would remove", `UPDATE catalog SET demo = 1`, `catalog: it says that this is the demo data`},
		{"catalog time", `UPDATE catalog SET loaded_at = -5`, `catalog: its start of -5`},
		{"catalog gone", `DELETE FROM catalog`, `catalog: the ledger says 1, kept is 0`},

		{"chain name", set(`chains`, `name = '己'`, `name = '甲'`), `chain "己": what it is found by`},
		{"chain aliases", set(`chains`, `aliases = '["A chain'`, `name = '甲'`), `chain "甲": its aliases do not parse`},
		{"chain other aliases", set(`chains`, `aliases = '["B chain"]'`, `name = '甲'`), `chain "甲": what it is found by`},
		{"chain sort name", set(`chains`, `sort_name = 'x'`, `name = '甲'`), `chain "甲": what it is found by`},
		{"chain texts", set(`chains`, `texts = 'x'`, `name = '甲'`), `chain "甲": what it is found by`},
		{"chain gone", `DELETE FROM chains WHERE name = '甲'`, `of shops is of a row of chains that is not there`},
		{"chain of none gone", `DELETE FROM chains WHERE num = 0`, `chains: the one for shops without a chain is missing`},

		{"shop ID", set(`shops`, `id = 'n0rth'`, `id = 'north'`), `shop "n0rth": what it is found by exactly`},
		{"shop name", set(`shops`, `name = '甲 東店'`, `id = 'north'`), `shop "north": what it is found by`},
		{"shop without a name", set(`shops`, `name = ' '`, `id = 'north'`), `shop "north": name is empty`},
		{"shop name that is no text", set(`shops`, `name = `+bad, `id = 'north'`), `shop "north": its name "\xffA" is not valid UTF-8`},
		{"shop of another chain", set(`shops`, `chain = 0`, `id = 'north'`) + `; ` + set(`levels`, `chain = 0`, `shop = `+north) + `; DELETE FROM totals WHERE chain = 0`, `number of shops`},
		{"shop place", set(`shops`, `place = place + 99999999`, `id = 'north'`), `shop "north": its place`},
		{"shop address", set(`shops`, `address = '高雄市'`, `id = 'north'`), `shop "north": what it is found by`},
		{"shop address index", set(`shops`, `address_text = 'x'`, `id = 'north'`), `shop "north": what it is found by`},
		{"shop latitude", set(`shops`, `latitude = 2500`, `id = 'north'`), `shop "north": location 2500, 121.5 is not on the globe`},
		{"shop longitude", set(`shops`, `longitude = NULL`, `id = 'north'`), `shop "north": it has one of latitude and longitude`},
		{"shop hours", set(`shops`, `hours = `+bad, `id = 'north'`), `shop "north": its hours "\xffA"`},
		{"shop aliases", set(`shops`, `aliases = '{"a":1}'`, `id = 'north'`), `shop "north": its aliases do not parse`},
		{"shop texts", set(`shops`, `texts = texts || 'x'`, `id = 'north'`), `shop "north": what it is found by`},
		{"shop gone", `DELETE FROM shops WHERE id = 'south'`, `of levels is of a row of shops that is not there`},
		{"shop key gone", `DELETE FROM shop_keys WHERE key = 'north'`, `shop "north": what it is found by exactly (shop_keys)`},
		{"shop key of another", set(`shop_keys`, `shop = `+south, `key = 'north' `), `shop "north": what it is found by exactly (shop_keys)`},
		{"shop key of none", `INSERT INTO shop_keys VALUES ('x', 99)`, `shop "number 99": what it is found by exactly`},

		{"product ID", set(`products`, `id = 'egq'`, `id = 'egg'`), `product "egq": what it is found by exactly`},
		{"product ID that is none", set(`products`, `id = ''`, `id = 'egg'`), `product "": ID is empty`},
		{"product SKU", set(`products`, `sku = 'E2'`, `id = 'egg'`), `product "egg": what it is found by exactly`},
		{"product name", set(`products`, `name = '茶葉疍'`, `id = 'egg'`), `product "egg": what it is found by`},
		{"product names", set(`products`, `names = '{"en":"Tea egg'`, `id = 'egg'`), `product "egg": its names do not parse`},
		{"product names that are a list", set(`products`, `names = '[]'`, `id = 'egg'`), `product "egg": its names do not parse`},
		{"product aliases", set(`products`, `aliases = 'x'`, `id = 'egg'`), `product "egg": its aliases do not parse`},
		{"product barcodes", set(`products`, `barcodes = '[4710000000019]'`, `id = 'egg'`), `product "egg": its barcodes do not parse`},
		{"product other barcode", set(`products`, `barcodes = '["4710000000018"]'`, `id = 'egg'`), `product "egg": what it is found by exactly`},
		{"product category", set(`products`, `category = '冷食'`, `id = 'egg'`), `product "egg": what it is found by (product_index)`},
		{"product unit", set(`products`, `unit = `+bad, `id = 'egg'`), `product "egg": its unit "\xffA"`},
		{"product price", set(`products`, `price = '1,3'`, `id = 'egg'`), `product "egg": price "1,3" is not a decimal`},
		{"product currency", set(`products`, `currency = ''`, `id = 'egg'`), `product "egg": price "13" goes with currency ""`},
		{"product reorder point", `DROP TRIGGER products_reorder; UPDATE products SET reorder_point = 6 WHERE id = 'egg'`, `product "egg" in shop "north": reorder point: the ledger says 6, kept is 5`},
		{"product reorder point below 0", set(`products`, `reorder_point = -1`, `id = 'egg'`), `product "egg": reorder point -1`},
		{"product gone", `DELETE FROM products WHERE id = 'tea'`, `of levels is of a row of products that is not there`},
		{"product key gone", `DELETE FROM product_keys WHERE product = ` + egg + ` AND key = 'e1'`, `product "egg": what it is found by exactly (product_keys)`},
		{"product key of another", `UPDATE product_keys SET product = ` + tea + ` WHERE key = '4710000000019'`, `product "egg": what it is found by exactly (product_keys)`},
		{"product index gone", `DELETE FROM product_index WHERE product = ` + egg, `product "egg": product index`},
		{"product index of none", `INSERT INTO product_index VALUES (99999, 99, '', '')`, `product index: its row 99999 is of product 99`},
		{"product index texts", set(`product_index`, `texts = texts || 'x'`, `product = `+egg), `product "egg": what it is found by (product_index)`},
		{"product index category", set(`product_index`, `category = 'x'`, `product = `+egg), `product "egg": what it is found by (product_index)`},
		{"product index rank", set(`product_index`, `rank = rank + 9999`, `product = `+tea), `its rank`},
		{"search index row gone", `INSERT INTO product_grams (product_grams) VALUES ('delete-all')`, `product "egg": what it is searched by (product_grams)`},
		{"search index row of other words", `INSERT INTO product_grams (rowid, grams) SELECT rank, 'xy' FROM product_index WHERE product = ` + egg, `product "egg": what it is searched by (product_grams)`},
		{"search index row of none", `INSERT INTO product_grams (rowid, grams) VALUES (99999, 'xy')`, `search index (product_grams): its row 99999 is of no product`},

		{"level on hand", `UPDATE levels SET on_hand = on_hand + 1` + level, `product "egg" in shop "north": on hand: the ledger says 11, kept is 12`},
		{"level reserved", `UPDATE levels SET reserved = 1` + level, `product "egg" in shop "north": reserved: the ledger says 0, kept is 1`},
		{"level time", `UPDATE levels SET as_of = as_of + 1000000` + level, `product "egg" in shop "north": as of: `},
		{"level time that is none", `UPDATE levels SET as_of = 1 << 62` + level, `product "egg" in shop "north": as of: `},
		{"level reorder point", `UPDATE levels SET reorder_point = 50` + level, `product "egg" in shop "north": reorder point: the ledger says 5, kept is 50`},
		{"level place", `PRAGMA foreign_keys = 0; UPDATE levels SET place = place + 1` + level, `of levels is of a row of shops that is not there`},
		{"level gone", `DELETE FROM levels` + level, `product "egg" in shop "north": on hand: the ledger says 11, kept is 0 (not carried)`},
		{"levels swapped", `UPDATE levels SET on_hand = iif(shop = ` + north + `, 2, 11), as_of = as_of WHERE product = ` + egg + ` AND shop IN (` + north + `, ` + south + `)`, `product "egg" in shop "south": on hand: the ledger says 2, kept is 11`},
		{"totals on hand", `UPDATE totals SET on_hand = on_hand + 1 WHERE product = ` + egg + ` AND chain <> 0`, `product "egg": total on hand`},
		{"totals reserved", `UPDATE totals SET reserved = reserved + 1 WHERE product = ` + egg + ` AND chain = 0`, `product "egg": total reserved`},
		{"totals shops", `UPDATE totals SET shops = 9 WHERE product = ` + egg + ` AND chain <> 0`, `product "egg": number of shops`},
		{"totals time", `UPDATE totals SET as_of = 9 WHERE product = ` + egg + ` AND chain <> 0`, `product "egg": last change`},
		{"totals gone", `DELETE FROM totals WHERE product = ` + egg, `product "egg": number of shops: the ledger says 2, kept is 0`},

		{"lot on hand", `UPDATE lots SET on_hand = 2`, `product "tea" in shop "north": lot of 2026-12-20: the ledger says 5, kept is 2`},
		{"lot date", `UPDATE lots SET expiry = '2026-13-41'`, `product "tea" in shop "north": lot of 2026-13-41: that is no date`},
		{"lot of another product", `UPDATE lots SET product = ` + egg, `product "egg" in shop "north": lot of 2026-12-20`},
		{"lot gone", `DELETE FROM lots`, `product "tea" in shop "north": lot of 2026-12-20: the ledger says 5, kept is 0`},

		{"entry time", set(`deeds`, `at = at + 1000000`, `key = 'sale'`), `receipt of key "sale" of "token:1": what it tells of movement`},
		{"entry time that is none", set(`deeds`, `at = -1`, `key = 'sale'`), `of the ledger: its time of -1`},
		{"entry reason", set(`deeds`, `reason = 'delivery'`, `key = 'sale'`), `its delta of -2 is none of a delivery`},
		{"entry reason that is none", set(`deeds`, `reason = 'salf'`, `key = 'sale'`), `there is no reason "salf"`},
		{"entry note", set(`deeds`, `note = 'to a quest'`, `key = 'sale'`), `receipt of key "sale" of "token:1": what it tells of movement`},
		{"entry note that is no text", set(`deeds`, `note = `+bad, `reason = 'import'`), `of the ledger: its note "\xffA"`},
		{"entry actor", set(`deeds`, `actor = 'token:2'`, `key = 'sale'`), `the receipt of its key "sale" is missing`},
		{"entry client", set(`deeds`, `client = 'b client'`, `key = 'sale'`), `receipt of key "sale" of "token:1": what it tells of movement`},
		{"entry key", set(`deeds`, `key = ''`, `key = 'sale'`), `receipt of key "sale" of "token:1": no entry of the ledger has this key`},
		{"entry gone", `DELETE FROM deeds WHERE key = 'sale'`, `of movements is of a row of deeds that is not there`},

		{"movement entry", moved(`deed = deed + 1`), `moved nothing`},
		{"movement group", moved(`grp = grp - 1`), `its group of`},
		{"movement product", moved(`product = ` + tea), `product "tea" in shop "north": on hand`},
		{"movement shop", moved(`shop = ` + south), `product "egg" in shop "south": on hand`},
		{"movement of nowhere", moved(`shop = 99`), `its product or shop is nowhere`},
		{"movement lot", moved(`expiry = '2026-12-20'`), `product "egg" in shop "north": lot of 2026-12-20`},
		{"movement delta", moved(`delta = -3`), `product "egg" in shop "north": on hand after movement`},
		{"movement on hand", moved(`on_hand = 5`), `product "egg" in shop "north": on hand after movement`},
		{"movement reserved before", moved(`reserved_before = 1`), `it says that 1 were reserved before it, but by the reservations 0 were`},
		{"movement reserved after", moved(`reserved = 1`), `it says that 1 were reserved after it, but by the reservations 0 were`},
		{"movement undoes another", unguarded + `UPDATE movements SET reverses = ` + sale + ` WHERE reverses IS NOT NULL`, `which undoes movement`},
		{"movement gone", unguarded + `DELETE FROM movements WHERE num = ` + sale, `movements: numbers`},
		{"movement twice", unguarded + `INSERT INTO movements (deed, grp, product, shop, expiry, delta, on_hand, reserved_before, reserved)
			SELECT deed, (SELECT max(num) + 1 FROM movements), product, shop, expiry, delta, on_hand, reserved_before, reserved FROM movements WHERE num = ` + sale, `product "egg" in shop "north": movement 20: its entry 3 of the ledger`},
		{"last movement and its number gone", unguarded + `DELETE FROM movements WHERE num = (SELECT max(num) FROM movements); UPDATE sqlite_sequence SET seq = seq - 1 WHERE name = 'movements'`, `product "egg" in shop "alone": on hand`},
		{"numbers of products", `UPDATE sqlite_sequence SET seq = 1 WHERE name = 'products'`, `products: the ledger says 1, kept is`},
		{"numbers of tokens", `DELETE FROM sqlite_sequence WHERE name = 'tokens'`, `tokens: the ledger says 0, kept is 2`},

		{"reservation quantity", set(`reservations`, `quantity = 4`, `state = 'held'`), `product "egg" in shop "alone": reserved: the ledger says 4, kept is 3`},
		{"reservation quantity, long ago", set(`reservations`, `quantity = quantity + 1`, `num = 1`), `receipt of key "released" of "token:1": what it tells of reservation 1`},
		{"reservation product", set(`reservations`, `product = `+tea, `state = 'held'`), `product "tea" in shop "alone": reserved`},
		{"reservation shop", set(`reservations`, `shop = 99`, `num = 1`), `reservation 1: its product or shop is nowhere`},
		{"reservation entry", set(`reservations`, `deed = deed - 1`, `num = 1`), `made 1 reservations`},
		{"reservation end", set(`reservations`, `until = until + 1`, `num = 1`), `receipt of key "released" of "token:1": what it tells of reservation 1`},
		{"reservation end that is none", set(`reservations`, `until = -1`, `num = 1`), `reservation 1: its end of -1`},
		{"reservation ended early", set(`reservations`, `ended_at = ended_at - 1`, `num = 1`), `it released "reservation 1", which does not tell of that`},
		{"reservation that lapsed, lapsed at another time", set(`reservations`, `ended_at = ended_at + 1`, `state = 'lapsed'`), `it lapsed at`},
		{"reservation released, not lapsed", set(`reservations`, `state = 'released'`, `state = 'lapsed'`), `reservation 2: it is released, but by the ledger it did not end`},
		{"reservation held again", set(`reservations`, `state = 'held', ended_at = NULL`, `num = 1`), `product "egg" in shop "north": reserved`},
		{"reservation gone", `DELETE FROM reservations WHERE num = 1`, `it is of the reason reserve, but made 0 reservations`},

		{"receipt that does not parse", ofKey(`receipt = substr(receipt, 1, 50)`, `sale`), `receipt of key "sale" of "token:1": it does not parse`},
		{"receipt that is empty", ofKey(`receipt = '{}'`, `sale`), `receipt of key "sale" of "token:1": it tells of 0 movements, the ledger of 1`},
		{"receipt of another", ofKey(`receipt = (SELECT receipt FROM keys WHERE key = 'delivery')`, `sale`), `receipt of key "sale" of "token:1": what it tells of movement`},
		{"receipt's level", ofKey(`receipt = replace(receipt, '"OnHand":11', '"OnHand":12')`, `transfer`), `receipt of key "transfer" of "token:1": `},
		{"receipt's reservation", ofKey(`receipt = replace(receipt, '"Quantity":2', '"Quantity":3')`, `release`), `receipt of key "release" of "token:1": `},
		{"receipt's released reservation", ofKey(`receipt = replace(receipt, '"Quantity":5', '"Quantity":4')`, `count`), `receipt of key "count" of "token:1": what it tells of reservation`},
		{"receipt's request", ofKey(`content = randomblob(32)`, `sale`), `receipt of key "sale" of "token:1": the request`},
		{"receipt's requests swapped", `UPDATE keys SET content = (SELECT content FROM keys k WHERE k.key = iif(keys.key = 'sale', 'lots', 'sale')) WHERE key IN ('sale', 'lots')`, `the request that it is kept for`},
		{"receipt of another caller", ofKey(`caller = 'token:2'`, `sale`), `receipt of key "sale" of "token:2": no entry`},
		{"receipt of another key", ofKey(`key = 'salf'`, `sale`), `the receipt of its key "sale" is missing`},
		{"receipt gone", `DELETE FROM keys WHERE key = 'undo'`, `the receipt of its key "undo" is missing`},

		{"retired name", `UPDATE retired SET name = '' WHERE kind = 'shop'`, `retired shop "gone": it has no ID or no name`},
		{"retired number of another", `UPDATE retired SET num = ` + egg + ` WHERE kind = 'product'`, `retired product "old": its number`},
		{"retired gone", `DELETE FROM retired WHERE kind = 'product'`, `its product or shop is nowhere`},
		{"change gone", `DELETE FROM changes WHERE num = 3`, `changes: numbers`},

		{"log stamp gone", `DELETE FROM log_stamp`, `log stamp: the row by which the file and its log know each other`},
		{"log stamp's mark", `UPDATE log_stamp SET mark = zeroblob(16)`, `log stamp: the row by which the file and its log know each other`},

		{"client scope", `UPDATE clients SET scope = ` + bad, `client "client": its scope`},
		{"client redirects", `UPDATE clients SET redirects = '["https://a.example/cb'`, `client "client": its redirect URIs do not parse`},
		{"client name", `UPDATE clients SET name = ` + bad, `client "client": its name`},
		{"client time", `UPDATE clients SET last_used = -1`, `client "client": its last use of -1`},
		{"grant scopes", `UPDATE grants SET scopes = 'stock:reae'`, `grant 1: its scopes "stock:reae"`},
		{"grant time", `UPDATE grants SET revoked_at = -4`, `grant 1: its revocation of -4`},
		{"grant challenge", `UPDATE grants SET challenged_at = -4`, `grant 1: its challenge of -4`},
		{"grant withheld scopes", `UPDATE grants SET withheld = 'x'`, `grant 1: its scopes "x"`},
		{"grant gone", `DELETE FROM grants`, `of tokens is of a row of grants that is not there`},
		{"token scopes", `UPDATE tokens SET scopes = 'stock:write stock:read' WHERE kind = 'api'`, `api token 1: its scopes`},
		{"token renewed scopes", `UPDATE tokens SET renewed_scopes = 'x' WHERE kind = 'api'`, `api token 1: its scopes "x"`},
		{"token repeats", `UPDATE tokens SET repeats = -1 WHERE kind = 'api'`, `api token 1: it was used -1 times again`},
		{"token kind", `UPDATE tokens SET kind = 'api' WHERE kind = 'code'`, `api token 2: tokens of this kind`},
		{"token without its grant", `UPDATE tokens SET grant_num = NULL WHERE kind = 'code'`, `code token 2: tokens of this kind`},
		{"token hash", `PRAGMA ignore_check_constraints = 1; UPDATE tokens SET hash = x'00' WHERE kind = 'api'`, `CHECK constraint failed in tokens`},
		{"token end", `UPDATE tokens SET expires_at = 1 << 62 WHERE kind = 'api'`, `api token 1: its end`},
		{"secret", `UPDATE secrets SET value = x'00'`, `secret "confirm": it has 1 bytes`},
		{"passphrase", `UPDATE passphrase SET hash = 'argon2id'`, `passphrase: its hash is none`},
		{"attempts", `UPDATE attempts SET since = -1`, `attempts: its time of -1`},
		{"spent token", `UPDATE spent SET until = -1`, `spent: its time of -1`},
		{"call", `UPDATE calls SET took = -1`, `call 1: it was made at`},

		{"guard of movements gone", `DROP TRIGGER movements_never_change`, `trigger movements_never_change: is not there`},
		{"trigger of totals gone", `DROP TRIGGER levels_update`, `trigger levels_update: is not there`},
		{"trigger that is none of ours", `CREATE TRIGGER x AFTER INSERT ON deeds BEGIN DELETE FROM deeds; END`, `trigger x: is not of mcpstore's making`},
		{"index gone", `DROP INDEX levels_low`, `index levels_low: is not there`},
		{"index of other columns", `DROP INDEX levels_by_shop; CREATE INDEX levels_by_shop ON levels (shop)`, `index levels_by_shop: is not as it was made`},
		{"table gone", `DROP TABLE totals`, `table totals: is not there`},
		{"index without a row", `PRAGMA writable_schema = 1; CREATE TABLE aside AS SELECT * FROM sqlite_schema WHERE name = 'shops_by_place'; DELETE FROM sqlite_schema WHERE name = 'shops_by_place'` +
			reopen + `UPDATE shops SET place = place + 1; PRAGMA writable_schema = 1; INSERT INTO sqlite_schema SELECT * FROM aside; DROP TABLE aside`, `missing from index shops_by_place`},
	}
	if len(damages) < 50 {
		t.Errorf("%d kinds of damage are tried, want at least 50", len(damages))
	}
	dir, restored := t.TempDir(), map[string]bool{}
	for i, tt := range damages {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, fmt.Sprint(i, ".db"))
			write(t, path, original)
			var guards string
			if strings.HasPrefix(tt.damage, unguarded) {
				guards = guardsOf(t, path)
			}
			for damage := range strings.SplitSeq(tt.damage+"; "+guards, reopen) {
				exec(t, path, damage)
			}
			db := mustOpen(t, sqlite.Config{Path: path, Now: func() time.Time { return time.Date(2026, 11, 3, 8, 2, 0, 0, time.UTC) }})
			found, err := db.Verify(t.Context(), 100)
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, d := range found {
				all = append(all, d.String())
			}
			if text := strings.Join(all, "\n"); !strings.Contains(text, tt.want) {
				t.Errorf("Verify found %q, want %q", all, tt.want)
			}
			table, _, _ := strings.Cut(tt.name, " ")
			if restored[table] {
				return // as its damage was refused
			}
			restored[table] = true
			db.Close()
			if _, err := sqlite.Restore(t.Context(), path, filepath.Join(dir, fmt.Sprint(i, "-restored.db"))); err == nil {
				t.Error("it was restored without a word")
			}
		})
	}
}

package sqlite

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// verifier reads the rows that answers are made from, as the answers do, and
// collects what it finds wrong.
type verifier struct {
	*statements
	found []store.Discrepancy
	limit int

	ids map[string]map[int64]uint64 // hashes of the IDs of products and shops by their numbers, retired ones included
}

// errEnough ends a check once as much is found as was asked for.
var errEnough = errors.New("enough was found")

// fault reports that something is wrong at a place, such as "shop 3". It
// returns errEnough after the last one that is wanted.
func (v *verifier) fault(what, format string, args ...any) error {
	return v.faultOf(levelID{}, what, format, args...)
}

// faultOf is fault of a level.
func (v *verifier) faultOf(at levelID, what, format string, args ...any) error {
	return v.add(at, store.Discrepancy{What: what, Detail: fmt.Sprintf(format, args...)})
}

// differs reports that something of a level is not what the ledger says.
func (v *verifier) differs(at levelID, what string, ledger, kept int64, detail string) error {
	return v.add(at, store.Discrepancy{What: what, Ledger: ledger, Kept: kept, Detail: detail})
}

func (v *verifier) add(at levelID, d store.Discrepancy) error {
	if at != (levelID{}) {
		err := v.queryRow(`SELECT `+idOfNum(`shop`, `?1`)+`, `+idOfNum(`product`, `?2`), at.shop, at.product).Scan(&d.ShopID, &d.ProductID)
		if err != nil {
			return err
		}
	}
	v.found = append(v.found, d)
	if len(v.found) >= v.limit {
		return errEnough
	}
	return nil
}

// idOfNum is SQL for the ID of the shop or product of a number, ” for none.
func idOfNum(kind, num string) string {
	return `coalesce((SELECT id FROM ` + kind + `s WHERE num = ` + num + `), (SELECT id FROM retired WHERE kind = '` + kind + `' AND num = ` + num + `), '')`
}

// text is a column's name and what is in it.
type text struct{ column, value string }

// texts reports which of these answers cannot carry.
func (v *verifier) texts(what string, texts ...text) error {
	for _, t := range texts {
		if !utf8.ValidString(t.value) {
			if err := v.fault(what, "its %s %+q is not valid UTF-8", t.column, t.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxTime is the end of the year 9999 in microseconds: answers can carry no later
// time.
const maxTime = 253402300799999999

// time reports a time that answers cannot carry.
func (v *verifier) time(what, column string, micros int64) error {
	if micros < 0 || micros > maxTime {
		return v.fault(what, "its %s of %d is no time", column, micros)
	}
	return nil
}

// parses reads a JSON column into to, and reports it if that fails.
func (v *verifier) parses(what, column string, value []byte, to any) (ok bool, err error) {
	if err := json.Unmarshal(value, to); err != nil {
		return false, v.fault(what, "its %s do not parse: %v", column, err)
	}
	if !utf8.Valid(value) {
		return false, v.fault(what, "its %s %+q are not valid UTF-8", column, value)
	}
	return true, nil
}

// sums are of the hashes of texts that belong to rows, by the numbers of the
// rows: so many texts are compared without keeping them.
type sums map[int64]uint64

var sumSeed = maphash.MakeSeed()

func (s sums) add(num int64, text string)    { s[num] += maphash.String(sumSeed, text) }
func (s sums) remove(num int64, text string) { s[num] -= maphash.String(sumSeed, text) }

// differing yields the numbers of rows whose texts are missing or too many,
// in order.
func (s sums) differing(except map[int64]bool) []int64 {
	var nums []int64
	for num, sum := range s {
		if sum != 0 && !except[num] {
			nums = append(nums, num)
		}
	}
	slices.Sort(nums)
	return nums
}

// run makes all checks that read rows one by one.
func (v *verifier) run() error {
	for _, check := range []func() error{
		v.chains, v.shops, v.products, v.retired, v.ledger, v.clients, v.grants, v.tokens, v.secrets, v.calls,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// chains compares what chains are called with what finds them.
func (v *verifier) chains() error {
	unnamed := false
	err := v.each(`SELECT num, name, aliases, sort_name, texts FROM chains ORDER BY num`, nil, func(scan func(...any) error) error {
		var num int64
		var name, sortName, found string
		var list []byte
		if err := scan(&num, &name, &list, &sortName, &found); err != nil {
			return err
		}
		unnamed = unnamed || num == 0 && name == ""
		what := fmt.Sprintf("chain %q", name)
		if (num == 0) != (name == "") {
			if err := v.fault(what, "chain %d, whose shops have none, is the only one without a name", num); err != nil {
				return err
			}
		}
		if err := v.texts(what, text{"name", name}); err != nil {
			return err
		}
		var aliases []string
		if ok, err := v.parses(what, "aliases", list, &aliases); !ok {
			return err
		}
		if sortName != fold.String(name) || found != lines(texts(name, aliases)) {
			return v.fault(what, "what it is found by is not what it is called")
		}
		return nil
	})
	if err == nil && !unnamed {
		err = v.fault("chains", "the one for shops without a chain is missing")
	}
	return err
}

// shops compares what shops are called with what finds and orders them.
func (v *verifier) shops() error {
	expected, broken := sums{}, map[int64]bool{}
	var before *placedShop
	ids := map[int64]uint64{}
	err := v.each(`SELECT s.num, s.id, s.name, s.place, s.address, s.latitude, s.longitude, s.hours, s.aliases, s.texts, s.address_text
		FROM shops s ORDER BY s.place, s.num`, nil, func(scan func(...any) error) error {
		var s store.Shop
		var num, place int64
		var latitude, longitude sql.NullFloat64
		var list []byte
		var found, address string
		if err := scan(&num, &s.ID, &s.Name, &place, &s.Address, &latitude, &longitude, &s.Hours, &list, &found, &address); err != nil {
			return err
		}
		ids[num] = maphash.String(sumSeed, s.ID)
		what := fmt.Sprintf("shop %q", s.ID)
		if err := v.texts(what, text{"ID", s.ID}, text{"name", s.Name}, text{"address", s.Address}, text{"hours", s.Hours}); err != nil {
			return err
		}
		if latitude.Valid != longitude.Valid {
			if err := v.fault(what, "it has one of latitude and longitude alone"); err != nil {
				return err
			}
		} else if latitude.Valid {
			s.Location = &store.Location{Latitude: latitude.Float64, Longitude: longitude.Float64}
		}
		if err := cmp.Or(s.Validate(), required(s.ID)); err != nil {
			if err := v.fault(what, "%v", err); err != nil {
				return err
			}
		}
		this := &placedShop{num: num, place: place, name: fold.String(s.Name), id: s.ID}
		if before != nil && (place == before.place || before.compare(this) >= 0) {
			if err := v.fault(what, "its place %d is not the one of its name among all", place); err != nil {
				return err
			}
		}
		before = this
		ok, err := v.parses(what, "aliases", list, &s.Aliases)
		if !ok {
			broken[num] = true
			return err
		}
		names := texts(s.Name, s.Aliases)
		if found != lines(names) || address != fold.String(s.Address) {
			if err := v.fault(what, "what it is found by is not its name, aliases and address"); err != nil {
				return err
			}
		}
		for _, key := range keys(names, s.ID) {
			expected.add(num, key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	v.ids["shop"] = ids
	return v.keys("shop", expected, broken)
}

func required(id string) error {
	if strings.TrimSpace(id) == "" {
		return errors.New("ID is empty")
	}
	return nil
}

// keys compares what shops or products are found by exactly with what is
// expected.
func (v *verifier) keys(kind string, expected sums, except map[int64]bool) error {
	err := v.each(`SELECT key, `+kind+` FROM `+kind+`_keys`, nil, func(scan func(...any) error) error {
		var key string
		var num int64
		err := scan(&key, &num)
		expected.remove(num, key)
		return err
	})
	if err != nil {
		return err
	}
	for _, num := range expected.differing(except) {
		id := ""
		if err := v.queryRow(`SELECT coalesce((SELECT id FROM `+kind+`s WHERE num = ?1), 'number ' || ?1)`, num).Scan(&id); err != nil {
			return err
		}
		if err := v.fault(fmt.Sprintf("%s %q", kind, id), "what it is found by exactly (%s_keys) is not its names and numbers", kind); err != nil {
			return err
		}
	}
	return nil
}

// products compares what products are called with what finds and orders them.
func (v *verifier) products() error {
	keys, grammed, broken := sums{}, sums{}, map[int64]bool{}
	ids := map[int64]uint64{}
	v.ids["product"] = ids
	err := v.each(`SELECT num, id, EXISTS (SELECT 1 FROM product_index WHERE product = num) FROM products`, nil, func(scan func(...any) error) error {
		var num int64
		var id string
		var indexed bool
		err := scan(&num, &id, &indexed)
		if ids[num] = maphash.String(sumSeed, id); !indexed {
			broken[num] = true // which another check reports
		}
		return err
	})
	if err != nil {
		return err
	}
	var before *ordering
	err = v.each(`SELECT p.num, i.rank, i.category, i.texts, `+productColumns+`
		FROM product_index i CROSS JOIN products p ON p.num = i.product ORDER BY i.rank`, nil, func(scan func(...any) error) error {
		var num, rank int64
		var category, found string
		var p store.Product
		var columns [3][]byte
		if err := scan(&num, &rank, &category, &found, &p.ID, &p.SKU, &p.Name, &columns[0], &columns[1], &p.Category, &p.Unit,
			&p.Price, &p.Currency, &columns[2], &p.ReorderPoint); err != nil {
			return err
		}
		for gram := range strings.FieldsSeq(grams(found, category)) {
			grammed.add(rank, gram)
		}
		what := fmt.Sprintf("product %q", p.ID)
		if err := v.texts(what, text{"ID", p.ID}, text{"SKU", p.SKU}, text{"name", p.Name}, text{"category", p.Category},
			text{"unit", p.Unit}, text{"currency", p.Currency}); err != nil {
			return err
		}
		err := cmp.Or(p.Validate(), required(p.ID))
		if err == nil && p.ReorderPoint > store.MaxQuantity {
			err = fmt.Errorf("reorder point %d is more than a level can be", p.ReorderPoint)
		}
		if err != nil {
			if err := v.fault(what, "%v", err); err != nil {
				return err
			}
		}
		for i, column := range []struct {
			name string
			to   any
		}{{"names", &p.Names}, {"aliases", &p.Aliases}, {"barcodes", &p.Barcodes}} {
			if ok, err := v.parses(what, column.name, columns[i], column.to); !ok {
				broken[num] = true
				if err != nil {
					return err
				}
			}
		}
		if broken[num] {
			return nil // what finds it was made of what it was
		}
		x := indexOf(&p)
		if x.texts != found || x.category != category {
			if err := v.fault(what, "what it is found by (product_index) is not its names and category"); err != nil {
				return err
			}
		} else if before != nil && before.compare(x.ordering) >= 0 {
			if err := v.fault(what, "its rank %d is not the one of its name among all", rank); err != nil {
				return err
			}
		}
		before = &x.ordering
		for _, key := range x.keys(&p) {
			keys.add(num, key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := v.keys("product", keys, broken); err != nil {
		return err
	}
	err = v.each(`SELECT term, doc FROM temp.grams_of_products`, nil, func(scan func(...any) error) error {
		var gram string
		var rank int64
		err := scan(&gram, &rank)
		grammed.remove(rank, gram)
		return err
	})
	if err != nil {
		return err
	}
	for _, rank := range grammed.differing(nil) {
		var id string
		err := v.queryRow(`SELECT p.id FROM product_index i CROSS JOIN products p ON p.num = i.product WHERE i.rank = ?`, rank).Scan(&id)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			err = v.fault("search index (product_grams)", "its row %d is of no product", rank)
		case err == nil:
			err = v.fault(fmt.Sprintf("product %q", id), "what it is searched by (product_grams) is not its names and category")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// gramsOfProducts is all that the search index holds, one row for each gram of a
// product. It takes a connection that may still write.
const gramsOfProducts = `CREATE VIRTUAL TABLE temp.grams_of_products USING fts5vocab('main', 'product_grams', 'instance')`

// retired reads what is gone but has a history.
func (v *verifier) retired() error {
	return v.each(`SELECT r.kind, r.id, r.num, r.name, iif(r.kind = 'shop', EXISTS (SELECT 1 FROM shops WHERE num = r.num),
			EXISTS (SELECT 1 FROM products WHERE num = r.num)) FROM retired r`, nil, func(scan func(...any) error) error {
		var kind, id, name string
		var num int64
		var there bool
		if err := scan(&kind, &id, &num, &name, &there); err != nil {
			return err
		}
		what := fmt.Sprintf("retired %s %q", kind, id)
		if err := v.texts(what, text{"ID", id}, text{"name", name}); err != nil {
			return err
		}
		if ids := v.ids[kind]; ids != nil && !there {
			ids[num] = maphash.String(sumSeed, id)
		}
		if there {
			return v.fault(what, "its number %d is that of a %s that is there", num, kind)
		}
		if required(id) != nil || strings.TrimSpace(name) == "" {
			return v.fault(what, "it has no ID or no name")
		}
		return nil
	})
}

func (v *verifier) clients() error {
	return v.each(`SELECT id, name, redirects, uri, scope, created_at, last_used FROM clients`, nil, func(scan func(...any) error) error {
		var id, name, uri, scope string
		var redirects []byte
		var created, used int64
		if err := scan(&id, &name, &redirects, &uri, &scope, &created, &used); err != nil {
			return err
		}
		what := fmt.Sprintf("client %q", id)
		if err := v.texts(what, text{"ID", id}, text{"name", name}, text{"home page", uri}, text{"scope", scope}); err != nil {
			return err
		}
		for column, at := range map[string]int64{"registration": created, "last use": used} {
			if err := v.time(what, column, at); err != nil {
				return err
			}
		}
		_, err := v.parses(what, "redirect URIs", redirects, new([]string))
		return err
	})
}

// scopes reports lists of scopes in which not all are known.
func (v *verifier) scopes(what string, lists ...string) error {
	for _, scopes := range lists {
		if s, err := store.ParseScopes(strings.Fields(scopes)...); err != nil || s.String() != scopes {
			return v.fault(what, "its scopes %q are none", scopes)
		}
	}
	return nil
}

func (v *verifier) grants() error {
	return v.each(`SELECT num, client_id, client_name, redirect_host, scopes, resource, withheld, created_at, last_used, revoked_at, challenged_at FROM grants`, nil, func(scan func(...any) error) error {
		var num int64
		var client, name, host, scopes, resource, withheld string
		var times [4]int64
		if err := scan(&num, &client, &name, &host, &scopes, &resource, &withheld, &times[0], &times[1], &times[2], &times[3]); err != nil {
			return err
		}
		what := fmt.Sprintf("grant %d", num)
		if err := v.texts(what, text{"client ID", client}, text{"client name", name}, text{"redirect host", host}, text{"resource", resource}); err != nil {
			return err
		}
		for i, column := range []string{"start", "last use", "revocation", "challenge"} {
			if err := v.time(what, column, times[i]); err != nil {
				return err
			}
		}
		return v.scopes(what, scopes, withheld)
	})
}

func (v *verifier) tokens() error {
	return v.each(`SELECT num, kind, name, scopes, shop, grant_num, resource, redirect, challenge, renewed_scopes, repeats, created_at, expires_at, last_used, revoked_at, spent_at
		FROM tokens`, nil, func(scan func(...any) error) error {
		var num int64
		var kind store.TokenKind
		var name, scopes, shop, resource, redirect, challenge, renewed string
		var repeats int64
		var grant sql.NullInt64
		var times [5]int64
		if err := scan(&num, &kind, &name, &scopes, &shop, &grant, &resource, &redirect, &challenge, &renewed, &repeats, &times[0], &times[1], &times[2], &times[3], &times[4]); err != nil {
			return err
		}
		what := fmt.Sprintf("%s token %d", kind, num)
		if err := v.texts(what, text{"name", name}, text{"store", shop}, text{"resource", resource}, text{"redirect URI", redirect}, text{"challenge", challenge}); err != nil {
			return err
		}
		for i, column := range []string{"start", "end", "last use", "revocation", "use"} {
			if err := v.time(what, column, times[i]); err != nil {
				return err
			}
		}
		if ofGrant := kind == store.AccessToken || kind == store.RefreshToken || kind == store.CodeToken; ofGrant != grant.Valid {
			if err := v.fault(what, "tokens of this kind, and no others, belong to a grant"); err != nil {
				return err
			}
		}
		if repeats < 0 {
			if err := v.fault(what, "it was used %d times again", repeats); err != nil {
				return err
			}
		}
		return v.scopes(what, scopes, renewed)
	})
}

func (v *verifier) secrets() error {
	err := v.each(`SELECT name, length(value) FROM secrets WHERE length(value) <> 32`, nil, func(scan func(...any) error) error {
		var name string
		var n int
		if err := scan(&name, &n); err != nil {
			return err
		}
		return v.fault(fmt.Sprintf("secret %q", name), "it has %d bytes, not 32", n)
	})
	if err != nil {
		return err
	}
	err = v.each(`SELECT hash FROM passphrase`, nil, func(scan func(...any) error) error {
		var hash string
		if err := scan(&hash); err != nil {
			return err
		}
		if strings.Count(hash, "$") != 5 || !strings.HasPrefix(hash, "$") {
			return v.fault("passphrase", "its hash is none")
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, table := range []string{"spent", "attempts"} {
		column, at := "token", "until"
		if table == "attempts" {
			column, at = "name", "since"
		}
		err := v.each(`SELECT `+column+`, `+at+` FROM `+table, nil, func(scan func(...any) error) error {
			var name string
			var at int64
			if err := scan(&name, &at); err != nil {
				return err
			}
			if err := v.texts(table, text{column, name}); err != nil {
				return err
			}
			return v.time(table, "time", at)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// calls looks at the numbers of the audit log alone: nothing is made of its
// texts, and it may be long.
func (v *verifier) calls() error {
	return v.each(`SELECT num, at, took FROM calls WHERE took < 0 OR at NOT BETWEEN 0 AND ?`, []any{int64(maxTime)}, func(scan func(...any) error) error {
		var num, at, took int64
		if err := scan(&num, &at, &took); err != nil {
			return err
		}
		return v.fault(fmt.Sprintf("call %d", num), "it was made at %d and took %d µs, which cannot be", at, took)
	})
}

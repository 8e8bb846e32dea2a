package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// importJSON is what an import changed, for programs.
type importJSON struct {
	DryRun      bool     `json:"dry_run"`
	Rows        int      `json:"rows"`
	RemovedDemo bool     `json:"removed_demo"`
	Stores      kindJSON `json:"stores"`
	Products    kindJSON `json:"products"`
	Levels      struct {
		Named int `json:"named"`
		Up    int `json:"up"`
		Down  int `json:"down"`
		New   int `json:"new"`
		Gone  int `json:"gone"`
		// Redated are those of which only the expiry dates are others.
		Redated int `json:"redated"`
	} `json:"levels"`
	GoneStores []string          `json:"gone_stores,omitempty"` // their names
	Renamed    []renameJSON      `json:"renamed,omitempty"`     // the first of them
	Released   []reservationJSON `json:"released_reservations,omitempty"`
}

// renameJSON is a product that a code gave a name that is not like its name.
type renameJSON struct {
	ProductID string `json:"product_id"`
	Code      string `json:"code"`
	Before    string `json:"before"`
	After     string `json:"after"`
}

type kindJSON struct {
	New     int `json:"new"`
	Changed int `json:"changed"`
	Gone    int `json:"gone"`
}

func newImportJSON(r store.ImportReport, dryRun bool) importJSON {
	out := importJSON{
		DryRun:      dryRun,
		Rows:        r.Rows,
		RemovedDemo: r.RemovedDemo,
		Stores:      kindJSON{r.NewShops.Count, r.ChangedShops.Count, r.GoneShops.Count},
		Products:    kindJSON{r.NewProducts.Count, r.ChangedProducts.Count, r.GoneProducts.Count},
	}
	out.Levels.Named, out.Levels.Up, out.Levels.Down = r.Levels, r.Up.Count, r.Down.Count
	out.Levels.New, out.Levels.Gone = r.New.Count, r.Gone.Count
	out.Levels.Redated = r.Redated.Count
	for _, shop := range r.GoneShops.First {
		out.GoneStores = append(out.GoneStores, shop.Name)
	}
	for _, p := range r.Renamed.First {
		out.Renamed = append(out.Renamed, renameJSON{p.ProductID, p.Code, p.Before, p.After})
	}
	for _, held := range r.Released {
		out.Released = append(out.Released, reservationJSON{held.ID, held.Quantity, held.Note})
	}
	return out
}

// summarize says in one line what an import changed.
func summarize(r store.ImportReport) string {
	var parts []string
	part := func(n int, one, many string) {
		if n > 0 {
			parts = append(parts, counted(n, one, many))
		}
	}
	part(r.NewShops.Count, "new store", "new stores")
	part(r.ChangedShops.Count, "changed store", "changed stores")
	part(r.GoneShops.Count, "store gone", "stores gone")
	part(r.NewProducts.Count, "new product", "new products")
	part(r.ChangedProducts.Count, "changed product", "changed products")
	part(r.GoneProducts.Count, "product gone", "products gone")
	part(r.New.Count, "new level", "new levels")
	part(r.Up.Count, "level up", "levels up")
	part(r.Down.Count, "level down", "levels down")
	part(r.Gone.Count, "level gone", "levels gone")
	part(r.Redated.Count, "level with other expiry dates", "levels with other expiry dates")
	if len(parts) == 0 {
		return "nothing changed"
	}
	return strings.Join(parts, ", ")
}

// renames says which products a code gave a name that is not like their name.
func renames(r store.ImportReport) []string {
	var lines []string
	for _, p := range r.Renamed.First {
		lines = append(lines, printable(fmt.Sprintf("renamed: %s → %s (%s)", p.Before, p.After, p.Code)))
	}
	if more := r.Renamed.Count - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("renamed: … and %d more", more))
	}
	return lines
}

// storeNames names stores, for people.
func storeNames(shops []store.Shop) string {
	var names []string
	for _, s := range shops {
		names = append(names, s.Name)
	}
	return counted(len(names), "store: ", "stores: ") + strings.Join(names, ", ")
}

// counted is "1 row" or "2 rows".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

// printChanges lists what an import changes, with examples of each kind.
func printChanges(ctx context.Context, w io.Writer, s database, r store.ImportReport) {
	shops, products := map[string]string{}, map[string]string{}
	for _, e := range []store.Examples[store.Shop]{r.NewShops, r.ChangedShops, r.GoneShops} {
		for _, shop := range e.First {
			shops[shop.ID] = printable(shop.Name)
		}
	}
	for _, e := range []store.Examples[store.Product]{r.NewProducts, r.ChangedProducts, r.GoneProducts} {
		for _, p := range e.First {
			products[p.ID] = printable(p.Name)
		}
	}
	level := func(c store.LevelChange) string {
		shop, product := namesOf(ctx, s, c.ShopID, c.ProductID)
		if name, ok := shops[c.ShopID]; ok {
			shop = name
		}
		if name, ok := products[c.ProductID]; ok {
			product = name
		}
		return fmt.Sprintf("%s: %s: %d → %d", shop, product, c.Before.OnHand, c.After.OnHand)
	}
	shopName := func(s store.Shop) string { return printable(s.Name) }
	productName := func(p store.Product) string { return printable(p.Name) }
	printExamples(w, "new stores", r.NewShops, shopName)
	printExamples(w, "changed stores", r.ChangedShops, shopName)
	printExamples(w, "stores gone", r.GoneShops, shopName)
	printExamples(w, "new products", r.NewProducts, productName)
	printExamples(w, "changed products", r.ChangedProducts, productName)
	for _, line := range renames(r) {
		fmt.Fprintln(w, line)
	}
	printExamples(w, "products gone", r.GoneProducts, productName)
	printExamples(w, "new levels", r.New, level)
	printExamples(w, "levels up", r.Up, level)
	printExamples(w, "levels down", r.Down, level)
	printExamples(w, "levels gone", r.Gone, level)
	printExamples(w, "levels with other expiry dates", r.Redated, level)
}

func printExamples[T any](w io.Writer, kind string, e store.Examples[T], say func(T) string) {
	if e.Count == 0 {
		return
	}
	fmt.Fprintf(w, "%s: %d\n", kind, e.Count)
	for _, x := range e.First {
		fmt.Fprintf(w, "  %s\n", say(x))
	}
	if more := e.Count - len(e.First); more > 0 {
		fmt.Fprintf(w, "  … and %d more\n", more)
	}
}

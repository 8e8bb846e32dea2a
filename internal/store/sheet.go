package store

import (
	"context"
	"fmt"
	"iter"
	"strings"
)

// Catalogue is taken in and given out as the rows of sheets, and edited.
type Catalogue interface {
	// Import takes rows in: all of them, or none and an [*ImportError] that
	// names every bad one up to o.MaxProblems. An error that rows yield is
	// taken as one more bad row if it is a [Problem], and ends the import
	// otherwise. Levels change by movements of the reason [Imported].
	//
	// A row is of the shop of its ID, or else of its exact name or alias; and
	// of the product of its barcode, ID or SKU, or else of its exact name or
	// alias, unless that one has others of what the row has: products of one
	// name may be told apart by them. One that is not there is made, but for
	// what has an ID that is not known and the name of something that is there,
	// which is bad unless o.RemoveStores is set. What a row does not say stays as
	// it is, and rows that contradict each other are bad. Rows of one level
	// that differ in their expiry date are its lots, and add up; those of a
	// sheet without a column of dates are of the level with its lots, of which
	// those that expire first go where less is left.
	Import(ctx context.Context, rows iter.Seq2[Row, error], o ImportOptions) (ImportReport, error)

	// Export yields everything as rows that Import takes back, as of one
	// moment: a row for each lot of each level and for what of it has no
	// date, by shop name, then in the order of Products; then a row for each
	// shop and each product that is nowhere.
	Export(ctx context.Context) iter.Seq2[Row, error]

	// EditShop changes what e sets and returns the shop as it is then. It
	// returns [ErrNotFound] or an [*InvalidError] where it does nothing.
	EditShop(ctx context.Context, id string, e ShopEdit) (Shop, error)

	// EditProduct changes what e sets and returns the product as it is then.
	// It returns [ErrNotFound] or an [*InvalidError] where it does nothing.
	EditProduct(ctx context.Context, id string, e ProductEdit) (Product, error)
}

// Row is a line of a sheet: of a shop, of a product, or of how much of it the
// shop has. What is zero is not said.
type Row struct {
	Sheet *Sheet // where it stands; nil where it stands nowhere
	Line  int    // from 1

	Shop         Shop     // ID or Name, where the row is of a shop
	ChainAliases []string // of Shop.Chain

	Product      Product // ID, SKU, Name or Barcodes, where the row is of a product; ReorderPoint is not used
	ReorderPoint *int64

	Quantity *int64 // on hand, of the lot if Expiry is set; only where the row has a shop and a product
	Expiry   Date
}

// Sheet is where rows come from.
type Sheet struct {
	File    string            // as the user named it
	Name    string            // of a workbook's sheet; "" in other files
	Columns map[string]string // what the sheet calls the columns, by the names below
}

// The columns of a sheet, by the names that they have in English.
const (
	ColumnStore        = "store"
	ColumnStoreID      = "store id"
	ColumnChain        = "chain"
	ColumnChainAliases = "chain aliases"
	ColumnAddress      = "address"
	ColumnLatitude     = "latitude"
	ColumnLongitude    = "longitude"
	ColumnHours        = "hours"
	ColumnStoreAliases = "store aliases"
	ColumnProduct      = "product"
	ColumnProductID    = "product id"
	ColumnSKU          = "sku"
	ColumnNames        = "name:" // followed by a language, such as "name:en"
	ColumnAliases      = "aliases"
	ColumnCategory     = "category"
	ColumnUnit         = "unit"
	ColumnPrice        = "price"
	ColumnCurrency     = "currency"
	ColumnBarcode      = "barcode"
	ColumnReorderPoint = "reorder point"
	ColumnQuantity     = "qty"
	ColumnExpiry       = "expiry"
)

// ImportMode says what becomes of what an import does not name.
type ImportMode string

const (
	// Merge leaves it as it is.
	Merge ImportMode = "merge"
	// Replace removes it in the shops that rows give quantities to, and nowhere
	// else: levels go to 0 by movements and are not carried any longer, and
	// products that no row names are gone where no shop carries them then.
	// Movements stay. ImportOptions.RemoveStores removes other shops, too.
	Replace ImportMode = "replace"
)

// ImportOptions are how an import is done. The zero value merges.
type ImportOptions struct {
	Mode   ImportMode // if "", Merge
	DryRun bool       // find out what would change, and change nothing
	// RemoveStores has Replace also remove the shops that no row names, with
	// their levels, and all products that no row names. The report names every
	// such shop.
	RemoveStores bool
	// Removing, if set, is called with those shops before they are removed, but
	// not in a dry run. An error ends the import, and nothing is changed.
	Removing    func([]Shop) error
	MaxProblems int    // how many bad rows an ImportError names; if 0, 20
	MaxExamples int    // how much of each kind an ImportReport names; if 0, 20
	Note        string // of the movements, such as the file's name
	// Progress, if set, is called now and then, from one goroutine, with how
	// many rows were read, or with how far, of 1, the rest of the work is.
	Progress func(rows int, rest float64)
}

// ImportReport says what an import changed, or would have.
type ImportReport struct {
	Rows        int
	RemovedDemo bool // the demo data went first

	NewShops, ChangedShops, GoneShops          Examples[Shop]
	NewProducts, ChangedProducts, GoneProducts Examples[Product]
	Renamed                                    Examples[Rename] // among the changed: those that may be another product now

	Levels        int                   // that the rows name
	Up, Down, New Examples[LevelChange] // of levels; New are those that were not carried, at whatever quantity
	Gone          Examples[LevelChange] // not carried any longer
	Redated       Examples[LevelChange] // of which as much is there as before, with other expiry dates
	Released      []Reservation         // that had to give way
}

// Rename is that a row has a product's code, and a name that is not like its
// name.
type Rename struct {
	ProductID     string
	Code          string // what the row and the product have in common, such as "barcode 4710000000011"
	Before, After string
}

// Examples counts things and has the first few of them.
type Examples[T any] struct {
	Count int
	First []T
}

// Add counts x, and keeps it if it is among the first n.
func (e *Examples[T]) Add(x T, n int) {
	if e.Count++; len(e.First) < n {
		e.First = append(e.First, x)
	}
}

// Problem is what is wrong with a row. It is an error.
type Problem struct {
	Sheet  *Sheet
	Line   int
	Column string // as the sheet calls it, or "" where it is about all of the row
	Value  string // what stands there
	Why    string // and what to do
}

func (p Problem) Error() string {
	var b strings.Builder
	if p.Sheet != nil {
		b.WriteString(p.Sheet.File)
		if p.Sheet.Name != "" {
			fmt.Fprintf(&b, ", sheet %q", p.Sheet.Name)
		}
		b.WriteString(", ")
	}
	fmt.Fprintf(&b, "line %d", p.Line)
	if p.Column != "" {
		fmt.Fprintf(&b, ", column %q: %q", p.Column, p.Value)
	}
	return b.String() + ": " + p.Why
}

// ImportError says that rows are bad, and that nothing was imported.
type ImportError struct {
	Problems []Problem // the first of them, in the order of the rows
	Count    int       // of all
}

func (e *ImportError) Error() string {
	if e.Count == 1 {
		return "1 row is bad; nothing was imported"
	}
	return fmt.Sprintf("%d rows are bad; nothing was imported", e.Count)
}

// ShopEdit is what to change of a shop. What is nil stays.
type ShopEdit struct {
	Name, Chain, Address, Hours *string
	Aliases                     *[]string
}

// ProductEdit is what to change of a product. What is nil stays.
type ProductEdit struct {
	Name, SKU, Category, Unit *string
	Price, Currency           *string
	Aliases, Barcodes         *[]string
	ReorderPoint              *int64
}

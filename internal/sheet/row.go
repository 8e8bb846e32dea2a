package sheet

import (
	"fmt"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// row returns the line as a row, and whether it is one: blank lines, totals, a
// template's example, and headers that are repeated, as on each page of a
// report, are not.
func (r *rowReader) row() (store.Row, bool) {
	if blank(r.cells) || r.isHeaderAgain() {
		return store.Row{}, false
	}
	row := store.Row{Sheet: r.h.sheet, Line: r.line}
	r.shop(&row)
	r.product(&row)
	if r.isTotal(&row) {
		r.totals = append(r.totals, r.line)
		r.bad = nil
		return store.Row{}, false
	}
	if r.h.has(colQuantity) {
		row.Quantity = r.count(colQuantity, row.Product.Unit)
		if text := r.checked(meaning{column: colExpiry}, r.texts.code(r.raw(colExpiry))); text != "" && !noDate[text] {
			var why string
			if row.Expiry, why = parseDate(text); why != "" {
				r.fail(meaning{column: colExpiry}, why)
			}
		}
	}
	if r.isExample(&row) {
		r.examples = append(r.examples, r.line)
		return store.Row{}, false
	}
	r.checkSense(&row)
	r.checkExtra()
	return row, true
}

// noDate are what people write where nothing expires.
var noDate = map[string]bool{"無": true, "无": true, "-": true, "－": true, "—": true, "--": true, "N/A": true, "n/a": true}

func blank(cells []string) bool {
	for _, cell := range cells {
		if cell != "" && strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
}

// isHeaderAgain reports whether the line is the header once more.
func (r *rowReader) isHeaderAgain() bool {
	for _, at := range r.h.at {
		if at >= 0 && (at >= len(r.cells) || strings.TrimSpace(r.cells[at]) != strings.TrimSpace(r.h.cells[at])) {
			return false
		}
	}
	return true
}

// isExample reports whether the line is that of a template.
func (r *rowReader) isExample(row *store.Row) bool {
	if !r.h.has(colProduct) || !r.h.has(colQuantity) || !r.h.has(colBarcode, colAddress) {
		return false
	}
	if name := row.Product.Name; name != example[1].chinese && name != example[1].english {
		return false
	}
	cells := cellsOf(row, new([]string))
	chinese, english := true, true
	for _, c := range example {
		if r.h.has(c.column) {
			chinese = chinese && cells[c.column] == c.chinese
			english = english && cells[c.column] == c.english
		}
	}
	return chinese || english
}

// totalWords are what the first text of a line says that sums up others,
// folded.
var totalWords = map[string]bool{
	fold.String("合計"): true, fold.String("總計"): true, fold.String("小計"): true, fold.String("共計"): true,
	fold.String("總和"): true, fold.String("總數"): true,
	"total": true, "totals": true, "subtotal": true, "grandtotal": true,
}

// longestTotalWord is in bytes, with some marks around the word.
const longestTotalWord = 20

// isTotal reports whether the line sums up others. A product that is called
// Total has a number or a barcode.
func (r *rowReader) isTotal(row *store.Row) bool {
	p, s := &row.Product, &row.Shop
	if p.ID == "" && p.SKU == "" && len(p.Barcodes) == 0 && len(p.Name) <= longestTotalWord && totalWords[fold.String(p.Name)] {
		return true // of one store
	}
	first := firstText(r.cells)
	if len(first) > longestTotalWord || !totalWords[fold.String(first)] {
		return false
	}
	other := func(name string) bool { return name != "" && name != first }
	return !other(s.ID) && !other(s.Name) && !other(p.Name) && p.ID == "" && p.SKU == "" && len(p.Barcodes) == 0
}

// shop reads what the line says of a shop.
func (r *rowReader) shop(row *store.Row) {
	s := &row.Shop
	s.ID, s.Name = r.code(colStoreID), r.text(colStore)
	s.Chain, s.Address, s.Hours = r.text(colChain), r.text(colAddress), r.text(colHours)
	s.Aliases = r.list(colStoreAliases)
	row.ChainAliases = r.list(colChainAliases)
	latitude := r.checked(meaning{column: colLatitude}, r.texts.code(r.raw(colLatitude)))
	longitude := r.checked(meaning{column: colLongitude}, r.texts.code(r.raw(colLongitude)))
	switch {
	case latitude == "" && longitude == "":
	case latitude == "":
		r.fail(meaning{column: colLatitude}, "there is a longitude but no latitude; write both, or neither")
	case longitude == "":
		r.fail(meaning{column: colLongitude}, "there is a latitude but no longitude; write both, or neither")
	default:
		var why string
		s.Location = new(store.Location)
		if s.Location.Latitude, why = parseDegrees(latitude, 90); why != "" {
			r.fail(meaning{column: colLatitude}, why)
		}
		if s.Location.Longitude, why = parseDegrees(longitude, 180); why != "" {
			r.fail(meaning{column: colLongitude}, why)
		}
	}
}

// product reads what the line says of a product.
func (r *rowReader) product(row *store.Row) {
	p := &row.Product
	p.ID, p.SKU, p.Name = r.code(colProductID), r.code(colSKU), r.text(colProduct)
	p.Barcodes = r.barcodes()
	p.Aliases = r.list(colAliases)
	p.Category, p.Unit = r.text(colCategory), r.text(colUnit)
	for _, n := range r.h.names {
		if n.at >= len(r.cells) || r.cells[n.at] == "" {
			continue
		}
		if name := r.checked(meaning{language: n.language}, r.texts.name(r.cells[n.at])); name != "" {
			if p.Names == nil {
				p.Names = make(map[string]string, len(r.h.names))
			}
			p.Names[n.language] = name
		}
	}
	row.ReorderPoint = r.count(colReorderPoint, p.Unit)
	r.price(p)
}

// price reads a price and its currency, which its sign may tell.
func (r *rowReader) price(p *store.Product) {
	text := r.checked(meaning{column: colPrice}, r.texts.code(r.raw(colPrice)))
	if text == "" {
		return
	}
	price, signed, why := parsePrice(text)
	if why != "" {
		r.fail(meaning{column: colPrice}, why)
		return
	}
	p.Price, p.Currency = price, r.currency
	if signed != "" {
		p.Currency = signed
	}
	if named := r.text(colCurrency); named != "" {
		code := currencyCode(named)
		switch {
		case code == "":
			r.fail(meaning{column: colCurrency}, "this is not a currency; write a code such as TWD")
		case signed != "" && signed != code:
			r.fail(meaning{column: colPrice}, fmt.Sprintf("this price is in %s, but the currency is %s", signed, code))
		}
		p.Currency = code
	}
}

// checkSense refuses a line that does not say what of which.
func (r *rowReader) checkSense(row *store.Row) {
	p, s := &row.Product, &row.Shop
	if s.ID == "" && s.Name == "" && row.Quantity != nil {
		s.Name = r.o.Store
	}
	shop := s.ID != "" || s.Name != ""
	product := p.ID != "" || p.SKU != "" || p.Name != "" || len(p.Barcodes) > 0
	// In a sheet of quantities, a lone name may be a remark.
	stock := r.h.has(colQuantity)
	products := r.h.has(colProduct, colProductID, colSKU, colBarcode)
	switch {
	case !shop && !product:
		r.failRow("there is neither a product nor a store; name one, or delete the line")
	case row.Quantity != nil && !shop:
		r.fail(firstOf(r.h, colStore, colStoreID), "there is a quantity but no store; name the store")
	case row.Quantity != nil && !product:
		r.fail(firstOf(r.h, colProduct, colProductID, colSKU, colBarcode), "there is a quantity but no product; name the product")
	case row.Quantity != nil:
	case !stock && shop && product:
		r.failRow("there are a store and a product, but the sheet has no column of quantities that is known; name it 數量, or say which it is: --map qty=HEADER")
	case stock && shop && product:
		r.fail(meaning{column: colQuantity}, "there is no quantity; write 0 if there are none")
	case row.Expiry != "":
		r.fail(meaning{column: colExpiry}, "there is an expiry date but no quantity; write how many expire then")
	case stock && products && shop && s.ID == "" && s.Address == "" && s.Chain == "" && s.Hours == "" && len(s.Aliases) == 0 && s.Location == nil:
		r.fail(meaning{column: colStore}, "there is no product; name it, or delete the line if this is a remark")
	case stock && product && !shop && r.h.has(colStore, colStoreID) && p.ID == "" && p.SKU == "" && len(p.Barcodes) == 0 && p.Price == "" && p.Unit == "" && p.Category == "":
		r.fail(meaning{column: colQuantity}, "there is neither a store nor a quantity; write them, or delete the line if this is a remark")
	case stock && product && !shop && !r.h.has(colStore, colStoreID):
		r.fail(meaning{column: colQuantity}, "there is no quantity; write 0 if there are none")
	}
}

// firstOf returns the first of some columns that the sheet has.
func firstOf(h *header, columns ...column) meaning {
	for _, c := range columns {
		if h.has(c) {
			return meaning{column: c}
		}
	}
	return meaning{column: columns[0]}
}

// checkExtra refuses a line that has more cells than the header: a comma in a
// number or a text has moved the others out of their columns.
func (r *rowReader) checkExtra() {
	if n := len(r.h.cells); r.h.sheet.Name == "" && len(r.cells) > n && !blank(r.cells[n:]) {
		r.failRow(fmt.Sprintf("there are %d cells, but the header has %d; put texts and numbers with a comma in double quotes", len(r.cells), n))
	}
}

package sqlite

import (
	"fmt"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/code"
)

// columnsOf are what the kinds of identifiers and names stand in.
var columnsOf = map[uint8]string{
	byBarcode: store.ColumnBarcode, byID: store.ColumnProductID, bySKU: store.ColumnSKU, byName: store.ColumnProduct,
}

// written returns what c says as its row has it.
func (c call) written(said *saidProduct) string {
	switch c.kind {
	case byName:
		return said.Name
	case byBarcode:
		for _, b := range said.Barcodes {
			if code.Key(b) == c.value {
				return b
			}
		}
	}
	return c.value
}

// torn says that the identifiers of a row are of different products.
func (l *linker) torn(c call, those []int64) error {
	at, said, err := l.saying(c.said)
	if err != nil {
		return err
	}
	this, err := l.ids(those)
	if err != nil {
		return err
	}
	that, err := l.ids([]int64{l.product[l.find(c.said)]})
	if err != nil {
		return err
	}
	l.bad(at, columnsOf[c.kind], c.written(&said), fmt.Sprintf("it is of %s, but the row is also of %s; mend one of them",
		strings.Join(this, ", "), strings.Join(that, ", ")))
	return nil
}

// ambiguous says that a row fits several products: some that are there, and
// some that are new.
func (l *linker) ambiguous(c call, those []int64, roots []uint32) error {
	at, said, err := l.saying(c.said)
	if err != nil {
		return err
	}
	const most = 5
	fits, err := l.ids(those[:min(len(those), most)])
	if err != nil {
		return err
	}
	for _, root := range roots[:min(len(roots), most-len(fits))] {
		where, _, err := l.saying(root)
		if err != nil {
			return err
		}
		fits = append(fits, "that of "+l.where(where, at))
	}
	if len(those)+len(roots) > len(fits) {
		fits = append(fits, "…")
	}
	l.bad(at, columnsOf[c.kind], c.written(&said), fmt.Sprintf("several products are called so: %s; tell them apart by a column %q, %q or %q",
		strings.Join(fits, ", "), store.ColumnBarcode, store.ColumnSKU, store.ColumnProductID))
	return nil
}

// ids returns what products that are there are called in problems.
func (l *linker) ids(nums []int64) ([]string, error) {
	var ids []string
	for _, num := range nums {
		var id string
		if err := l.row(`SELECT id FROM products WHERE num = ?`, num).Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, fmt.Sprintf("product %q", id))
	}
	return ids, nil
}

// saying returns what is said, and where.
func (im *importer) saying(said uint32) (at int64, p saidProduct, err error) {
	var body []byte
	if err := im.row(`SELECT at, body FROM temp.said WHERE num = ?`, said).Scan(&at, &body); err != nil {
		return 0, saidProduct{}, err
	}
	return at, parseSaid(body), nil
}

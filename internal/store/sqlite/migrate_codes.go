package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"maps"
	"slices"

	"github.com/mcpstore/mcpstore/internal/store/code"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// productCodes are the codes of a product, before and after they are corrected.
type productCodes struct {
	num              int64
	id, name         string
	names            []string // folded
	sku, newSKU      string
	barcodes, newest []string
	taken            string // the barcode that was dropped because another product has it
	by               string // the ID of that product
}

// correctCodes drops stored codes that say that there is none, joins barcodes
// that were stored in groups, and has barcodes be found without the zeros before
// them.
func correctCodes(ctx context.Context, tx *sql.Tx) (tell func(*slog.Logger), err error) {
	wrong, err := wrongCodes(ctx, tx)
	if err != nil {
		return nil, err
	}
	for i := range wrong {
		if err := wrong[i].correct(ctx, tx); err != nil {
			return nil, err
		}
	}
	return func(log *slog.Logger) {
		for _, p := range wrong {
			if p.sku != p.newSKU {
				log.Warn("SKU dropped: it says that there is none", "product", p.id, "name", p.name, "sku", p.sku)
			}
			args := []any{"product", p.id, "name", p.name, "before", p.barcodes, "after", p.newest}
			switch {
			case p.taken != "":
				log.Warn("barcode dropped: another product has it", append(args, "barcode", p.taken, "of", p.by)...)
			case len(p.newest) == 0 && len(p.barcodes) > 0:
				log.Warn("barcode dropped: it says that there is none", args...)
			case !slices.Equal(p.barcodes, p.newest):
				log.Warn("barcodes corrected: groups of digits are one code", args...)
			}
		}
	}, nil
}

// wrongCodes returns the products whose codes are to be corrected, or found by
// more than they are now.
func wrongCodes(ctx context.Context, tx *sql.Tx) (wrong []productCodes, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT num, id, name, names, aliases, sku, barcodes FROM products ORDER BY num`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p productCodes
		var names map[string]string
		var aliases []string
		var namesText, aliasesText, barcodes []byte
		if err := rows.Scan(&p.num, &p.id, &p.name, &namesText, &aliasesText, &p.sku, &barcodes); err != nil {
			return nil, err
		}
		if err := errors.Join(parse(namesText, &names), parse(aliasesText, &aliases), parse(barcodes, &p.barcodes)); err != nil {
			return nil, err
		}
		p.names = texts(p.name, slices.AppendSeq(aliases, maps.Values(names)))
		p.newSKU, p.newest = p.sku, code.Correct(p.barcodes)
		if code.None(p.sku) {
			p.newSKU = ""
		}
		if p.sku != p.newSKU || !slices.Equal(p.barcodes, p.newest) ||
			slices.ContainsFunc(p.barcodes, func(b string) bool { return code.Key(b) != b }) {
			wrong = append(wrong, p)
		}
	}
	return wrong, rows.Err()
}

// correct stores the codes of a product as they should be.
func (p *productCodes) correct(ctx context.Context, tx *sql.Tx) error {
	for _, b := range slices.Clone(p.newest) {
		if slices.Contains(p.barcodes, b) {
			continue
		}
		// Two products with one barcode could not be told apart by imports.
		by, err := p.holder(ctx, tx, b)
		if err != nil {
			return err
		}
		if by != "" {
			p.taken, p.by = b, by
			p.newest = slices.DeleteFunc(p.newest, func(other string) bool { return other == b })
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE products SET sku = ?, barcodes = ? WHERE num = ?`, p.newSKU, list(p.newest), p.num); err != nil {
		return err
	}
	now := p.keys(p.newSKU, p.newest)
	for _, key := range p.keys(p.sku, p.barcodes) {
		if !slices.Contains(now, key) {
			if _, err := tx.ExecContext(ctx, `DELETE FROM product_keys WHERE key = ? AND product = ?`, key, p.num); err != nil {
				return err
			}
		}
	}
	for _, key := range now {
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO product_keys (key, product) VALUES (?, ?)`, key, p.num); err != nil {
			return err
		}
	}
	return nil
}

// keys returns what the product is called exactly, with these codes.
func (p *productCodes) keys(sku string, barcodes []string) []string {
	ids := append([]string{p.id, sku}, barcodes...)
	for _, b := range barcodes {
		ids = append(ids, code.Key(b))
	}
	return keys(p.names, ids...)
}

// holder returns the ID of another product that has a barcode, or "".
func (p *productCodes) holder(ctx context.Context, tx *sql.Tx, barcode string) (string, error) {
	rows, err := tx.QueryContext(ctx, `SELECT p.id, p.barcodes FROM product_keys k CROSS JOIN products p ON p.num = k.product
		WHERE k.key IN (?, ?) AND p.num <> ?`, fold.String(barcode), code.Key(barcode), p.num)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var text []byte
		var barcodes []string
		if err := rows.Scan(&id, &text); err != nil {
			return "", err
		}
		if err := parse(text, &barcodes); err != nil {
			return "", err
		}
		if slices.ContainsFunc(barcodes, func(b string) bool { return code.Key(b) == code.Key(barcode) }) {
			return id, nil
		}
	}
	return "", rows.Err()
}

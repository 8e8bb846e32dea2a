package sqlite

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/code"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// saidProduct is what a row says of a product.
type saidProduct struct {
	store.Product
	reorder *int64 // in place of ReorderPoint
}

// called yields what p is called by.
func (p *saidProduct) called(yield func(key string, kind uint8, value string)) {
	for _, b := range p.Barcodes {
		key := code.Key(b)
		yield(fold.String(b), byBarcode, key)
		if key != b {
			yield(key, byBarcode, key) // which is digits, and folds to itself
		}
	}
	if p.ID != "" {
		yield(fold.String(p.ID), byID, p.ID)
	}
	if p.SKU != "" {
		yield(fold.String(p.SKU), bySKU, p.SKU)
	}
	if key := fold.String(p.Name); key != "" {
		yield(key, byName, "")
	} else if p.Name != "" {
		yield("", byName, p.Name)
	}
	other := func(name string) {
		if key := fold.String(name); key != "" {
			yield(key, byOther, "")
		}
	}
	for _, name := range p.Names {
		other(name)
	}
	for _, alias := range p.Aliases {
		other(alias)
	}
}

func (p *saidProduct) append(b []byte) []byte {
	b = appendTexts(b, p.ID, p.SKU, p.Name, p.Category, p.Unit, p.Price, p.Currency)
	b = appendList(appendList(b, p.Aliases), p.Barcodes)
	b = binary.AppendUvarint(b, uint64(len(p.Names)))
	for _, lang := range slices.Sorted(maps.Keys(p.Names)) {
		b = appendTexts(b, lang, p.Names[lang])
	}
	if p.reorder != nil {
		b = binary.AppendVarint(b, *p.reorder)
	}
	return b
}

// makeValid makes all texts valid UTF-8, which JSON and SQLite's TEXT are.
func (p *saidProduct) makeValid() {
	for _, text := range []*string{&p.ID, &p.SKU, &p.Name, &p.Category, &p.Unit, &p.Price, &p.Currency} {
		*text = strings.ToValidUTF8(*text, "\uFFFD")
	}
	p.Aliases, p.Barcodes = slices.Clone(p.Aliases), slices.Clone(p.Barcodes)
	makeValid(p.Aliases, p.Barcodes)
	names := make(map[string]string, len(p.Names))
	for lang, name := range p.Names {
		names[strings.ToValidUTF8(lang, "\uFFFD")] = strings.ToValidUTF8(name, "\uFFFD")
	}
	p.Names = names
}

func makeValid(lists ...[]string) {
	for _, list := range lists {
		for i, text := range list {
			list[i] = strings.ToValidUTF8(text, "\uFFFD")
		}
	}
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

func appendList(b []byte, texts []string) []byte {
	return appendTexts(binary.AppendUvarint(b, uint64(len(texts))), texts...)
}

// parseSaid is the opposite of append.
func parseSaid(b []byte) saidProduct {
	text := string(b)
	count := func() int {
		n, size := binary.Uvarint(b)
		b, text = b[size:], text[size:]
		return int(n)
	}
	next := func() (s string) {
		n := count()
		s, text, b = text[:n], text[n:], b[n:]
		return s
	}
	list := func() (l []string) {
		for range count() {
			l = append(l, next())
		}
		return l
	}
	var p saidProduct
	for _, field := range []*string{&p.ID, &p.SKU, &p.Name, &p.Category, &p.Unit, &p.Price, &p.Currency} {
		*field = next()
	}
	p.Aliases, p.Barcodes = list(), list()
	if n := count(); n > 0 {
		p.Names = make(map[string]string, n)
		for range n {
			lang := next()
			p.Names[lang] = next()
		}
	}
	if len(b) > 0 {
		n, _ := binary.Varint(b)
		p.reorder = &n
	}
	return p
}

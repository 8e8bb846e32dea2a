// Package code knows what the codes of products look like in sheets: barcodes
// that are printed in groups, and the words that people and programs write
// where there is no code. It reads no sheets and knows no database.
//
// Begin at [None], [Barcodes] and [Key].
package code

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// None reports whether what stands in a cell of codes says that there is no
// code: 無, N/A, NULL, -, ?, an empty list, or zeros only. Two products that both have
// "none" have nothing in common.
func None(s string) bool {
	key := fold.String(s)
	return strings.Trim(key, "0.") == "" || noneWords()[key]
}

// noneWords are the folded words for "there is none".
var noneWords = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Split("無|沒有|空|空白|略|無碼|無條碼|沒條碼|沒有條碼|無條形碼|無國際條碼|無商品條碼|無貨號|無編號|無代號|無料號|無品號|"+
		"尚無|暫無|無資料|不適用|不詳|未知|未填|未提供|未設定|未建立|未建檔|待補|なし|없음|"+
		"none|no|na|n/a|null|nil|nan|nat|false|undefined|unknown|blank|not available|not applicable|not set|"+
		"no barcode|no bar code|without barcode|no code|no sku|no upc|no ean|no gtin|tbd|tba|x|xxx", "|") {
		all[fold.String(word)] = true
	}
	return all
})

// Lengths of the codes that GS1 gives out, which end in a check digit: EAN-8,
// UPC-A, EAN-13 and ITF-14.
var gtinLengths = []int{8, 12, 13, 14}

// maxGroup is how many digits a group of a printed code has at most. More may
// be a code by themselves.
const maxGroup = 7

// Barcodes returns the barcodes that stand in groups, which only spaces part.
// Groups of digits are one code where its check digit holds: 4710 0000 0001 1
// and 4710-0000-0001-1 are 4710000000011. What says that there is none is left
// out.
func Barcodes(groups []string) []string { return barcodes(groups, gtinLengths) }

// Correct returns what a stored list of barcodes should be, where [Barcodes] was
// not there to read it. Of two groups of four digits it is not known any longer
// what parted them, so those stay two codes.
func Correct(stored []string) []string { return barcodes(stored, gtinLengths[1:]) }

func barcodes(groups []string, lengths []int) []string {
	var codes []string
	var written, digits []string // the groups since the last that is not of digits
	end := func() {
		spelled := spell(digits, lengths)
		if spelled == nil {
			spelled = written
		}
		for _, c := range spelled {
			if !None(c) && !slices.Contains(codes, c) {
				codes = append(codes, c)
			}
		}
		written, digits = nil, nil
	}
	for _, group := range groups {
		group = plain(group)
		parts := strings.Split(group, "-")
		if slices.ContainsFunc(parts, func(s string) bool { return !isDigits(s) }) {
			end()
			written = []string{group}
			end()
			continue
		}
		if spelled := spell(parts, lengths); spelled != nil {
			written, digits = append(written, spelled...), append(digits, spelled...)
			continue
		}
		written, digits = append(written, group), append(digits, parts...)
	}
	end()
	return codes
}

// plain returns a code as a scanner reads it: in ASCII, without the ".0" that
// programs add to numbers, and the brackets and quotes that they add to lists.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case '！' <= r && r <= '～': // full width
			return r - '！' + '!'
		case '‐' <= r && r <= '―' || r == '−': // dashes
			return '-'
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, s)
	s = strings.Trim(s, "[]{}'\" ")
	if whole, part, ok := strings.Cut(s, "."); ok && isDigits(whole) && strings.Trim(part, "0") == "" {
		return whole
	}
	return s
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// spell returns the codes that groups of digits spell, nil where they are codes
// by themselves.
func spell(groups []string, lengths []int) []string {
	if len(groups) < 2 {
		return nil
	}
	hopeless := make([]bool, len(groups)+1)
	var from func(i int) ([]string, bool)
	from = func(i int) ([]string, bool) {
		if i == len(groups) {
			return nil, true
		}
		if hopeless[i] {
			return nil, false
		}
		if len(groups[i]) > maxGroup {
			if rest, ok := from(i + 1); ok {
				return append([]string{groups[i]}, rest...), true
			}
		}
		whole := ""
		for j := i; j < len(groups) && len(groups[j]) <= maxGroup; j++ {
			if whole += groups[j]; len(whole) > lengths[len(lengths)-1] {
				break
			}
			if j > i && slices.Contains(lengths, len(whole)) && checkDigitHolds(whole) && !None(whole) {
				if rest, ok := from(j + 1); ok {
					return append([]string{whole}, rest...), true
				}
			}
		}
		hopeless[i] = true
		return nil, false
	}
	if codes, ok := from(0); ok && len(codes) < len(groups) {
		return codes
	}
	// A last digit that stands alone is a check digit, even where it is wrong: no
	// code has one digit. One wrong code is better than four that other products
	// share.
	whole := strings.Join(groups, "")
	if n := len(groups); 3 <= n && n <= 5 && len(groups[n-1]) == 1 && (len(whole) == 12 || len(whole) == 13) &&
		!slices.ContainsFunc(groups, func(s string) bool { return len(s) > maxGroup }) {
		return []string{whole}
	}
	return nil
}

// Key returns what a barcode is compared by. A GTIN is the same with fewer or
// more zeros before it, where its check digit holds: 12345678905, 012345678905
// and 0012345678905 are one.
func Key(barcode string) string {
	const fewest = 7 // digits of the shortest GTIN without a zero
	short := strings.TrimLeft(barcode, "0")
	if len(short) == len(barcode) || len(short) < fewest || len(barcode) > gtinLengths[len(gtinLengths)-1] ||
		!isDigits(short) || !checkDigitHolds(short) {
		return barcode
	}
	return short
}

// Spellings returns the barcodes that are the same as barcode: [Key] of each is
// that of barcode, which is among them.
func Spellings(barcode string) []string {
	key := Key(barcode)
	all := []string{key}
	for s := "0" + key; Key(s) == key; s = "0" + s {
		all = append(all, s)
	}
	return all
}

// checkDigitHolds reports whether the last of some digits is what the others
// ask for. Zeros before them do not count.
func checkDigitHolds(digits string) bool {
	sum := 0
	for i := range len(digits) {
		n := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			n *= 3
		}
		sum += n
	}
	return sum%10 == 0
}

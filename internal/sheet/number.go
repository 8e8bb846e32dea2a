package sheet

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// narrow writes the digits and marks of numbers in ASCII.
func narrow(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] < 0x80
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case 0xFF01 <= r && r <= 0xFF5E:
			return r - 0xFF01 + '!'
		case r == '\u3000' || r == '\u00A0':
			return ' '
		case r == '−' || r == '–' || r == '—':
			return '-'
		}
		return r
	}, s)
}

// What things are counted in. The general words go with any unit.
var (
	generalCounters = counterSet("個 件 pcs pc ea each")
	counters        = counterSet("個 件 pcs pc ea each 顆 瓶 罐 包 盒 袋 條 支 枝 杯 碗 份 片 塊 本 張 組 箱 隻 台 入 粒 根 串 盤 桶 捲 雙 把 朵 box bag bottle can pack pk")
)

func counterSet(words string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(words) {
		set[fold.String(word)] = true
	}
	return set
}

const notACount = "this is not a whole number of the unit; write one, such as 12, or 0 if there are none"

// parseCount reads a whole number of things, such as "1,200", "１２" or "12 顆".
// It returns why s is none.
func parseCount(s, unit string) (n int64, why string) {
	number := strings.TrimSpace(narrow(s))
	end := strings.LastIndexFunc(number, isDigit) + 1
	if rest := strings.TrimSpace(number[end:]); rest != "" && rest != "." {
		if end == 0 || !isCounter(rest, unit) {
			return 0, notACount
		}
		number = number[:end]
	}
	digits, ok := ungroup(strings.TrimPrefix(strings.TrimSpace(number), "+"))
	if !ok {
		if after, below := strings.CutPrefix(number, "-"); below {
			if _, ok := ungroup(strings.TrimSpace(after)); ok {
				return 0, "this is below zero; write what is on the shelf, or 0 if there is nothing"
			}
		}
		return 0, notACount
	}
	whole, part, _ := strings.Cut(digits, ".")
	if strings.Trim(part, "0") != "" {
		return 0, "this is a fraction; write a whole number of units"
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > store.MaxQuantity {
		return 0, "this is more than 1,000,000,000"
	}
	return n, ""
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// isCounter reports whether s is a word for what is counted. 12 箱 of what is
// counted in 顆 are not 12.
func isCounter(s, unit string) bool {
	s, unit = fold.String(s), fold.String(unit)
	if unit == "" {
		return counters[s]
	}
	return s != "" && (s == unit || generalCounters[s])
}

// ungroup returns a decimal without thousands marks, which must be where they
// belong: "1,5" may be one and a half.
func ungroup(s string) (digits string, ok bool) {
	s, part, point := strings.Cut(s, ".")
	groups := strings.Split(s, ",")
	for i, group := range groups {
		switch {
		case strings.Trim(group, "0123456789") != "":
			return "", false
		case i > 0 && len(group) != 3:
			return "", false
		case i == 0 && len(groups) > 1 && (len(group) < 1 || len(group) > 3):
			return "", false
		}
	}
	whole := strings.Join(groups, "")
	if strings.Trim(part, "0123456789") != "" || whole == "" && part == "" {
		return "", false
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if point && part != "" {
		whole += "." + part
	}
	return whole, true
}

// currencySigns have the currency of each sign that prices carry; "" where it
// is of several.
var currencySigns = []struct{ sign, currency string }{
	{"NT$", "TWD"}, {"NTD", "TWD"}, {"TWD", "TWD"}, {"新台幣", "TWD"}, {"新臺幣", "TWD"}, {"台幣", "TWD"}, {"臺幣", "TWD"},
	{"HK$", "HKD"}, {"HKD", "HKD"}, {"港幣", "HKD"}, {"US$", "USD"}, {"USD", "USD"}, {"美元", "USD"}, {"美金", "USD"},
	{"人民幣", "CNY"}, {"人民币", "CNY"}, {"CNY", "CNY"}, {"RMB", "CNY"}, {"JPY", "JPY"}, {"日圓", "JPY"}, {"日幣", "JPY"}, {"日元", "JPY"},
	{"EUR", "EUR"}, {"€", "EUR"}, {"£", "GBP"}, {"GBP", "GBP"},
	{"$", ""}, {"¥", ""}, {"元", ""}, {"圓", ""}, {"塊", ""}, {"块", ""},
}

// maxPriceDigits is how many digits a price has at most, far above any price.
const maxPriceDigits = 15

// parsePrice reads a price such as "NT$1,200" or "13.50元" as a plain decimal,
// and the currency that its sign tells, if any. It returns why s is none.
func parsePrice(s string) (price, currency, why string) {
	number := strings.ToUpper(strings.TrimSpace(narrow(s)))
	for range 2 { // before and after
		if strings.Trim(number, "0123456789.,") == "" {
			break
		}
		for _, c := range currencySigns {
			rest, before := strings.CutPrefix(number, c.sign)
			if !before {
				var after bool
				if rest, after = strings.CutSuffix(number, c.sign); !after {
					continue
				}
			}
			if c.currency != "" && currency != "" && c.currency != currency {
				return "", "", "this names two currencies"
			}
			number = strings.TrimSpace(rest)
			if c.currency != "" {
				currency = c.currency
			}
			break
		}
	}
	price, ok := ungroup(number)
	switch {
	case strings.HasPrefix(number, "-"):
		return "", "", "this price is below zero"
	case !ok:
		return "", "", "this is not a price; write a number, such as 13 or 4.50"
	case len(price) > maxPriceDigits:
		return "", "", "this price has too many digits"
	}
	return price, currency, ""
}

// currencyCode returns the ISO 4217 code of a currency that a sheet names, or "".
func currencyCode(s string) string {
	s = strings.ToUpper(strings.TrimSpace(narrow(s)))
	for _, c := range currencySigns {
		if s == c.sign && c.currency != "" {
			return c.currency
		}
	}
	if len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
		return s
	}
	return ""
}

// parseDegrees reads a latitude or longitude of at most so many degrees.
func parseDegrees(s string, most float64) (degrees float64, why string) {
	degrees, err := strconv.ParseFloat(strings.TrimSpace(narrow(s)), 64)
	if err != nil || !(degrees >= -most && degrees <= most) {
		return 0, fmt.Sprintf("this is not a number of degrees from -%g to %g, such as 25.0330", most, most)
	}
	return degrees, ""
}

// checkCode returns why a barcode or another code cannot be one: Excel made a
// number of it, and then of that number 4.71E+12.
func checkCode(s string) (why string) {
	mantissa, exponent, ok := strings.Cut(strings.ToUpper(narrow(s)), "E+")
	if !ok || exponent == "" || mantissa == "" || strings.Trim(exponent, "0123456789") != "" || strings.Trim(mantissa, "0123456789.") != "" {
		return ""
	}
	return "Excel has rounded this number, and its digits are lost; in the original sheet format the column as text, or as a number without decimals, and save it again"
}

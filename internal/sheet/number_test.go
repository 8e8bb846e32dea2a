package sheet

import (
	"strings"
	"testing"
)

func TestParseCountTakesNumbersAsPeopleWriteThem(t *testing.T) {
	for _, tt := range []struct {
		in, unit string
		want     int64
		why      string // if not "", what is wrong
	}{
		{"12", "", 12, ""}, {"0", "", 0, ""}, {"007", "", 7, ""}, {"１２", "", 12, ""}, {"1,200", "", 1200, ""}, {"１，２００", "", 1200, ""},
		{"12.0", "", 12, ""}, {"12.", "", 12, ""}, {"1,234,567.00", "", 1234567, ""}, {"+5", "", 5, ""}, {"　8　", "", 8, ""},
		{"12 顆", "", 12, ""}, {"12個", "", 12, ""}, {"12 个", "", 12, ""}, {"12條裝", "條裝", 12, ""}, {"3 PCS", "", 3, ""}, {"5KG袋", "kg袋", 5, ""},
		{"1000000000", "", 1_000_000_000, ""},
		{"-3", "", 0, "below zero"}, {"−3", "", 0, "below zero"}, {"- 3 個", "", 0, "below zero"},
		{"1.5", "", 0, "fraction"}, {"1,200.5", "", 0, "fraction"},
		{"1000000001", "", 0, "more than"}, {"99999999999999999999", "", 0, "more than"},
		{"1,5", "", 0, "not a whole number"}, {"12,00", "", 0, "not a whole number"}, {"1 200", "", 0, "not a whole number"}, {"1.2.3", "", 0, "not a whole number"},
		{"無", "", 0, "not a whole number"}, {"-", "", 0, "not a whole number"}, {"12 箱", "顆", 0, "not a whole number"}, {"12 個", "顆", 12, ""}, {"12 公斤", "顆", 0, "not a whole number"}, {"個", "", 0, "not a whole number"}, {".", "", 0, "not a whole number"},
		{"12E3", "", 0, "not a whole number"}, {"TRUE", "", 0, "not a whole number"}, {"2026-11-30", "", 0, "not a whole number"}, {"", "", 0, "not a whole number"}, {"+-5", "", 0, "not a whole number"},
	} {
		n, why := parseCount(tt.in, tt.unit)
		if n != tt.want || (why == "") != (tt.why == "") || !strings.Contains(why, tt.why) {
			t.Errorf("parseCount(%q, %q) = %d, %q; want %d, %q", tt.in, tt.unit, n, why, tt.want, tt.why)
		}
	}
}

func TestParsePriceTakesPricesAsPeopleWriteThem(t *testing.T) {
	for _, tt := range []struct{ in, want, currency, why string }{
		{"13", "13", "", ""}, {"13.50", "13.50", "", ""}, {"NT$13", "13", "TWD", ""}, {"$13", "13", "", ""}, {"13元", "13", "", ""}, {"ＮＴ＄１，２００", "1200", "TWD", ""},
		{"NT$ 1,200元", "1200", "TWD", ""}, {"US$4.99", "4.99", "USD", ""}, {"¥100", "100", "", ""}, {"100 TWD", "100", "TWD", ""}, {"新台幣 35 元", "35", "TWD", ""},
		{"0", "0", "", ""}, {".5", "0.5", "", ""}, {"013", "13", "", ""}, {"13.", "13", "", ""},
		{"-13", "", "", "below zero"}, {"13,5", "", "", "not a price"}, {"免費", "", "", "not a price"}, {"13/14", "", "", "not a price"}, {"1e3", "", "", "not a price"},
		{"US$5 TWD", "", "", "two currencies"}, {"12345678901234567890", "", "", "too many digits"}, {"$", "", "", "not a price"},
	} {
		price, currency, why := parsePrice(tt.in)
		if price != tt.want || currency != tt.currency || (why == "") != (tt.why == "") || !strings.Contains(why, tt.why) {
			t.Errorf("parsePrice(%q) = %q, %q, %q; want %q, %q, %q", tt.in, price, currency, why, tt.want, tt.currency, tt.why)
		}
	}
}

func TestCurrencyCodeKnowsNames(t *testing.T) {
	for in, want := range map[string]string{
		"TWD": "TWD", "twd": "TWD", "NTD": "TWD", "NT$": "TWD", "新台幣": "TWD", "臺幣": "TWD", "人民币": "CNY", "港幣": "HKD", "ＵＳＤ": "USD", "CHF": "CHF",
		"$": "", "元": "", "dollars": "", "": "", "T1D": "",
	} {
		if got := currencyCode(in); got != want {
			t.Errorf("currencyCode(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCheckCodeKnowsWhatExcelHasDestroyed(t *testing.T) {
	for in, destroyed := range map[string]bool{
		"4.71E+12": true, "4E+12": true, "4.71e+12": true,
		"4710000000017": false, "ABC-E+1": false, "E+5": false, "1E5": false, "12E+": false, "A001": false,
	} {
		if got := checkCode(in) != ""; got != destroyed {
			t.Errorf("checkCode(%q) says it is destroyed: %v, want %v", in, got, destroyed)
		}
	}
}

func TestParseDegrees(t *testing.T) {
	for in, want := range map[string]float64{"25.0330": 25.033, "-90": -90, "１２": 12} {
		if got, why := parseDegrees(in, 90); got != want || why != "" {
			t.Errorf("parseDegrees(%q) = %g, %q, want %g", in, got, why, want)
		}
	}
	for _, in := range []string{"90.1", "NaN", "25,03", "25°", "", "Inf"} {
		if got, why := parseDegrees(in, 90); why == "" {
			t.Errorf("parseDegrees(%q) = %g, want a reason why not", in, got)
		}
	}
}

package sheet

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCellsThatSayThatThereIsNoCodeHaveNone(t *testing.T) {
	r := readText(t, "店名,門市代號,品名,商品ID,貨號,條碼,數量\n"+
		"甲,無,蛋,N/A,[''],無,1\n"+
		"乙,000,茶,?,0,0000000000000,2\n"+
		"丙,-,糖,NULL,None,\"N/A; 無\",3\n"+
		"丁,7,鹽,S1,A0,N/A;4710000000011,4\n", Options{})
	var got [][]string
	for _, row := range r.good(t) {
		got = append(got, append([]string{row.Shop.ID, row.Product.ID, row.Product.SKU}, row.Product.Barcodes...))
	}
	want := [][]string{
		{"", "", ""},
		{"000", "", ""}, // which may be a store's number
		{"", "", ""},
		{"7", "S1", "A0", "4710000000011"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

func TestBarcodesInGroupsAreOne(t *testing.T) {
	for cell, want := range map[string][]string{
		"4710 0000 0001 1":                    {"4710000000011"},
		"4710-0000-0001-1":                    {"4710000000011"},
		"'4710 0000 0001 1":                   {"4710000000011"},
		"4710　0000　0001　1":                    {"4710000000011"},
		"4710 0000 0001 1/4710-0000-0002-8":   {"4710000000011", "4710000000028"},
		"\"4710 0000 0001 1\n4710000000028\"": {"4710000000011", "4710000000028"},
		"4710000000011 4710000000028":         {"4710000000011", "4710000000028"},
		"4711;4712":                           {"4711", "4712"},
		"1234;5670":                           {"1234", "5670"}, // a semicolon parts codes, whatever a check digit says
		`AB\ 12`:                              {"AB 12"},
	} {
		rows := readText(t, "品名,條碼\n蛋,"+cell+"\n", Options{}).good(t)
		if diff := cmp.Diff(want, rows[0].Product.Barcodes); diff != "" {
			t.Errorf("%q (-want +got):\n%s", cell, diff)
		}
	}
}

package code

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNone(t *testing.T) {
	for _, s := range []string{
		"", " ", "無", "无", "（無）", "無條碼", "没有条码", "N/A", "n.a.", "#N/A", "NULL", "<null>", "None", "NaN", "[None]", "-", "--", "—", "－", "?", "？", "…", "*",
		"0", "00000", "０", "0000000000000", "0.0", "['']", "[]", `""`, "No barcode", "False", "x",
	} {
		if !None(s) {
			t.Errorf("None(%q) is false", s)
		}
	}
	for _, s := range []string{"1", "10", "0001", "4710000000011", "A", "NA-1", "N0", "無糖茶", "none-01", "免運", "NO1", "X1", "0.5"} {
		if None(s) {
			t.Errorf("None(%q) is true", s)
		}
	}
}

func TestBarcodes(t *testing.T) {
	for _, tt := range []struct{ groups, want string }{
		{"4710000000011", "4710000000011"},
		{"4710 0000 0001 1", "4710000000011"},
		{"4710-0000-0001-1", "4710000000011"},
		{"471-0000 00001-1", "4710000000011"},
		{"4 710000 000011", "4710000000011"},
		{"0 12345 67890 5", "012345678905"},
		{"1234 5670", "12345670"},
		{"1 471 0000000011", "1 471 0000000011"}, // a group of ten digits may be a code
		{"4710 0000 0001 1 4710 0000 0002 8", "4710000000011 4710000000028"},
		{"4710000000035 4710 0000 0001 1", "4710000000035 4710000000011"},
		// The last digit is that of one code, though it is wrong.
		{"4710 0000 0001 2", "4710000000012"},
		{"4710-0000-0001-2", "4710000000012"},
		// Several codes stay several.
		{"4710000000011 4710000000028", "4710000000011 4710000000028"},
		{"4011 4012", "4011 4012"},
		{"4011 4012 4013", "4011 4012 4013"},
		{"1 2 3", "1 2 3"},
		{"A001 4711", "A001 4711"},
		{"2024-11-05", "2024-11-05"},
		{"AB-12", "AB-12"},
		{"12345678-0", "12345678-0"},
		{"0-47100000", "0-47100000"},
		// As programs write them.
		{"４７１００００００００１１", "4710000000011"},
		{"４７１０－００００−0001–1", "4710000000011"},
		{"4710000000012.0", "4710000000012"},
		{"['4710000000011']", "4710000000011"},
		{"1.5", "1.5"},
		{"(01)04710000000011", "(01)04710000000011"},
		// What says that there is none, and what comes twice.
		{"0000 0000 0000 0", ""},
		{"4710000000011 無 0 -", "4710000000011"},
		{"4710000000011 4710-0000-0001-1", "4710000000011"},
	} {
		got := Barcodes(strings.Fields(tt.groups))
		if diff := cmp.Diff(strings.Fields(tt.want), append([]string{}, got...)); diff != "" {
			t.Errorf("Barcodes(%q) (-want +got):\n%s", tt.groups, diff)
		}
		if diff := cmp.Diff(got, Barcodes(got)); diff != "" {
			t.Errorf("Barcodes(%q) is not stable (-once +twice):\n%s", tt.groups, diff)
		}
	}
}

func TestCorrectLeavesTwoShortCodes(t *testing.T) {
	for stored, want := range map[string]string{
		"4710 0000 0001 1":             "4710000000011",
		"4710-0000-0001-1 無":           "4710000000011",
		"4710-0000-0001-1 0":           "4710000000011",
		"4011 4088":                    "4011 4088", // as one, its check digit would hold
		"A1 4710 0000 0001 1 47100028": "A1 4710000000011 47100028",
	} {
		if diff := cmp.Diff(strings.Fields(want), Correct(strings.Fields(stored))); diff != "" {
			t.Errorf("Correct(%q) (-want +got):\n%s", stored, diff)
		}
	}
}

func TestManyGroupsAreReadInLittleTime(t *testing.T) {
	groups := strings.Fields(strings.Repeat("1 ", 5000))
	if got := Barcodes(groups); len(got) != 1 {
		t.Errorf("%d codes, want the one that comes again and again", len(got))
	}
}

func TestSpellings(t *testing.T) {
	for _, tt := range []struct{ barcode, want string }{
		{"0012345678905", "12345678905 012345678905 0012345678905 00012345678905"},
		{"12345678905", "12345678905 012345678905 0012345678905 00012345678905"},
		{"4710000000011", "4710000000011 04710000000011"},
		{"012345678906", "012345678906"}, // whose check digit does not hold
		{"0123", "0123"},
		{"A-1", "A-1"},
		{"", ""},
	} {
		if got := strings.Join(Spellings(tt.barcode), " "); got != tt.want {
			t.Errorf("Spellings(%q) = %q, want %q", tt.barcode, got, tt.want)
		}
	}
}

func TestKey(t *testing.T) {
	for _, tt := range []struct{ barcode, want string }{
		{"012345678905", "12345678905"},
		{"12345678905", "12345678905"},
		{"0012345678905", "12345678905"},
		{"04710000000011", "4710000000011"},
		{"4710000000011", "4710000000011"},
		{"012345678906", "012345678906"}, // whose check digit does not hold
		{"0123", "0123"},
		{"0000000000000", "0000000000000"},
		{"00A12345678", "00A12345678"},
		{"000012345678905", "000012345678905"}, // longer than any
	} {
		if got := Key(tt.barcode); got != tt.want {
			t.Errorf("Key(%q) = %q, want %q", tt.barcode, got, tt.want)
		}
	}
}

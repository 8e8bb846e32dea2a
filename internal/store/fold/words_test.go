package fold

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWordsAreWhereLatinWordsBegin(t *testing.T) {
	for s, want := range map[string][]string{
		"":                   nil,
		"茶葉蛋":                nil,
		"Dark chocolate bar": {"chocolatebar", "bar"},
		"冰爽可樂 600ml":         {"600ml", "ml"},
		"ＫＯＫＯ便利店":            nil,
		"便利店KOKO":            {"koko"},
		"Lay's":              {"s"},
		"crème brûlée":       {"brulee"},
	} {
		if diff := cmp.Diff(want, Words(s)); diff != "" {
			t.Errorf("Words(%q) (-want +got):\n%s", s, diff)
		}
	}
}

func TestStartsWord(t *testing.T) {
	for folded, want := range map[string]bool{"egg": true, "600ml": true, "茶葉蛋": false, "蛋a": false, "": false} {
		if got := StartsWord(folded); got != want {
			t.Errorf("StartsWord(%q) = %v, want %v", folded, got, want)
		}
	}
}

func TestOpeningsAreWhatAWordBeginsWith(t *testing.T) {
	for folded, want := range map[string][]string{
		"egg":  {"^e", "^eg", "^egg"},
		"tea蛋": {"^t", "^te", "^tea"},
		"a":    {"^a"},
		"a蛋":   {"^a", "^a蛋"},
		"茶葉蛋":  nil,
		"":     nil,
	} {
		if diff := cmp.Diff(want, Openings(folded)); diff != "" {
			t.Errorf("Openings(%q) (-want +got):\n%s", folded, diff)
		}
	}
}

package fold

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGrams(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want string
	}{
		{"", ""},
		{"蛋", "蛋"},
		{"茶叶蛋", "叶 叶蛋 茶 茶叶 蛋"},
		{"蛋蛋蛋", "蛋 蛋蛋"},
		{"egg", "e eg egg g gg"},
		{"a茶b", "a a茶 b 茶 茶b"},
	} {
		if diff := cmp.Diff(strings.Fields(tt.want), append([]string{}, Grams(tt.in)...)); diff != "" {
			t.Errorf("Grams(%q) (-want +got):\n%s", tt.in, diff)
		}
	}
}

func TestCover(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"蛋", "蛋"},
		{"茶叶", "茶叶"},
		{"茶叶蛋", "叶蛋 茶叶"},
		{"eg", "eg"},
		{"teaegg", "aeg eae egg tea"},
		{"ab茶", "ab b茶"},
		{"abc茶", "abc c茶"},
	} {
		if diff := cmp.Diff(strings.Fields(tt.want), append([]string{}, Cover(tt.in)...)); diff != "" {
			t.Errorf("Cover(%q) (-want +got):\n%s", tt.in, diff)
		}
	}
}

// FuzzCover holds that an index finds every text that contains the question.
func FuzzCover(f *testing.F) {
	f.Add("koko便利店大安店", 3, 9)
	f.Add("teaegg", 0, 3)
	f.Add("1.5l可乐", 0, 20)
	f.Fuzz(func(t *testing.T, text string, i, j int) {
		text = String(text)
		runes := []rune(text)
		if i < 0 || j < i || j > len(runes) {
			return
		}
		grams := Grams(text)
		for _, gram := range Cover(string(runes[i:j])) {
			if !slices.Contains(grams, gram) {
				t.Errorf("Grams(%q) lacks %q, which is in Cover(%q)", text, gram, string(runes[i:j]))
			}
		}
	})
}

func TestSlipsFindEverySlip(t *testing.T) {
	for _, name := range []string{"奶茶", "茶叶蛋", "珍珠奶茶", "原味优酪乳", "koko便利店大安店", "teaegg", "cocacola", "abab"} {
		indexed := Grams("x" + name + "y")
		for _, slip := range slips(name) {
			if len([]rune(slip)) < 2 {
				continue
			}
			if d := Distance(slip, name); d > 1 {
				t.Errorf("Distance(%q, %q) = %d, want at most 1", slip, name, d)
			}
			found := slices.ContainsFunc(Slips(slip), func(set []string) bool {
				return !slices.ContainsFunc(set, func(gram string) bool { return !slices.Contains(indexed, gram) })
			})
			// Two characters of which one is missing leave one, which any
			// set holds; swapped or wrong, one of them still is there.
			if !found {
				t.Errorf("Slips(%q) = %q, none of which is in %q", slip, Slips(slip), name)
			}
		}
	}
}

// slips returns what may come of one slip in writing name.
func slips(name string) []string {
	r := []rune(name)
	var out []string
	for i := range r {
		out = append(out,
			string(slices.Delete(slices.Clone(r), i, i+1)),
			string(slices.Insert(slices.Clone(r), i, '错')),
			string(slices.Replace(slices.Clone(r), i, i+1, '错')))
		if i > 0 {
			s := slices.Clone(r)
			s[i-1], s[i] = s[i], s[i-1]
			out = append(out, string(s))
		}
	}
	return out
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b        string
		whole, part int
	}{
		{"", "", 0, 0},
		{"", "茶", 1, 0},
		{"茶", "", 1, 1},
		{"茶叶蛋", "茶叶蛋", 0, 0},
		{"茶叶旦", "茶叶蛋", 1, 1},
		{"茶蛋", "茶叶蛋", 1, 1},
		{"茶茶叶蛋", "茶叶蛋", 1, 1},
		{"叶茶蛋", "茶叶蛋", 1, 1},
		{"大安点", "koko便利店大安店", 8, 1},
		{"大安店", "koko便利店大安店", 7, 0},
		{"cokacola", "cocacola", 1, 1},
		{"kitten", "sitting", 3, 2},
		{strings.Repeat("a", 300), strings.Repeat("a", 299) + "b", 1, 1},
	} {
		if got := Distance(tt.a, tt.b); got != tt.whole {
			t.Errorf("Distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.whole)
		}
		if got := PartDistance(tt.a, tt.b); got != tt.part {
			t.Errorf("PartDistance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.part)
		}
	}
}

func TestNear(t *testing.T) {
	for _, tt := range []struct {
		asked, name string
		score       int
		ok          bool
	}{
		{"茶叶蛋", "茶叶蛋", 0, true},
		{"茶叶旦", "茶叶蛋", 1, true},
		{"叶茶蛋", "茶叶蛋", 1, true},
		{"奶查", "奶茶", 1, true},
		{"奶查", "珍珠奶茶", 0, false}, // half of so short a text is no slip
		{"大安点", "koko便利店大安店", 3, true},
		{"茶叶旦", "溏心茶叶蛋", 3, true},
		{"茶叶旦", "溏心蛋", 0, false},
		{"cokakola", "cocacola", 2, true},
		{"茶蛋", "蛋", 0, false},
		{"蛋", "但", 0, false},
		{"", "蛋糕", 0, false},
		{"蛋糕", "", 0, false},
		{strings.Repeat("茶", 101), strings.Repeat("茶", 100), 0, false},
	} {
		score, ok := Near(tt.asked, tt.name)
		if ok != tt.ok || ok && score != tt.score {
			t.Errorf("Near(%q, %q) = %d, %v, want %d, %v", tt.asked, tt.name, score, ok, tt.score, tt.ok)
		}
	}
}

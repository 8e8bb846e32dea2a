package fold

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestString(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"teaegg", "teaegg"},
		{"Tea Egg", "teaegg"},
		{"ＴＥＡ　ＥＧＧ", "teaegg"},
		{"茶葉蛋", "茶叶蛋"},
		{"茶叶蛋", "茶叶蛋"},
		{" 茶 葉\t蛋\n", "茶叶蛋"},
		{"茶\u200b葉\ufeff蛋", "茶叶蛋"},
		{"KOKO便利店 大安店", "koko便利店大安店"},
		{"臺北", "台北"},
		{"台北", "台北"},
		{"裏面", "里面"},
		{"裡麵", "里面"},
		{"沿着", "沿着"},
		{"沿著", "沿着"},
		{"菸酒", "烟酒"},
		{"煙酒", "烟酒"},
		{"可口・可樂", "可口可乐"},
		{"可口可乐®", "可口可乐"},
		{"Coca-Cola", "cocacola"},
		{"M&M’s", "mms"},
		{"ﾎﾟｶﾘ", "ポカリ"},
		{"Häagen-Dazs", "haagendazs"},
		{"Ha\u0308agen", "haagen"},
		{"Phở", "pho"},
		{"ΣΊΣΥΦΟΣ", "σισυφοσ"},
		{"ガム", "ガム"},
		{"カ\u3099ム", "ガム"},
		{"한국 라면", "한국라면"},
		{"１．５Ｌ", "1.5l"},
		{"1.5L", "1.5l"},
		{"1,5 L.", "15l"},
		{"No.1", "no1"},
		{"A+ 100%", "a+100"},
		{"①號 ㎏", "1号kg"},
		{"龜\ufe00", "龟"},
		{"\uf907", "龟"}, // a compatibility ideograph
		{"ก็", "ก็"},    // a mark of another script
		{"★！？", ""},
		{"a\xffb\xe8\x8c", "ab"},
	} {
		if got := String(tt.in); got != tt.want {
			t.Errorf("String(%+q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestStringOfEveryCharacterIsStable(t *testing.T) {
	for r := range rune(0x30000) {
		// Characters that stand for themselves are all alike: one in 64 will do.
		if utf8.ValidRune(r) && (!han(r) || r%64 == 0) {
			checkStable(t, "1."+string(r)+"5か"+string(r)+"\u3099")
		}
	}
}

func TestTableMapsCharactersThatStandForThemselves(t *testing.T) {
	if n, m := utf8.RuneCountInString(foldedFrom), utf8.RuneCountInString(foldedTo); n != m || n < 4000 {
		t.Fatalf("table maps %d characters to %d", n, m)
	}
	for from, to := range simplified() {
		if _, again := simplified()[to]; again || !han(from) || !han(to) {
			t.Errorf("%c folds to %c, which is no end", from, to)
		}
	}
}

func FuzzString(f *testing.F) {
	for _, s := range []string{"茶葉蛋", "Tea Egg", "１．５", "Häagen", "e\u200b\u0301", "カ゛", "1.\u20285", "\xff\xfe", "İß", strings.Repeat("\u3099", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkStable(t, s) })
}

func checkStable(t *testing.T, s string) {
	t.Helper()
	once := String(s)
	if twice := String(once); twice != once {
		t.Errorf("String(%+q) = %+q, and again %+q", s, once, twice)
	}
	if !utf8.ValidString(once) {
		t.Errorf("String(%+q) = %+q is not UTF-8", s, once)
	}
	if slow := foldAny(s); slow != once {
		t.Errorf("String(%+q) = %+q, but by way of normal forms %+q", s, once, slow)
	}
	if strings.ContainsAny(once, "\n #\"") {
		t.Errorf("String(%+q) = %+q has characters that do not count", s, once)
	}
}

func TestStringLeavesFoldedASCIIWhereItIs(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { String("teaegg+15") }); n != 0 {
		t.Errorf("String allocates %v times for text that is folded already", n)
	}
	if n := testing.AllocsPerRun(100, func() { String("KOKO便利店 大安店") }); n > 1 {
		t.Errorf("String allocates %v times for Chinese, want once", n)
	}
}

// BenchmarkString folds what people ask for.
func BenchmarkString(b *testing.B) {
	for _, bb := range []struct{ name, in string }{
		{"folded", "teaegg"},
		{"ascii", "Tea Egg"},
		{"chinese", "KOKO便利店的茶葉蛋"},
		{"wide", "ＫＯＫＯ　茶葉蛋"},
		{"accents", "Häagen-Dazs"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				String(bb.in)
			}
		})
	}
}

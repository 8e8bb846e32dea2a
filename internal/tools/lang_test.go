package tools

import (
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

func TestLanguageOf(t *testing.T) {
	locale := func(s any) *mcp.Meta {
		return &mcp.Meta{AdditionalFields: map[string]any{"openai/locale": s}}
	}
	for _, test := range []struct {
		meta *mcp.Meta
		text string
		want language
	}{
		{locale("zh-TW"), "tea egg", zhTW},
		{locale("zh-Hans-CN"), "tea egg", zhTW},
		{locale("ZH_hk"), "tea egg", zhTW},
		{locale("en-US"), "茶葉蛋", english},
		{locale("ja"), "茶葉蛋", english},
		{locale(""), "茶葉蛋", zhTW},
		{locale(7), "tea egg", english},
		{nil, "茶葉蛋", zhTW},
		{nil, "KOKO便利店", zhTW},
		{nil, "tea egg", english},
		{nil, "おにぎり", english},
		{nil, "4710000000012", zhTW}, // a number is in no language
		{nil, "", zhTW},
	} {
		if got := languageOf(test.meta, test.text); got != test.want {
			t.Errorf("languageOf(%v, %q) = %v, want %v", test.meta, test.text, got, test.want)
		}
	}
	if got := languageOf(nil, "tea egg", "大安店"); got != zhTW {
		t.Errorf("a question in both scripts is answered in %v, want %v", got, zhTW)
	}
}

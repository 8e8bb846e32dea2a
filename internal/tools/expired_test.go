package tools

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// TestAnswersSayWhatHasExpired asks every tool that tells of a level of which
// some has expired, in both languages.
func TestAnswersSayWhatHasExpired(t *testing.T) {
	page := func(id string) string { return "https://shop.example/" + id }
	db := open(t, func() store.Catalog {
		return store.Catalog{
			Shops:    []store.Shop{{ID: "corner", Name: "巷口", Chain: "巷"}, {ID: "river", Name: "河邊", Chain: "巷"}},
			Products: []store.Product{{ID: "milk", Name: "牛奶", Names: map[string]string{"en": "Milk"}, Unit: "瓶", ReorderPoint: 6}},
			Levels: []store.CatalogLevel{
				{ShopID: "corner", ProductID: "milk", OnHand: 9, Lots: []store.Lot{{Expiry: "2020-03-01", OnHand: 5}}},
				{ShopID: "river", ProductID: "milk", OnHand: 5, Reserved: 2, Lots: []store.Lot{{Expiry: "2026-11-02", OnHand: 4}, {Expiry: "2026-11-03", OnHand: 1}}},
			},
		}
	})
	srv := New(db, Config{Now: inTaipei, Connector: &Connector{ShopPage: page, ProductPage: page}})
	for _, tt := range []struct{ tool, arguments, zh, en string }{
		{"check_stock", `{"product":"milk","store":"corner"}`, "4 瓶可售（另有 5 瓶已過期）", "4 available (5 more have expired)"},
		{"check_stock", `{"product":"milk","store":"river"}`, "0 瓶可售（另有 2 瓶已保留、4 瓶已過期），已保留的比沒過期的多 1 瓶",
			"0 available (2 more reserved, 4 more have expired), 1 more reserved than have not expired"},
		{"check_stock", `{"product":"milk","store":"巷"}`, "4 瓶可售（另有 2 瓶已保留、9 瓶已過期）", "4 available (2 more reserved, 9 more have expired)"},
		{"check_stock", `{"product":"milk"}`, "4 瓶可售（另有 2 瓶已保留、9 瓶已過期）", "4 available (2 more reserved, 9 more have expired)"},
		{"list_low_stock", `{"store":"corner"}`, "4 瓶可售（另有 5 瓶已過期）（補貨點 6，少 2）", "4 available (5 more have expired) (reorder at 6, 2 short)"},
		{"get_product", `{"id":"milk"}`, "4 瓶可售（另有", "carried by 2 stores: 4 available (2 more reserved, 9 more have expired)"},
		{"fetch", `{"id":"product://milk"}`, "巷口：4 瓶可售（另有 5 瓶已過期）", "巷口: 4 available (5 more have expired)"},
		{"fetch", `{"id":"store://corner"}`, "牛奶：4 瓶可售（另有 5 瓶已過期）", "Milk: 4 available (5 more have expired)"},
	} {
		for locale, want := range map[string]string{"zh-TW": tt.zh, "en": tt.en} {
			text, out := call(t, srv, tt.tool, args(t, tt.arguments), map[string]any{"openai/locale": locale})
			if document, ok := out.StructuredContent["text"].(string); ok {
				text = document
			}
			if !strings.Contains(text, want) {
				t.Errorf("%s %s in %s = %s, want it to say %s", tt.tool, tt.arguments, locale, text, want)
			}
		}
	}
	_, out := call(t, srv, "check_stock", args(t, `{"product":"milk","store":"corner"}`), nil)
	if a := out.StructuredContent; a["on_hand"] != 9.0 || a["expired"] != 5.0 || a["available"] != 4.0 {
		t.Errorf("check_stock = %v, want 5 of 9 expired", a)
	}
	_, out = call(t, srv, "search_products", args(t, `{"store":"river","in_stock":true}`), nil)
	if out.StructuredContent["status"] != "none" {
		t.Errorf("search_products lists as in stock what has expired: %v", out.StructuredContent)
	}
	_, out = call(t, srv, "list_expiring", args(t, `{}`), nil)
	if lots, _ := out.StructuredContent["lots"].([]any); len(lots) != 3 || lots[0].(map[string]any)["state"] != "expired" {
		t.Errorf("list_expiring = %v, want what has expired first", out.StructuredContent)
	}
}

// TestWhatHasExpiredIsRefusedAndWasted tests what changes of what has expired are
// answered.
func TestWhatHasExpiredIsRefusedAndWasted(t *testing.T) {
	s := openShop(t)
	const eggs = `"store":"koko-daan","product":"tea-egg"`
	s.done(t, "record_movement", `{`+eggs+`,"delta":5,"reason":"delivery","expiry":"2026-11-03"}`)
	before, _ := s.level(t, "koko-daan", "tea-egg")
	sale := fmt.Sprintf(`{%s,"delta":-%d,"reason":"sale"}`, eggs, before)
	s.pass(8 * time.Hour) // it's the day after in Taipei
	for locale, want := range map[string]string{"zh-TW": "已過期 5", "en": "5 expired"} {
		text, out := call(t, s.srv, "record_movement", args(t, sale), map[string]any{"openai/locale": locale})
		if out.StructuredContent["code"] != "insufficient_stock" || out.StructuredContent["expired"] != 5.0 || !strings.Contains(text, want) {
			t.Errorf("selling all = %s %v, want it to say %s", text, out.StructuredContent, want)
		}
	}
	for locale, want := range map[string]string{"zh-TW": "報廢", "en": "Record it as waste"} {
		text, out := call(t, s.srv, "record_movement", args(t, `{`+eggs+`,"delta":-1,"reason":"sale","expiry":"2026-11-03"}`), map[string]any{"openai/locale": locale})
		if out.StructuredContent["code"] != "conflict" || !strings.Contains(text, want) {
			t.Errorf("selling what has expired = %s %v, want it to say %s", text, out.StructuredContent, want)
		}
	}
	out := s.done(t, "record_movement", `{`+eggs+`,"delta":-2,"reason":"waste"}`)
	if lots, err := s.db.Lots(context.Background(), "koko-daan", "tea-egg"); err != nil || len(lots) != 1 || lots[0].OnHand != 3 {
		t.Errorf("waste leaves %v, %v, want 3 of what has expired", lots, err)
	}
	if text := out.Content[0].Text; !strings.Contains(text, "expired") && !strings.Contains(text, "已過期") {
		t.Errorf("waste is answered %q, want it to say what else has expired", text)
	}
}

// TestConfirmationHoldsPastMidnight confirms a count of what expires in between.
func TestConfirmationHoldsPastMidnight(t *testing.T) {
	s := openShop(t)
	s.done(t, "record_movement", `{"store":"koko-daan","product":"tea-egg","delta":5,"reason":"delivery","expiry":"2026-11-03"}`)
	const counted = `{"store":"koko-daan","product":"tea-egg","quantity":200}`
	s.pass(7*time.Hour + 40*time.Minute) // 23:55
	_, token := s.preview(t, "count_stock", counted)
	s.pass(confirmTTL - time.Second)
	out := s.done(t, "count_stock", with(counted, token))
	if after, _ := first(t, out, "levels", "after").(map[string]any); after["on_hand"] != 200.0 || after["expired"] != 5.0 {
		t.Errorf("after the count there are %v, want 200, of which 5 have expired", after)
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

func TestRemovingStoresIsAskedOnATerminal(t *testing.T) {
	dir := t.TempDir()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(dir, "shop.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sheet := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("店名,品名,數量\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	all := sheet("all.csv", "甲,茶,1\n乙,茶,2\n丙,茶,3\n")
	if _, err := (&importOptions{mode: "merge"}).run(t.Context(), db, []string{all}, nil, importRun{}); err != nil {
		t.Fatal(err)
	}
	one := sheet("one.csv", "甲,茶,1\n")
	o := &importOptions{mode: "replace", removeStores: true}
	ask := func(answer string) (func([]store.Shop) error, string, error) {
		var asked bytes.Buffer
		removing, err := o.confirmRemoval(t.Context(), &env{stdin: strings.NewReader(answer), stderr: &asked}, db, []string{one}, 20)
		return removing, asked.String(), err
	}
	for _, answer := range []string{"n\n", "\n", ""} {
		if _, _, err := ask(answer); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("answered %q: %v, want a refusal", answer, err)
		}
	}
	removing, asked, err := ask("y\n")
	if err != nil || !strings.Contains(asked, "this removes 2 stores: 乙, 丙") {
		t.Fatalf("asked %q, %v", asked, err)
	}
	// What is removed is what was agreed to.
	if err := removing([]store.Shop{{ID: "乙", Name: "乙"}, {ID: "丁", Name: "丁"}}); err == nil || !strings.Contains(err.Error(), "丁") {
		t.Errorf("a store that was not named: %v", err)
	}
	if summary, err := db.Summary(t.Context()); err != nil || summary.Shops != 3 {
		t.Errorf("%+v, %v, want all stores before the import", summary, err)
	}
	if _, err := o.run(t.Context(), db, []string{one}, nil, importRun{removing: removing}); err != nil {
		t.Error(err)
	}
	if summary, err := db.Summary(t.Context()); err != nil || summary.Shops != 1 {
		t.Errorf("%+v, %v, want one store", summary, err)
	}
}

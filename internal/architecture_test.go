// Package internal has no code of its own, only this test of how its packages
// fit together.
package internal

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/mcpstore/mcpstore/"

// mayImport lists, for each package, those of ours that its code may import.
// Cmd introduces everyone to everyone; everything else flows one way:
// tunnel, server, access, tools, store. A package that is missing here fails the test.
var mayImport = map[string][]string{
	"cmd/mcpstore": {
		"internal/access", "internal/access/oauth", "internal/access/secret", "internal/openai", "internal/pages",
		"internal/server", "internal/sheet",
		"internal/smoke", "internal/store", "internal/store/demo",
		"internal/store/sqlite", "internal/tools", "internal/tunnel",
	},
	"internal/access":                   {"internal/access/secret", "internal/store"},
	"internal/access/oauth":             {"internal/access", "internal/access/secret", "internal/store"},
	"internal/access/secret":            nil,
	"internal/access/secret/secrettest": {"internal/access/secret"},
	"internal/openai":                   nil,
	"internal/openai/openaitest":        nil,
	"internal/pages":                    {"internal/store"},
	"internal/server":                   nil,
	"internal/sheet":                    {"internal/store", "internal/store/code", "internal/store/fold"},
	"internal/smoke":                    nil,
	"internal/store":                    nil,
	"internal/store/catalog":            {"internal/store", "internal/store/code", "internal/store/fold", "internal/store/page"},
	"internal/store/code":               {"internal/store/fold"},
	"internal/store/demo":               {"internal/store"},
	"internal/store/fold":               nil,
	"internal/store/ledger":             {"internal/store"},
	"internal/store/memory":             {"internal/store", "internal/store/catalog", "internal/store/ledger", "internal/store/page"},
	"internal/store/page":               {"internal/store"},
	"internal/store/sqlite":             {"internal/access", "internal/store", "internal/store/code", "internal/store/fold", "internal/store/ledger", "internal/store/page"},
	"internal/store/storetest":          {"internal/access", "internal/store"},
	"internal/tools":                    {"internal/store", "internal/store/fold", "internal/tools/card"},
	"internal/tools/card":               nil,
	"internal/tunnel":                   nil,
	"internal/tunnel/tunneltest":        nil,
	"internal/tunnel/tunneltest/edge":   {"internal/tunnel/tunneltest"},
}

func TestPackagesImportOnlyWhatTheyMay(t *testing.T) {
	root := ".."
	seen := make(map[string]bool)
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || len(d.Name()) > 2 && strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		if filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		pkg := path.Dir(filepath.ToSlash(rel))
		allowed, known := mayImport[pkg]
		if !known {
			t.Errorf("%s is not in the table of who may import whom", pkg)
			return nil
		}
		seen[pkg] = true
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range parsed.Imports {
			name, _ := strconv.Unquote(imp.Path.Value)
			if ours, is := strings.CutPrefix(name, module); is && !slices.Contains(allowed, ours) {
				t.Errorf("%s: %s may not import %s", rel, pkg, ours)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range mayImport {
		if !seen[pkg] {
			t.Errorf("%s is in the table but has no code", pkg)
		}
	}
}

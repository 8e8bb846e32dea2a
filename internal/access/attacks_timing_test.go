package access_test

import (
	"go/ast"
	"go/parser"
	"go/printer"
	gotoken "go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// secretName is what is not to be compared by ==, which tells by the time that
// it takes how much of it is right.
var secretName = regexp.MustCompile(`(?i)(verifier|challenge|passphrase|mac|seal|hash|nonce|secret|cookie|cookies\[0\]\.value|typed|raw|signature)$`)

func TestSecretsAreComparedInConstantTime(t *testing.T) {
	subtle := 0
	for _, folder := range []string{".", "oauth", "secret", "../store/sqlite", "../tools"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, call := range []string{"subtle.ConstantTimeCompare(", "hmac.Equal("} {
				subtle += strings.Count(string(source), call)
			}
			for _, found := range comparisons(t, file, source) {
				t.Errorf("%s; use subtle.ConstantTimeCompare", found)
			}
		}
	}
	if subtle < 4 {
		t.Errorf("%d comparisons in constant time, want those of verifiers, passphrases, forms and confirmations", subtle)
	}
	own := "package x\nfunc f(hash, other string) bool { return hash == other || hash == \"\" }"
	if found := comparisons(t, "x.go", []byte(own)); len(found) != 1 {
		t.Errorf("in the test's own source: %q", found)
	}
}

// comparisons returns where a source compares, by == or !=, something that is
// named like a secret with something that is no constant.
func comparisons(t *testing.T, file string, source []byte) (found []string) {
	t.Helper()
	set := gotoken.NewFileSet()
	tree, err := parser.ParseFile(set, file, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	text := func(e ast.Expr) string {
		var b strings.Builder
		if err := printer.Fprint(&b, set, e); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		b, ok := n.(*ast.BinaryExpr)
		if !ok || b.Op != gotoken.EQL && b.Op != gotoken.NEQ {
			return true
		}
		for _, side := range []ast.Expr{b.X, b.Y} {
			if _, constant := side.(*ast.BasicLit); constant || text(side) == "nil" {
				return true
			}
		}
		if secretName.MatchString(text(b.X)) || secretName.MatchString(text(b.Y)) {
			found = append(found, set.Position(b.Pos()).String()+": "+text(b))
		}
		return true
	})
	return found
}

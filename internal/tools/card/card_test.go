package card_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/mcpstore/mcpstore/internal/tools/card"
)

// maxSize is what a host is asked to fetch and keep for a card, in bytes.
const maxSize = 40 << 10

func TestDocumentIsSmallAndWhole(t *testing.T) {
	html := card.HTML()
	t.Logf("%d bytes", len(html))
	if len(html) >= maxSize {
		t.Errorf("the document has %d bytes, want less than %d", len(html), maxSize)
	}
	if strings.Contains(html, "{{") {
		t.Error("a part of the document is missing")
	}
	for _, loads := range []string{" src=", " href=", "@import", "url(", "innerHTML", "insertAdjacentHTML", ` style="`} {
		if strings.Contains(strings.ReplaceAll(html, `/url\(/`, ""), loads) {
			t.Errorf("the document has %q", loads)
		}
	}
}

func TestAddressChangesWithTheDocument(t *testing.T) {
	want := fmt.Sprintf("ui://mcpstore/stock-card-%.4x.html", sha256.Sum256([]byte(card.HTML())))
	if got := card.URI(); got != want {
		t.Errorf("URI() = %q, want %q", got, want)
	}
}

func TestPolicyLetsNothingInButTheDocumentsOwnParts(t *testing.T) {
	html := card.HTML()
	hash := func(tag string) string {
		part := regexp.MustCompile(`(?s)<`+tag+`[^>]*>(.*?)</`+tag+`>`).FindAllStringSubmatch(html, -1)
		if len(part) != 1 {
			t.Fatalf("%d elements %s, want 1", len(part), tag)
		}
		sum := sha256.Sum256([]byte(part[0][1]))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	want := `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src ` + hash("script") +
		`; style-src ` + hash("style") + `; img-src data:; base-uri 'none'; form-action 'none'">`
	if !strings.Contains(html, want) {
		t.Errorf("the document lacks %s", want)
	}
	// What comes before its policy would escape it.
	if before, _, _ := strings.Cut(html, want); strings.Contains(before, "<s") || strings.Contains(before, "<link") {
		t.Errorf("the policy comes after %s", before)
	}
}

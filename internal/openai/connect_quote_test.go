package openai

import (
	"encoding/json"
	"go/format"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// awkward are texts that some language must escape.
var awkward = []string{
	"", "茶葉蛋", `a"b`, `a'b`, `a\b`, `\u0041`, "$HOME `id` $(id) ${x} !!", "a\nb\r\tc", "\x00\x01\x1f\x7f\u0085",
	"\u2028\u2029", "\u200b\u202e\u2066\ufeff", "😀👨‍👩‍👧", "\U000E0001\U000F0000", "--", "~", "#", "a b", "&|;<>()*?[]{}", "-e",
}

func TestQuotesAreReadAsWhatWasQuoted(t *testing.T) {
	for _, s := range awkward {
		var got string
		if err := json.Unmarshal([]byte(jsonQuote(s)), &got); err != nil || got != s {
			t.Errorf("jsonQuote(%q) = %s is read as %q, %v", s, jsonQuote(s), got, err)
		}
		shell := jsonInShellQuote(s)
		if err := json.Unmarshal([]byte(shell), &got); err != nil || got != s || strings.ContainsAny(shell, "'!") {
			t.Errorf("jsonInShellQuote(%q) = %s is read as %q, %v", s, shell, got, err)
		}
		if got, err := strconv.Unquote(goQuote(s)); err != nil || got != s {
			t.Errorf("goQuote(%q) = %s is read as %q, %v", s, goQuote(s), got, err)
		}
		// But for backslashes before digits, Python's strings are Go's.
		if got, err := strconv.Unquote(pythonQuote(s)); err != nil || got != s {
			t.Errorf("pythonQuote(%q) = %s is read as %q, %v", s, pythonQuote(s), got, err)
		}
	}
}

func TestQuotesShowAllThatIsInThem(t *testing.T) {
	for _, s := range awkward {
		for _, quoted := range []string{jsonQuote(s), jsonInShellQuote(s), pythonQuote(s), goQuote(s), plain(s)} {
			if i := strings.IndexFunc(quoted, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("%q is quoted as %q, in which something is unseen", s, quoted)
			}
		}
	}
}

func TestQuotesMendWhatIsNotUTF8(t *testing.T) {
	const s, want = "a\xffb", "\"a\uFFFDb\""
	for _, got := range []string{jsonQuote(s), jsonInShellQuote(s), pythonQuote(s), goQuote(s)} {
		if got != want {
			t.Errorf("%q is quoted as %s, want %s", s, got, want)
		}
	}
}

func TestShellWordsAreOneWordEach(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not on PATH: install it")
	}
	for _, s := range awkward {
		if strings.ContainsRune(s, 0) {
			continue // no shell has it in a word
		}
		got, err := exec.CommandContext(t.Context(), bash, "-c", "printf '%s|' "+shellQuote(s)).Output()
		if err != nil || string(got) != s+"|" {
			t.Errorf("shellQuote(%q) = %s is read as %q, %v", s, shellQuote(s), got, err)
		}
	}
	const url = "https://name.ngrok-free.dev/mcp"
	if got := shellQuote(url); got != url {
		t.Errorf("shellQuote(%q) = %s, which needs no quotes", url, got)
	}
}

func TestCodeForGoIsFormatted(t *testing.T) {
	for _, writes := range []bool{false, true} {
		for _, auth := range []string{"none", "token"} {
			g := newGuide(Connection{URL: "https://name.ngrok-free.dev/mcp", Auth: auth, Writes: writes}, ResponsesAPI, "en")
			code, err := g.Code(Go)
			if err != nil {
				t.Fatal(err)
			}
			formatted, err := format.Source([]byte(code + "\n"))
			if err != nil || string(formatted) != code+"\n" {
				t.Errorf("not as gofmt has it (%v):\n%s", err, code)
			}
		}
	}
}

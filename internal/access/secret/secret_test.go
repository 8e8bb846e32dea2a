package secret

import (
	"errors"
	"strings"
	"testing"
)

func TestSecretsAreKnownBySight(t *testing.T) {
	for _, p := range []Prefix{API, Access, Refresh, Code} {
		s := New(p)
		if err := Check(s, p); err != nil {
			t.Errorf("Check(%q) = %v", s, err)
		}
		if found := Pattern.FindString("Authorization: Bearer " + s + ", and more"); found != s {
			t.Errorf("Pattern finds %q of %q", found, s)
		}
		if s == New(p) {
			t.Errorf("two secrets are %q", s)
		}
	}
}

func TestSlipsAreToldApart(t *testing.T) {
	s := New(API)
	other := byte('x')
	if s[20] == other {
		other = 'y'
	}
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"cut off":               {s[:len(s)-1], ErrMistyped},
		"one more":              {s + "a", ErrMistyped},
		"another character":     {s[:20] + string(other) + s[21:], ErrMistyped},
		"swapped case":          {string(API) + strings.ToUpper(s[len(API):]) + "a", ErrMistyped},
		"only the prefix":       {string(API), ErrMistyped},
		"of another kind":       {New(Refresh), ErrForeign},
		"somebody else's":       {"ghp_0123456789", ErrForeign},
		"nothing":               {"", ErrForeign},
		"with the word Bearer ": {"Bearer " + s, ErrForeign},
	} {
		if err := Check(test.text, API, Access); !errors.Is(err, test.want) {
			t.Errorf("%s: Check(%q) = %v, want %v", name, test.text, err, test.want)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	s := New(Access)
	b.ReportAllocs()
	for b.Loop() {
		if err := Check(s, API, Access); err != nil {
			b.Fatal(err)
		}
	}
}

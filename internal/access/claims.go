package access

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/mcpstore/mcpstore/internal/store"
)

// claims are what a token says (RFC 7519, section 4). They are a map since
// names of claims differ by case, which Go's structs would not tell apart.
type claims map[string]any

// check refuses what the issuer signed, but not to be a token for this server
// now.
func (c claims) check(i *Issuer, token string, now time.Time) *refusal {
	expiry, expires := c.time("exp")
	start, starts := c.time("nbf")
	_, waits := c["nbf"]
	_, bound := c["cnf"]
	switch {
	case c.text("iss") != i.config.URL:
		return badToken("the token is of another issuer than " + i.config.URL)
	case !slices.ContainsFunc(c.texts("aud"), func(aud string) bool { return slices.Contains(i.config.Audience, aud) }):
		return badToken("the token is meant for another audience")
	case !expires:
		return badToken("the token does not say when it expires")
	case !now.Before(expiry.Add(clockLeeway)):
		return badToken("the token has expired; get a new one")
	case waits && (!starts || now.Add(clockLeeway).Before(start)):
		return badToken("the token does not hold yet")
	case c.text("sub") == "":
		return badToken("the token does not say whose it is")
	case bound:
		return badToken("the token is bound to a key, which this server does not ask for; send a bearer token")
	case !accessToken(token) || c.text("token_use") == "id" || c.text("typ") == "ID" || c.text("typ") == "Refresh":
		return badToken("this is a token of the issuer, but not an access token")
	}
	return nil
}

// accessToken reports whether the header of a token says, by its type, that it
// gives access (RFC 9068, section 2.1), or leaves it open, as most do.
func accessToken(token string) bool {
	encoded, _, _ := strings.Cut(token, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return false
	}
	var header map[string]any
	if json.NewDecoder(bytes.NewReader(decoded)).Decode(&header) != nil {
		return false
	}
	if header["typ"] == nil {
		return true
	}
	name, _ := header["typ"].(string)
	switch strings.TrimPrefix(strings.ToLower(name), "application/") {
	case "jwt", "at+jwt":
		return true
	}
	return false
}

// caller returns who the token was given to.
func (c claims) caller(i *Issuer) store.Caller {
	caller := store.Caller{ID: "oidc:" + identifier(c.text("sub"))}
	for _, name := range []string{"preferred_username", "email", "name", "client_id", "azp"} {
		if caller.Name = clip(c.text(name)); caller.Name != "" {
			break
		}
	}
	if i.config.Claim != "" {
		for _, role := range c.find(i.config.Claim) {
			caller.Scopes |= i.config.Roles[role]
		}
		return caller
	}
	caller.Scopes = store.KnownScopes(append(c.words("scope"), c.words("scp")...)...)
	return caller
}

// find returns the texts of the claim of this name, or at this path.
func (c claims) find(path string) []string {
	if _, ok := c[path]; ok {
		return c.words(path)
	}
	name, rest, ok := strings.Cut(path, ".")
	inner, is := c[name].(map[string]any)
	if !ok || !is {
		return nil
	}
	return claims(inner).find(rest)
}

// text returns a claim that is a string, "" where it is none.
func (c claims) text(name string) string {
	s, _ := c[name].(string)
	return s
}

// texts returns a claim that is a string or a list of strings.
func (c claims) texts(name string) []string {
	switch v := c[name].(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, each := range v {
			if s, ok := each.(string); ok {
				list = append(list, s)
			}
		}
		return list
	}
	return nil
}

// words returns a claim that is a string of words or a list of them. What is
// between words is a space, and nothing else (RFC 6749, section 3.3).
func (c claims) words(name string) []string {
	if s, ok := c[name].(string); ok {
		return strings.Split(s, " ")
	}
	return c.texts(name)
}

// time returns a claim that is a time, to the second.
func (c claims) time(name string) (time.Time, bool) {
	seconds, ok := c[name].(float64)
	const latest = 1 << 40 // so that it fits; in the year 36812
	if !ok || seconds < 0 || seconds > latest {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// identifier returns a subject as it is where it is fit to be shown, and else
// something that stands for it alone.
func identifier(subject string) string {
	if len(subject) <= 128 && clip(subject) == subject && !strings.HasPrefix(subject, "sha256-") {
		return subject
	}
	sum := sha256.Sum256([]byte(subject))
	return "sha256-" + hex.EncodeToString(sum[:])
}

// clip returns what others chose so that it can be shown: in one line, and not
// too much of it.
func clip(s string) string {
	const limit = 256
	s = strings.ToValidUTF8(s, "\ufffd")
	s = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, s)
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}

package access_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/access/secret"
	"github.com/mcpstore/mcpstore/internal/store"
)

// bySignature has callers sign in at a provider.
func bySignature(c access.IssuerConfig) func(*options) {
	return func(o *options) { o.Mode, o.provider = access.OIDC, &c }
}

// forged tries tokens that the provider's keys did not sign, and then one that
// they did.
func forged(name, tries, so string, tokens func(h *house, good map[string]any) map[string]string) attack {
	return attack{name: name, tries: tries, want: badToken, so: so, in: bySignature(access.IssuerConfig{}), by: func(h *house) {
		good := h.provider.claims(h.clock.Now(), nil)
		for what, text := range tokens(h, good) {
			h.refused(what, h.ask(text))
		}
		h.worked("signed", h.ask(h.provider.sign("ec", good)))
	}}
}

// claimed tries tokens that the provider signed, with claims for something else.
func claimed(name, tries string, changes func(p *provider, now time.Time) []map[string]any) attack {
	return forged(name, tries, "", func(h *house, _ map[string]any) map[string]string {
		tokens := map[string]string{}
		now := h.clock.Now()
		for _, c := range changes(h.provider, now) {
			tokens[fmt.Sprint(c)] = h.provider.sign("ec", h.provider.claims(now, c))
		}
		return tokens
	})
}

var issuerAttacks = area{"issuer", "Tokens of an outside issuer", []attack{
	forged("unsigned", "a token without a signature, with alg none in any spelling", "", func(h *house, good map[string]any) map[string]string {
		parts := strings.Split(h.provider.sign("ec", good), ".")
		tokens := map[string]string{"cut": parts[0] + "." + parts[1] + ".", "two parts": parts[0] + "." + parts[1]}
		for _, alg := range []string{"none", "None", "NONE", "nOnE", "", "null"} {
			tokens["alg "+alg] = token(h.T, nil, map[string]any{"alg": alg, "kid": "ec"}, good)
			header, payload, _ := strings.Cut(tokens["alg "+alg], ".")
			tokens["alg with a signature "+alg] = header + "." + strings.TrimSuffix(payload, ".") + "." + parts[2]
		}
		return tokens
	}),
	forged("symmetric", "a token that was signed with the public key, as if it were a shared secret", "", func(h *house, good map[string]any) map[string]string {
		tokens := map[string]string{}
		der, err := x509.MarshalPKIXPublicKey(rsaKey().Public())
		if err != nil {
			h.Fatal(err)
		}
		asJWK, err := json.Marshal(jwk("rsa", rsaKey().Public()))
		if err != nil {
			h.Fatal(err)
		}
		for what, key := range map[string][]byte{"DER": der, "PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "JWK": asJWK, "N": rsaKey().N.Bytes(), "nothing": {}} {
			for _, alg := range []string{"HS256", "HS384", "RS256"} {
				tokens[what+alg] = token(h.T, key, map[string]any{"alg": alg, "kid": "rsa"}, good)
			}
		}
		return tokens
	}),
	forged("other_key", "a token that was signed with a key of the attacker's, which it brings along or says where to find", "nothing is fetched from where a token says", func(h *house, good map[string]any) map[string]string {
		mine := newECKey()
		own := jwk("ec", mine.Public())
		tokens := map[string]string{}
		for what, header := range map[string]map[string]any{
			"by the same name": {"kid": "ec"}, "by no name": {}, "by another name": {"kid": "mine"}, "by the name of another kind": {"kid": "rsa"}, "brought along": {"kid": "ec", "jwk": own},
			"at a URL": {"kid": "mine", "jku": "http://169.254.169.254/keys"}, "in a certificate": {"kid": "mine", "x5u": "https://evil.example/cert", "x5c": []string{"AAAA"}},
			"in a file": {"kid": "../../../../dev/null"}, "in a database": {"kid": "x' UNION SELECT 'k"}, "to be understood": {"kid": "ec", "crit": []string{"b64"}, "b64": false},
		} {
			tokens[what] = token(h.T, mine, header, good)
		}
		return tokens
	}),
	forged("changed", "a token with other claims, or cut off, or put together from two", "", func(h *house, good map[string]any) map[string]string {
		one := strings.Split(h.provider.sign("ec", good), ".")
		two := strings.Split(h.provider.sign("ec", h.provider.claims(h.clock.Now(), map[string]any{"sub": "owner", "scope": "stock:write"})), ".")
		swapped := strings.Split(token(h.T, nil, map[string]any{"alg": "ES256", "kid": "ec"}, h.provider.claims(h.clock.Now(), map[string]any{"scope": "stock:write"})), ".")
		return map[string]string{
			"another's claims":    one[0] + "." + two[1] + "." + one[2],
			"another's signature": one[0] + "." + one[1] + "." + two[2],
			"own claims":          one[0] + "." + swapped[1] + "." + one[2],
			"cut":                 strings.Join(one, ".")[:len(strings.Join(one, "."))-3],
			"longer":              strings.Join(one, ".") + "AAAA",
			"zeros":               one[0] + "." + one[1] + "." + strings.Repeat("A", 86),
			"encrypted":           strings.Join(one, ".") + ".e30.e30",
			"huge":                h.provider.sign("ec", h.provider.claims(h.clock.Now(), map[string]any{"x": strings.Repeat("x", 14<<10)})),
		}
	}),
	claimed("other_issuer", "a token of another issuer, or of one that is nearly this", func(p *provider, _ time.Time) []map[string]any {
		return []map[string]any{{"iss": "https://evil.example"}, {"iss": p.URL + "/"}, {"iss": p.URL + "/tenant"}, {"iss": strings.ToUpper(p.URL)}, {"iss": "https" + p.URL[4:]}, {"iss": nil}, {"iss": ""}, {"iss": []string{p.URL}}, {"iss": nil, "ISS": p.URL}}
	}),
	claimed("other_audience", "a token for another server, for a part of this one's name, or for nobody in particular", func(p *provider, _ time.Time) []map[string]any {
		return []map[string]any{{"aud": "https://other.example/mcp"}, {"aud": publicURL}, {"aud": audience + "/"}, {"aud": audience + "x"}, {"aud": strings.ToUpper(audience)}, {"aud": nil}, {"aud": ""}, {"aud": []string{}}, {"aud": []string{"a", "b"}}, {"aud": "client"}, {"aud": map[string]any{audience: true}}, {"aud": []any{map[string]any{"x": audience}}}, {"aud": audience + " https://other.example"}, {"aud": nil, "azp": audience}}
	}),
	claimed("out_of_time", "a token that has expired, does not hold yet, or never expires", func(_ *provider, now time.Time) []map[string]any {
		return []map[string]any{{"exp": now.Add(-time.Hour).Unix()}, {"exp": now.Add(-31 * time.Second).Unix()}, {"exp": 0}, {"exp": -1}, {"exp": nil}, {"exp": "9999999999"}, {"exp": 1e300}, {"exp": true}, {"nbf": now.Add(time.Hour).Unix()}, {"nbf": "0"}, {"nbf": 1e300}, {"exp": nil, "EXP": now.Add(time.Hour).Unix()}}
	}),
	claimed("id_token", "a token of the issuer that is not for access: an ID token, a refresh token, one bound to a key, one of nobody", func(*provider, time.Time) []map[string]any {
		return []map[string]any{{"token_use": "id"}, {"typ": "ID"}, {"typ": "Refresh"}, {"cnf": map[string]any{"jkt": "x"}}, {"cnf": nil, "sub": nil}, {"sub": ""}, {"sub": 1}, {"sub": []string{"owner"}}}
	}),
	{
		name: "scope", tries: "changing the stock by a token that has no such scope, or has it under another name",
		want: lacksScope, in: bySignature(access.IssuerConfig{}),
		by: func(h *house) {
			for _, c := range []map[string]any{{"scope": "stock:read"}, {"scope": "stock:read Stock:Write stock:write,"}, {"scope": "stock:read", "roles": []string{"stock:write"}}, {"scope": "stock:read", "permissions": "stock:write"}, {"scope": "stock:read\u00a0stock:write"}, {"scope": []string{"stock:read stock:write"}}} {
				h.refused(fmt.Sprint(c), h.message(writes[0], bearer(h.provider.sign("ec", h.provider.claims(h.clock.Now(), c)))...))
			}
			h.worked("with it", h.message(writes[0], bearer(h.provider.sign("ec", h.provider.claims(h.clock.Now(), map[string]any{"scope": "stock:read stock:write"})))...))
		},
	}, {
		name: "role", tries: "changing the stock by scopes, where roles count, or by roles that nobody set up",
		want: lacksScope, in: bySignature(access.IssuerConfig{Claim: "realm.roles", Roles: map[string]store.Scopes{"manager": both, "clerk": store.ScopeRead}}),
		by: func(h *house) {
			sign := func(c map[string]any) []string {
				return bearer(h.provider.sign("ec", h.provider.claims(h.clock.Now(), c)))
			}
			for _, c := range []map[string]any{
				{"scope": "stock:read stock:write"}, {"realm": map[string]any{"roles": []string{"clerk"}}}, {"realm": map[string]any{"roles": []string{"admin", "Manager", "manager ", "stock:write"}}}, {"realm": []string{"manager"}}, {"roles": []string{"manager"}}, {"realm": map[string]any{"roles": map[string]any{"manager": true}}},
				{"realm.roles.x": "manager"}, {"realm": map[string]any{"roles": []any{[]string{"manager"}}}},
			} {
				h.refused(fmt.Sprint(c), h.message(writes[0], sign(c)...))
			}
			h.worked("a manager", h.message(writes[0], sign(map[string]any{"realm": map[string]any{"roles": []string{"manager"}}})...))
		},
	}, {
		name: "own_tokens", tries: "tokens of grants of this server, or the owner's that were revoked, where callers sign in elsewhere",
		want: badToken, in: bySignature(access.IssuerConfig{}),
		by: func(h *house) {
			key, kept := h.token(store.Token{Scopes: both})
			h.worked("the owner's", h.ask(key))
			if err := h.db.RevokeToken(h.Context(), kept.ID); err != nil {
				h.Fatal(err)
			}
			h.refused("revoked", h.ask(key))
			h.refused("a grant's", h.ask(said.Keep(secret.New(secret.Access))))
			h.refused("mistyped", h.ask(key[:20]))
		},
	}, {
		name: "no_server", tries: "signing in here, registering or asking for tokens, where callers sign in elsewhere",
		want: want{404, ""}, so: "the metadata names the issuer alone", in: bySignature(access.IssuerConfig{}),
		by: func(h *house) {
			for _, path := range []string{"/authorize", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"} {
				h.refused(path, h.get(path))
			}
			for _, path := range []string{"/register", "/token", "/revoke", "/authorize"} {
				h.refused(path, h.registersAt(path))
			}
			r := h.worked("metadata", h.get("/.well-known/oauth-protected-resource"))
			if got := fmt.Sprint(r.member("authorization_servers")); got != "["+h.provider.URL+"]" {
				h.Errorf("authorization_servers = %s", got)
			}
		},
	},
}}

func (h *house) registersAt(path string) reply {
	h.Helper()
	return h.send("POST", path, metadata, "Content-Type", "application/json")
}

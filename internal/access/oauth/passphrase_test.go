package oauth

import (
	"strings"
	"testing"
)

func TestPassphrasesAreKeptAsHashes(t *testing.T) {
	hash, err := HashPassphrase("正確的馬電池訂書針一二三")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=65536,t=3,p=4$") || strings.Contains(hash, "馬") {
		t.Fatalf("HashPassphrase = %q, %v", hash, err)
	}
	for typed, want := range map[string]bool{"正確的馬電池訂書針一二三": true, "正確的馬電池訂書針一二四": false, "": false} {
		if got, err := matches(hash, typed); err != nil || got != want {
			t.Errorf("matches(%q) = %v, %v", typed, got, err)
		}
	}
	other, err := HashPassphrase("正確的馬電池訂書針一二三")
	if err != nil || other == hash {
		t.Errorf("two hashes of one passphrase are the same (%v)", err)
	}
}

func TestPassphrasesAreComparedAsPeopleTypeThem(t *testing.T) {
	hash, err := HashPassphrase("caf\u00e9 au lait!!")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := matches(hash, "cafe\u0301 au lait!!"); err != nil || !ok {
		t.Errorf("a composed character = %v, %v", ok, err)
	}
}

func TestPassphrasesThatAreRefused(t *testing.T) {
	for _, text := range []string{"", "elevenchars", "十一個字而已啦不夠長", strings.Repeat("a", maxPassphrase+1), "invalid \xff utf-8"} {
		if hash, err := HashPassphrase(text); err == nil {
			t.Errorf("HashPassphrase(%q) = %q", text, hash)
		} else if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats the passphrase: %v", err)
		}
	}
}

func TestHashesOfAnotherKindAreAnError(t *testing.T) {
	for _, hash := range []string{"x", "$argon2i$v=19$m=65536,t=3,p=4$YQ$YQ", "$argon2id$v=19$m=65536,t=0,p=4$YQ$YQ", "$argon2id$v=19$m=8,t=1,p=0$YQ$YQ"} {
		if ok, err := matches(hash, "anything at all"); ok || err == nil {
			t.Errorf("matches(%q) = %v, %v", hash, ok, err)
		}
	}
}

func TestVerifiersFitTheirChallenge(t *testing.T) {
	// RFC 7636, appendix B.
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	if !isChallenge(challenge) || !verifies(challenge, verifier) {
		t.Error("the example of RFC 7636 does not verify")
	}
	for _, wrong := range []string{"", verifier[:42], verifier + "=", verifier[:42] + "K", challenge, strings.Repeat("a", 129)} {
		if verifies(challenge, wrong) {
			t.Errorf("%q verifies", wrong)
		}
	}
	for _, wrong := range []string{"", verifier + "x", challenge + "=", challenge[:42], strings.Repeat("!", 43)} {
		if isChallenge(wrong) {
			t.Errorf("%q is a challenge", wrong)
		}
	}
}

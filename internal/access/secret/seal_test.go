package secret

import (
	"bytes"
	"crypto/sha256"
	"testing"
)

func TestSealedTextIsReadWithItsSecretAlone(t *testing.T) {
	old, text := New(Refresh), New(Refresh)
	sealed := Seal(old, text)
	if got, err := Open(old, sealed); err != nil || got != text {
		t.Errorf("Open = %q, %v; want %q", got, err, text)
	}
	if bytes.Equal(sealed, Seal(old, text)) {
		t.Error("sealing the same text twice gives the same bytes")
	}
	hash := sha256.Sum256([]byte(old)) // which is what a database has
	for name, secret := range map[string]string{"another secret": New(Refresh), "the text": text, "the secret's hash": string(hash[:]), "nothing": ""} {
		if got, err := Open(secret, sealed); err == nil {
			t.Errorf("with %s it reads %q", name, got)
		}
	}
	for i := range sealed {
		damaged := bytes.Clone(sealed)
		damaged[i] ^= 1
		if got, err := Open(old, damaged); err == nil {
			t.Errorf("with byte %d changed it reads %q", i, got)
		}
	}
	for _, part := range [][]byte{nil, sealed[:11], sealed[:len(sealed)-1]} {
		if got, err := Open(old, part); err == nil {
			t.Errorf("%d bytes of it read %q", len(part), got)
		}
	}
}

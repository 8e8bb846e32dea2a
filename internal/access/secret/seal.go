package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
)

// sealLabel separates the keys of [Seal] from all else that could be derived
// from a secret.
const sealLabel = "mcpstore seal v1: successor of a refresh token"

// Seal encrypts text so that only who has the secret old can read it: with
// AES-256-GCM, under a key that is derived from old by HKDF-SHA-256. Neither old
// nor text can be found from the result, since old has 256 random bits.
func Seal(old, text string) []byte {
	return sealer(old).Seal(nil, nil, []byte(text), nil)
}

// Open returns the text that was sealed with old.
func Open(old string, sealed []byte) (string, error) {
	text, err := sealer(old).Open(nil, nil, sealed, nil)
	if err != nil {
		return "", errors.New("open a sealed secret: it was sealed with another, or is damaged")
	}
	return string(text), nil
}

func sealer(old string) cipher.AEAD {
	key, err := hkdf.Key(sha256.New, []byte(old), nil, sealLabel, 32)
	if err != nil {
		panic(err) // only for keys that are too long
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // only for keys of other sizes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // only for blocks of other sizes
	}
	return aead
}

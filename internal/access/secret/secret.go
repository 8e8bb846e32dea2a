// Package secret makes the secrets that mcpstore gives out, and knows them by
// sight: each begins with what it is, so that scanners find one that leaked,
// and ends with a checksum, so that a slip of the hand is told apart from a
// secret that does not hold.
package secret

import (
	"crypto/rand"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"regexp"
	"strings"
)

// Prefix says what a secret is.
type Prefix string

// The prefixes.
const (
	API     Prefix = "mcps_" // a token that the owner made
	Access  Prefix = "mcpa_" // an access token of a grant
	Refresh Prefix = "mcpr_" // a refresh token of a grant
	Code    Prefix = "mcpc_" // an authorization code
)

// A secret is its prefix, 43 random characters, which is 256 bits, and 6 of
// the CRC-32 of all before them, in base 62.
const (
	alphabet    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	randomSize  = 43
	checkSize   = 6
	prefixSize  = 5
	wholeLength = prefixSize + randomSize + checkSize
)

// Pattern matches every secret, anywhere in a text.
var Pattern = regexp.MustCompile(fmt.Sprintf(`\bmcp[sarc]_[0-9A-Za-z]{%d}\b`, randomSize+checkSize))

// New returns a new secret.
func New(p Prefix) string {
	var b strings.Builder
	b.Grow(wholeLength)
	b.WriteString(string(p))
	for range randomSize {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			panic(err) // the system has no randomness: nothing is safe
		}
		b.WriteByte(alphabet[n.Int64()])
	}
	check := checksum(b.String())
	b.Write(check[:])
	return b.String()
}

// Errors of [Check].
var (
	// ErrForeign says that a text is no secret of ours.
	ErrForeign = errors.New("not a token of mcpstore")
	// ErrMistyped says that a text is one with a slip: cut off, or a character
	// changed.
	ErrMistyped = errors.New("token is mistyped or cut off: its checksum does not fit")
)

// Check reports whether s can be a secret with one of the given prefixes. It
// says nothing about whether the secret was ever given out.
func Check(s string, prefixes ...Prefix) error {
	for _, p := range prefixes {
		if !strings.HasPrefix(s, string(p)) {
			continue
		}
		if len(s) != wholeLength {
			return ErrMistyped
		}
		check := checksum(s[:wholeLength-checkSize])
		if s[wholeLength-checkSize:] != string(check[:]) {
			return ErrMistyped
		}
		return nil
	}
	return ErrForeign
}

// checksum returns the CRC-32 of s in base 62.
func checksum(s string) (check [checkSize]byte) {
	n := crc32.ChecksumIEEE([]byte(s))
	for i := checkSize - 1; i >= 0; i-- {
		check[i] = alphabet[n%uint32(len(alphabet))]
		n /= uint32(len(alphabet))
	}
	return check
}

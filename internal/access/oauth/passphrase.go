package oauth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Bounds of a passphrase, in characters.
const (
	minPassphrase = 12
	maxPassphrase = 200
)

// The cost of a hash: the second of the recommendations of RFC 9106, section 4.
const (
	hashTime    = 3
	hashMemory  = 64 << 10 // KiB
	hashThreads = 4
	hashSize    = 32
	saltSize    = 16
)

// HashPassphrase returns the argon2id of a passphrase with a new salt, as a PHC
// string. A passphrase that is too short or too long is an error that says so.
func HashPassphrase(passphrase string) (string, error) {
	switch n := utf8.RuneCountInString(passphrase); {
	case !utf8.ValidString(passphrase):
		return "", errors.New("the passphrase is not valid UTF-8")
	case n < minPassphrase:
		return "", fmt.Errorf("the passphrase has %d characters; it needs at least %d", n, minPassphrase)
	case n > maxPassphrase:
		return "", fmt.Errorf("the passphrase has %d characters; it may have at most %d", n, maxPassphrase)
	}
	salt := make([]byte, saltSize)
	rand.Read(salt)
	key := hashKey(passphrase, salt, hashTime, hashMemory, hashThreads)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashTime, hashThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)), nil
}

// hashKey hashes a passphrase however a keyboard composes its characters.
func hashKey(passphrase string, salt []byte, time, memory uint32, threads uint8) []byte {
	return argon2.IDKey([]byte(norm.NFC.String(passphrase)), salt, time, memory, threads, hashSize)
}

// matches reports whether hash is that of passphrase.
func matches(hash, passphrase string) (bool, error) {
	var version int
	var memory, time uint32
	var threads uint8
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, errors.New("the kept passphrase is in a form that is not known")
	}
	_, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &time, &threads)
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err := errors.Join(err, err1, err2); err != nil || version != argon2.Version || len(want) != hashSize || time == 0 || threads == 0 {
		return false, errors.New("the kept passphrase is in a form that is not known")
	}
	got := hashKey(passphrase, salt, time, memory, threads)
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// errWrong says that a passphrase or code was not the one.
var errWrong = errors.New("wrong passphrase or code")

// How many wrong attempts may be made, from one address and from all of them.
const (
	attemptsHere      = 5
	attemptsHereTime  = 15 * time.Minute
	attemptsOfAll     = 50
	attemptsOfAllTime = time.Hour
)

// attemptsOf are the names that attempts of a request are counted by: from its
// address, and from everywhere.
func attemptsOf(ctx context.Context) (here, everywhere string) {
	return "passphrase from " + attemptsFrom(store.CallerFrom(ctx).Address), "passphrase"
}

// locked returns how long it is until anything except a long code can be tried
// again.
func (s *Server) locked(ctx context.Context) (time.Duration, error) {
	here, everywhere := attemptsOf(ctx)
	a, err := s.config.Store.Locked(ctx, here, attemptsHere, attemptsHereTime)
	if err != nil {
		return 0, err
	}
	b, err := s.config.Store.Locked(ctx, everywhere, attemptsOfAll, attemptsOfAllTime)
	return max(a, b), err
}

// verify checks what was typed. It returns an [errWrong], or how long it is
// until anything except a long code can be tried again.
func (s *Server) verify(ctx context.Context, typed string) (wait time.Duration, err error) {
	here, everywhere := attemptsOf(ctx)
	if isLongCode(typed) {
		// It cannot be guessed, so it is not counted: strangers who guess must
		// not keep the owner out.
		switch err := s.redeemCode(ctx, typed); {
		case err == nil:
			return 0, s.config.Store.Forgive(ctx, here)
		case !errors.Is(err, errWrong):
			return 0, err
		}
	}
	// Attempts are counted before they are looked at, or many at once would all
	// be looked at before the first is counted.
	if wait, err = s.config.Store.Attempt(ctx, here, attemptsHere, attemptsHereTime); err != nil || wait > 0 {
		return wait, err
	}
	if wait, err = s.config.Store.Attempt(ctx, everywhere, attemptsOfAll, attemptsOfAllTime); err != nil || wait > 0 {
		return wait, err
	}
	if err := s.compare(ctx, typed); err != nil {
		return 0, err
	}
	return 0, errors.Join(s.config.Store.Uncount(ctx, everywhere), s.config.Store.Forgive(ctx, here))
}

func (s *Server) compare(ctx context.Context, typed string) error {
	hash, err := s.config.Store.Passphrase(ctx)
	switch {
	case err != nil:
		return err
	case hash == "":
		return s.redeemCode(ctx, typed)
	case utf8.RuneCountInString(typed) > maxPassphrase:
		return errWrong
	}
	select {
	case s.hashing <- struct{}{}: // each takes 64 MiB
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ok, err := matches(hash, typed)
	if err == nil && !ok {
		err = errWrong
	}
	return err
}

// attemptsFrom is by what the attempts from an address are counted: one holder
// of IPv6 has a whole /64.
func attemptsFrom(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return "nowhere"
	}
	if a = a.Unmap(); a.Is4() {
		return a.String()
	}
	network, err := a.Prefix(64)
	if err != nil {
		return "nowhere"
	}
	return network.String()
}

// seconds is a time for Retry-After, rounded up.
func seconds(d time.Duration) string { return fmt.Sprint(int64(math.Ceil(d.Seconds()))) }

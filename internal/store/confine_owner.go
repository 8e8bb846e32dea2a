package store

import (
	"context"
	"errors"
	"iter"
	"time"
)

// errOwners is what is refused to everybody who comes through [Confine].
var errOwners = errors.New("only the owner does this, who does not come this way")

func (*confined) Verify(context.Context, int) ([]Discrepancy, error) { return nil, errOwners }

func (*confined) Import(context.Context, iter.Seq2[Row, error], ImportOptions) (ImportReport, error) {
	return ImportReport{}, errOwners
}

func (*confined) Export(context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) { yield(Row{}, errOwners) }
}

func (*confined) EditShop(context.Context, string, ShopEdit) (Shop, error) {
	return Shop{}, errOwners
}

func (*confined) EditProduct(context.Context, string, ProductEdit) (Product, error) {
	return Product{}, errOwners
}

func (*confined) AddToken(context.Context, Token) (Token, error)         { return Token{}, errOwners }
func (*confined) Token(context.Context, Hash) (Token, error)             { return Token{}, errOwners }
func (*confined) Tokens(context.Context) ([]Token, error)                { return nil, errOwners }
func (*confined) RevokeToken(context.Context, int64) error               { return errOwners }
func (*confined) Redeem(context.Context, Hash, ...Token) error           { return errOwners }
func (*confined) Grants(context.Context) ([]Grant, error)                { return nil, errOwners }
func (*confined) RevokeGrant(context.Context, int64) error               { return errOwners }
func (*confined) Challenge(context.Context, int64) error                 { return errOwners }
func (*confined) Withhold(context.Context, int64, Scopes) error          { return errOwners }
func (*confined) AddClient(context.Context, Client, int) error           { return errOwners }
func (*confined) Client(context.Context, string) (Client, error)         { return Client{}, errOwners }
func (*confined) Passphrase(context.Context) (string, error)             { return "", errOwners }
func (*confined) SetPassphrase(context.Context, string) error            { return errOwners }
func (*confined) Forgive(context.Context, ...string) error               { return errOwners }
func (*confined) Forget(context.Context, time.Time, time.Duration) error { return errOwners }
func (*confined) Uncount(context.Context, string) error                  { return errOwners }

func (*confined) Renew(context.Context, Hash, Renewal) (Renewed, error) {
	return Renewed{}, errOwners
}

func (*confined) AddGrant(context.Context, Grant, Token) (Grant, error) {
	return Grant{}, errOwners
}

func (*confined) Attempt(context.Context, string, int, time.Duration) (time.Duration, error) {
	return 0, errOwners
}

func (*confined) Locked(context.Context, string, int, time.Duration) (time.Duration, error) {
	return 0, errOwners
}

func (*confined) Record(context.Context, []Call, map[int64]time.Time) error { return errOwners }

func (*confined) Calls(context.Context, CallQuery) ([]Call, string, error) {
	return nil, "", errOwners
}

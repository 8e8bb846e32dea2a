package tools

import (
	"context"
	"fmt"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// FindPlace finds the store or, by its name, the chain that text means, as the
// tools do that read. It returns a [*NotOneError] if it means no one of them.
func FindPlace(ctx context.Context, s store.Stock, text string) (shop store.Shop, chain string, err error) {
	f, err := (&handler{store: s}).findPlace(ctx, text)
	at, err := only(f, err, "store", text)
	return at.shop, at.chain, err
}

// FindShop finds the one store that text means, as the tools do that change
// something. It returns a [*NotOneError] if it means no one store.
func FindShop(ctx context.Context, s store.Stock, text string) (store.Shop, error) {
	f, err := (&handler{store: s}).findShop(ctx, text)
	at, err := only(f, err, "store", text)
	return at.shop, err
}

// FindProduct finds the one product that text means. It returns a
// [*NotOneError] if it means no one product.
func FindProduct(ctx context.Context, s store.Stock, text string) (store.Product, error) {
	f, err := (&handler{store: s}).findProduct(ctx, text)
	return only(f, err, "product", text)
}

// NotOneError says that a text means several things, or none.
type NotOneError struct {
	Kind, Text string   // "store" or "product", and what was said
	Several    bool     // Options are what it may mean; else what is merely spelled like it
	Options    []string // names, the first few
	More       bool     // there are more options than these
}

func (e *NotOneError) Error() string {
	if !e.Several {
		return fmt.Sprintf("there is no %s %q", e.Kind, e.Text)
	}
	list := strings.Join(e.Options, ", ")
	if e.More {
		list += ", …"
	}
	return fmt.Sprintf("%s %q could be: %s", e.Kind, e.Text, list)
}

// Hint says what to do about it.
func (e *NotOneError) Hint() string {
	switch {
	case e.Several:
		return "give the whole name of one of them"
	case len(e.Options) > 0:
		return "did you mean: " + strings.Join(e.Options, ", ") + "?"
	}
	return "mcpstore stock list shows what there is"
}

// only returns what was found if it is one thing.
func only[T any](f found[T], err error, kind, text string) (T, error) {
	if err != nil || f.ok {
		return f.one, err
	}
	return f.one, &NotOneError{Kind: kind, Text: text, Several: f.ambiguous, Options: f.names(zhTW), More: f.more}
}

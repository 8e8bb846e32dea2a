package tools

import (
	"context"
	"slices"
	"strings"
)

// A barcode, a SKU or an ID that was a number on its way, in a spreadsheet or in
// a call, has lost the zeros that it began with.

// maxDigits is how long a barcode is: a GTIN.
const maxDigits = 14

// withZeros returns what a number may have been before it lost its leading
// zeros, the shortest first; nil for what is no number.
func withZeros(number string) (all []string) {
	if number == "" || strings.Trim(number, "0123456789") != "" {
		return nil
	}
	for len(number) < maxDigits {
		number = "0" + number
		all = append(all, number)
	}
	return all
}

// longer returns what look finds by what a number may have been before it lost its
// zeros; nothing where something is known by the number and it came as a text.
func longer[T any](ctx context.Context, number string, known bool, look func(number string) ([]T, error)) ([]T, error) {
	if known && !cameAsNumber(ctx, number) {
		return nil, nil
	}
	var all []T
	for _, number := range withZeros(number) {
		found, err := look(number)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

type numbersKey struct{}

// withNumbers returns a context for a call whose arguments have texts that came
// as numbers.
func withNumbers(ctx context.Context, texts []string) context.Context {
	if texts == nil {
		return ctx
	}
	return context.WithValue(ctx, numbersKey{}, texts)
}

// cameAsNumber reports whether text is an argument that came as a number. What
// is called exactly that need not be what was meant.
func cameAsNumber(ctx context.Context, text string) bool {
	texts, _ := ctx.Value(numbersKey{}).([]string)
	return slices.Contains(texts, text)
}

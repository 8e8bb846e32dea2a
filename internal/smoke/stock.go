package smoke

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// anyProduct is asked for where there is no product.
const anyProduct = "茶葉蛋"

// asking returns the newest revision at which the tools are known, with the
// session to ask in. Its sessions are fresh, since those of the checks before
// have ended.
func (r *run) asking(ctx context.Context) (session, []tool, error) {
	for _, rev := range revisions {
		if r.tools[rev] == nil {
			continue
		}
		if rev < modern {
			if _, err := r.initialize(rev)(ctx); err != nil {
				return session{}, nil, err
			}
		}
		s, err := r.at(rev)
		return s, r.tools[rev], err
	}
	return session{}, nil, skip("no tools could be listed")
}

// stockStatuses are what check_stock may say. Those with a level have numbers.
var stockStatuses = map[string]struct{ level bool }{
	"in_stock":        {level: true},
	"out_of_stock":    {level: true},
	"not_carried":     {},
	"unknown_store":   {},
	"unknown_product": {},
	"ambiguous":       {},
}

// stockAnswer is the part of check_stock's structuredContent that must agree
// with itself and with the text.
type stockAnswer struct {
	Status    string   `json:"status"`
	Product   *product `json:"product"`
	OnHand    *int64   `json:"on_hand"`
	Reserved  *int64   `json:"reserved"`
	Expired   int64    `json:"expired"`
	Available *int64   `json:"available"`
}

type product struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// checkStock asks for the stock of a product that the server itself names.
func (r *run) checkStock(ctx context.Context) (string, error) {
	s, tools, err := r.asking(ctx)
	if err != nil {
		return "", err
	}
	defer r.endSession(ctx)
	for _, name := range []string{"check_stock", "search_products"} {
		if _, ok := find(tools, name); !ok {
			return "", &problem{"there is no tool " + name, "is this the URL of an mcpstore?"}
		}
	}
	p, err := r.someProduct(ctx, s)
	if err != nil {
		return "", err
	}
	if p == nil {
		return r.stockOfNothing(ctx, s)
	}
	text, a, err := r.askStock(ctx, s, p.Name)
	if err == nil && a.Status == "ambiguous" && p.ID != "" {
		text, a, err = r.askStock(ctx, s, p.ID) // several have this name
	}
	if err != nil {
		return "", err
	}
	if err := a.agrees(text, *p); err != nil {
		return "", err
	}
	return text, nil
}

// someProduct returns a product that the server knows, or nil where it has
// none.
func (r *run) someProduct(ctx context.Context, s session) (*product, error) {
	result, err := r.callTool(ctx, s, "search_products", object{"limit": 1})
	if err != nil {
		return nil, wrong("search_products: %v", err)
	}
	var found struct {
		Products []product `json:"products"`
	}
	if err := json.Unmarshal(result.Structured, &found); err != nil || result.IsError {
		return nil, wrong("search_products lists no products in its structuredContent: %s", result.text())
	}
	if len(found.Products) == 0 {
		return nil, nil
	}
	return &found.Products[0], nil
}

// stockOfNothing asks a server that has no products.
func (r *run) stockOfNothing(ctx context.Context, s session) (string, error) {
	text, a, err := r.askStock(ctx, s, anyProduct)
	if err != nil {
		return "", err
	}
	if a.Status != "unknown_product" {
		return "", wrong(`search_products finds none, so the status of %q should be "unknown_product", not %q`, anyProduct, a.Status)
	}
	return text, nil
}

// askStock calls check_stock and returns its answer in both forms.
func (r *run) askStock(ctx context.Context, s session, name string) (string, stockAnswer, error) {
	result, err := r.callTool(ctx, s, "check_stock", object{"product": name})
	if err != nil {
		return "", stockAnswer{}, err
	}
	text := result.text()
	var a stockAnswer
	switch err := json.Unmarshal(result.Structured, &a); {
	case result.IsError:
		return "", a, wrong("answers with an error: %s", text)
	case len(result.Structured) == 0:
		return "", a, wrong("answers without structuredContent: %s", text)
	case err != nil:
		return "", a, wrong("structuredContent has another form than documented: %v", err)
	case strings.TrimSpace(text) == "":
		return "", a, wrong("answers without a text")
	case strings.Contains(text, "\n"):
		return "", a, wrong("the text has more than one line: %s", text)
	}
	if _, ok := stockStatuses[a.Status]; !ok {
		return "", a, wrong("the status %q is none of those documented", a.Status)
	}
	return text, a, nil
}

// agrees holds the structure against itself, the text, and the product that
// was asked for.
func (a stockAnswer) agrees(text string, asked product) error {
	if a.Status == "unknown_product" || a.Status == "unknown_store" || a.Status == "ambiguous" {
		return wrong("the status of %q is %q, though search_products lists it", asked.Name, a.Status)
	}
	if a.Product == nil || a.Product.ID != asked.ID {
		return wrong("asked for the product %q, the answer is not about it", asked.Name)
	}
	if !names(text, asked.Name) && !names(text, a.Product.Name) {
		return wrong("the text does not name %q: %s", asked.Name, text)
	}
	if !stockStatuses[a.Status].level {
		return nil
	}
	switch {
	case a.OnHand == nil || a.Reserved == nil || a.Available == nil:
		return wrong("on_hand, reserved and available must all be there where the status is %q", a.Status)
	case *a.Available < max(0, *a.OnHand-*a.Reserved-a.Expired) || *a.Available > *a.OnHand-max(*a.Reserved, a.Expired):
		// A sum is between the two: what has expired in one store may be reserved
		// there, which takes nothing from what is available in the others.
		return wrong("on_hand %d less reserved %d and expired %d is not available %d", *a.OnHand, *a.Reserved, a.Expired, *a.Available)
	case (*a.Available > 0) != (a.Status == "in_stock"):
		return wrong("the status is %q with %d available", a.Status, *a.Available)
	case !slices.Contains(numbers(text), *a.Available):
		return wrong("the text does not say that %d are available: %s", *a.Available, text)
	}
	return nil
}

// names reports whether text has name in it, however its spaces were kept.
func names(text, name string) bool {
	return strings.Contains(strings.Join(strings.Fields(text), ""), strings.Join(strings.Fields(name), ""))
}

var number = regexp.MustCompile(`\d[\d,]*`)

// numbers are those in a text, with or without thousands marks.
func numbers(text string) []int64 {
	var list []int64
	for _, digits := range number.FindAllString(text, -1) {
		if n, err := strconv.ParseInt(strings.ReplaceAll(digits, ",", ""), 10, 64); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// unknownTool calls a tool that is not there.
func (r *run) unknownTool(ctx context.Context) (string, error) {
	s, _, err := r.asking(ctx)
	if err != nil {
		return "", err
	}
	defer r.endSession(ctx)
	return r.refused(ctx, s, "no_such_tool", object{})
}

// wrongArgument calls check_stock with an object for a name.
func (r *run) wrongArgument(ctx context.Context) (string, error) {
	s, tools, err := r.asking(ctx)
	if err != nil {
		return "", err
	}
	defer r.endSession(ctx)
	if _, ok := find(tools, "check_stock"); !ok {
		return "", skip("there is no tool check_stock")
	}
	return r.refused(ctx, s, "check_stock", object{"product": object{"name": "12345"}})
}

// refused makes a bad call, which must be answered with an error in words, be
// it the protocol's or the tool's.
func (r *run) refused(ctx context.Context, s session, name string, arguments object) (string, error) {
	result, err := r.callTool(ctx, s, name, arguments)
	if refusal, ok := errors.AsType[*rpcError](err); ok {
		return refusal.Error(), nil
	}
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(result.text())
	switch {
	case !result.IsError:
		return "", wrong("a bad call was answered as if it were right: %s", text)
	case text == "":
		return "", wrong("the error says nothing")
	}
	return text, nil
}

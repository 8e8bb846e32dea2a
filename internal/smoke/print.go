package smoke

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Text returns a function for [Run] that prints a line for each check to w,
// with its time, and after a failure what to do.
func Text(w io.Writer) func(Check) {
	words := map[Status]string{Passed: "ok", Failed: "FAIL", Skipped: "skip"}
	return func(c Check) {
		line := fmt.Sprintf("%-4s  %-26s %8s  %s", words[c.Status], c.Name, milliseconds(c.Duration), c.Detail)
		if c.Status == Skipped {
			line = fmt.Sprintf("%-4s  %-26s %8s  %s", words[c.Status], c.Name, "", c.Detail)
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
		if c.Hint != "" {
			fmt.Fprintf(w, "      hint: %s\n", c.Hint)
		}
	}
}

// Summary is the last line for a person.
func (r Report) Summary() string {
	count := make(map[Status]int)
	for _, c := range r.Checks {
		count[c.Status]++
	}
	text := fmt.Sprintf("%d checks passed", count[Passed])
	if n := count[Failed]; n > 0 {
		text = fmt.Sprintf("%d of %d checks failed", n, len(r.Checks))
	}
	if n := count[Skipped]; n > 0 {
		text += fmt.Sprintf(", %d skipped", n)
	}
	return text + " in " + milliseconds(r.Duration)
}

func milliseconds(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1f ms", inMilliseconds(d))
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

func inMilliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}

// MarshalJSON writes the duration in milliseconds.
func (c Check) MarshalJSON() ([]byte, error) {
	type fields Check
	return json.Marshal(struct {
		fields
		Milliseconds float64 `json:"duration_ms"`
	}{fields(c), inMilliseconds(c.Duration)})
}

// MarshalJSON writes the duration in milliseconds.
func (r Report) MarshalJSON() ([]byte, error) {
	type fields Report
	return json.Marshal(struct {
		fields
		Milliseconds float64 `json:"duration_ms"`
	}{fields(r), inMilliseconds(r.Duration)})
}

// cleaner returns a function that makes what a server said fit to be shown: it
// takes out the user's secrets, should the server have echoed them, whatever a
// terminal might obey, and what turns text round or is not seen, and ends it
// after a few lines' worth.
func cleaner(header http.Header, target *url.URL) func(string) string {
	var pairs []string
	hide := func(secret string) {
		if secret = strings.TrimSpace(secret); len(secret) >= 4 { // shorter ones would hide half the words
			quoted := strconv.Quote(secret)
			encoded, _ := json.Marshal(secret)
			for _, form := range []string{secret, quoted[1 : len(quoted)-1], string(encoded[1 : len(encoded)-1])} {
				pairs = append(pairs, form, "[hidden]")
			}
		}
	}
	for _, values := range header {
		for _, value := range values {
			hide(value)
			_, credentials, _ := strings.Cut(value, " ") // after "Bearer"
			hide(credentials)
		}
	}
	if target.User != nil {
		hide(target.User.String())
		password, _ := target.User.Password()
		hide(password)
	}
	hide(target.RawQuery)
	secrets := strings.NewReplacer(pairs...)

	const enough = 500
	return func(text string) string {
		text = strings.Map(func(c rune) rune {
			switch {
			case unicode.In(c, unicode.Cc, unicode.Zl, unicode.Zp):
				return ' '
			case unicode.In(c, unicode.Cf, unicode.Bidi_Control) && c != '\u200d': // which joins emoji
				return -1
			}
			return c
		}, secrets.Replace(text))
		text = secrets.Replace(text) // also those that had something unseen within
		if len(text) > enough {
			text = strings.ToValidUTF8(text[:enough], "") + "…"
		}
		return text
	}
}

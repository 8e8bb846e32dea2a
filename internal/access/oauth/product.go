package oauth

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// product is a well-known client, which others may pretend to be.
type product struct {
	name    string
	words   []string // that name it
	hosts   []string // that are its maker's, with the hosts below them
	schemes []string // private-use schemes that its programs open
}

// products are the clients that people trust by name. A host is listed only
// where no user of it can serve what they like.
var products = []product{
	{"ChatGPT", []string{"chatgpt", "openai"}, []string{"chatgpt.com", "openai.com"}, []string{"chatgpt", "openai"}},
	{"Codex", []string{"codex"}, []string{"chatgpt.com", "openai.com"}, []string{"codex"}},
	{"Claude", []string{"claude", "anthropic"}, []string{"claude.ai", "claude.com", "anthropic.com"}, []string{"claude"}},
	{"Gemini", []string{"gemini"}, []string{"gemini.google.com", "aistudio.google.com", "vertexaisearch.cloud.google.com", "geminicli.com"}, []string{"gemini"}},
	{"Cursor", []string{"cursor"}, []string{"cursor.com", "cursor.sh"}, []string{"cursor"}},
	{"VS Code", []string{"vscode", "visualstudio"}, []string{"vscode.dev", "code.visualstudio.com"}, []string{"vscode", "vscode-insiders"}},
	{"Copilot", []string{"copilot"}, []string{"github.com", "githubcopilot.com", "vscode.dev", "copilot.microsoft.com", "m365.cloud.microsoft", "global.consent.azure-apim.net", "token.botframework.com"}, []string{"vscode", "vscode-insiders", "github-copilot"}},
}

// impostor returns the well-known product that a client names itself after, and
// the host or scheme of the client's that is not that product's. Both are ""
// where there is nothing to warn of.
func impostor(c client, redirect string) (name, foreign string) {
	called := skeleton(c.name)
	var named []product
	for _, p := range products {
		if slices.ContainsFunc(p.words, func(word string) bool { return looksLike(called, skeleton(word)) }) {
			named = append(named, p)
		}
	}
	if named == nil {
		return "", ""
	}
	isOf := func(owns func(product) bool) bool { return slices.ContainsFunc(named, owns) }
	u, err := url.Parse(redirect)
	switch {
	case err != nil:
		return named[0].name, redirect
	case isPrivate(redirect):
		if !isOf(func(p product) bool { return p.ownsScheme(u.Scheme) }) {
			return named[0].name, u.Scheme + ":"
		}
	case !isLoopback(u.Hostname()):
		if !isOf(func(p product) bool { return p.ownsHost(u.Hostname()) }) {
			return named[0].name, u.Host
		}
	}
	if c.host != "" && !isOf(func(p product) bool { return p.ownsHost(c.host) }) {
		return named[0].name, c.host
	}
	return "", ""
}

func (p product) ownsHost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return slices.ContainsFunc(p.hosts, func(own string) bool { return host == own || strings.HasSuffix(host, "."+own) })
}

// ownsScheme also knows schemes that are a host of the product's backwards,
// such as "com.openai.chat" (RFC 8252, section 7.1).
func (p product) ownsScheme(scheme string) bool {
	labels := strings.Split(scheme, ".")
	slices.Reverse(labels)
	return slices.Contains(p.schemes, scheme) || len(labels) > 1 && p.ownsHost(strings.Join(labels, "."))
}

// lookalikes are letters, each followed by the Latin one that it looks like.
// Capitals are there where they look like another letter than the small ones.
const lookalikes = "аaсcԁdеeһhіiјjкkӏlмmоoрpԛqгrѕsтtԝwхxуyНhнhВbвb" +
	"αaβbεeΗhιiκkΝnνvοoρpτtυuχxγy" +
	"ᴀaʙbᴄcᴅdᴇeꜰfɢgʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpʀrꜱsᴛtᴜuᴠvᴡwʏyᴢzɑaɡgıi" +
	"0o1l3e4a5s7t|l!l$s@a"

var unlike = func() *strings.Replacer {
	var pairs []string
	for pair := range slices.Chunk([]rune(lookalikes), 2) {
		pairs = append(pairs, string(pair[0]), string(pair[1]))
	}
	return strings.NewReplacer(pairs...)
}()

// wild stands for a letter that may look like a Latin one.
const wild = '?'

// latinLike are the scripts with letters that look like the 26 of ASCII.
var latinLike = []*unicode.RangeTable{unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Coptic, unicode.Cherokee, unicode.Lisu, unicode.Armenian, unicode.Georgian, unicode.Deseret, unicode.Osage}

// looksLike reports whether text, a skeleton, has word in it, where a third of
// the letters may be wild.
func looksLike(text, word string) bool {
	for start := 0; start+len(word) <= len(text); start++ {
		wilds, i := 0, 0
		for i < len(word) && (text[start+i] == word[i] || text[start+i] == wild) {
			if text[start+i] == wild {
				wilds++
			}
			i++
		}
		if i == len(word) && wilds <= len(word)/3 {
			return true
		}
	}
	return false
}

// alike are letters that look like others together.
var alike = strings.NewReplacer("i", "l", "rn", "m", "vv", "w")

// skeleton returns what a name looks like, in ASCII: two names that people take
// for each other have the same one, but for what is wild.
func skeleton(name string) string {
	name = unlike.Replace(strings.ToLower(unlike.Replace(norm.NFKD.String(name))))
	name = strings.Map(func(r rune) rune {
		switch {
		case r <= unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			return r
		case r > unicode.MaxASCII && unicode.In(r, latinLike...), r >= '\U0001f130' && r <= '\U0001f189': // and letters in circles and boxes
			return wild
		}
		return -1
	}, name)
	return alike.Replace(name)
}

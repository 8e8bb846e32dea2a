package oauth

import (
	"strings"
	"testing"
)

func TestRedirectsThatMayBeRegistered(t *testing.T) {
	for uri, want := range map[string]bool{
		"https://chatgpt.com/connector/oauth/abc": true,
		"https://client.example:8443/cb?x=1":      true,
		"http://127.0.0.1/cb":                     true,
		"http://127.0.0.1:49152/cb":               true,
		"http://[::1]:8080/cb":                    true,
		"http://localhost:3000/cb":                true,
		"cursor://anysphere.cursor-mcp/oauth/cb":  true,
		"com.example.app:/oauth":                  true,
		"workbuddy://oauth/cb":                    true,
		"operator:/cb":                            true,

		"":                                  false,
		"/cb":                               false,
		"http://client.example/cb":          false,
		"http://localhost.evil.example/cb":  false,
		"http://[::ffff:127.0.0.1]/cb":      false,
		"https:///cb":                       false,
		"https://client.example/cb#x":       false,
		"https://client.example/cb#":        false,
		"https://user@client.example/cb":    false,
		"https://client.example/c b":        false,
		"https://client.example\\@evil/cb":  false,
		"https://client.example/cb\r\nX: y": false,
		"https://клиент.example/cb":         false,
		"https://%D1%81lient.example/cb":    false,
		"https://client%2eexample/cb":       false,
		"javascript:alert(1)":               false,
		"data:text/html,x":                  false,
		"file:///etc/passwd":                false,
		"workbuddy:":                        false,
		"workbuddy:x":                       false,
		"ms-msdt:/id":                       false,
		"itms-services://?action=x":         false,
		"search-ms:/x":                      false,
		"x-apple.systempreferences:/x":      false,
		"Intent://x":                        false,
		"microsoft-edge:/x":                 false,
		"c:/windows":                        false,
		"https://client.example/" + strings.Repeat("a", maxURI): false,
	} {
		if err := checkRedirect(uri); (err == nil) != want {
			t.Errorf("checkRedirect(%q) = %v", uri, err)
		}
	}
}

func TestRedirectsMustBeThoseRegistered(t *testing.T) {
	for _, tt := range []struct {
		registered, asked string
		want              bool
	}{
		{"https://client.example/cb", "https://client.example/cb", true},
		{"https://client.example/cb", "https://client.example/cb/", false},
		{"https://client.example/cb", "https://client.example/cb?x=1", false},
		{"https://client.example/cb", "https://client.example/CB", false},
		{"https://client.example/cb", "https://CLIENT.example/cb", false},
		{"https://client.example/cb", "https://client.example:443/cb", false},
		{"https://client.example/cb", "https://client.example/x/../cb", false},
		{"https://client.example/cb", "https://client.example/cb#x", false},
		{"https://client.example/cb", "http://client.example/cb", false},
		{"https://client.example/cb", "https://client.example.evil.example/cb", false},
		{"https://client.example/cb", "https://client.example/cbx", false},
		// On this machine, programs get whatever port is free.
		{"http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", true},
		{"http://localhost/cb?x=1", "http://localhost:49152/cb?x=1", true},
		{"http://[::1]/cb", "http://[::1]:49152/cb", true},
		{"http://127.0.0.1/cb", "http://localhost:49152/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:49152/other", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:49152@evil.example/cb", false},
		{"http://127.0.0.1/cb", "https://127.0.0.1:49152/cb", false},
		{"http://127.0.0.1:3000/cb", "http://127.0.0.1:3001/cb", true},
		{"http://localhost:3000/cb?x=1", "http://localhost:3001/cb?x=1", true},
		{"http://[::1]:3000/cb", "http://[::1]:3001/cb", true},
		{"http://127.0.0.1:3000/cb", "http://127.0.0.1/cb", true},
		{"http://127.0.0.1:3000/cb", "http://127.0.0.1:0/cb", false},
		{"http://127.0.0.1:3000/cb", "http://127.0.0.1:77777/cb", false},
		{"http://127.0.0.1:3000/cb", "http://127.0.0.1:/cb", false},
		{"http://127.0.0.1:3000/cb", "http://[::1]:3000/cb", false},
		{"http://127.0.0.1:3000/cb", "http://localhost:3000/cb", false},
		{"http://localhost:3000/cb", "http://LOCALHOST:3001/cb", false},
		{"http://127.0.0.1:3000/cb", "http://127.0.0.1:3001/cb?x=1", false},
		{"http://127.0.0.1:3000/cb", "http://127.0.0.1:3001/cb#x", false},
		{"http://127.0.0.1:3000/cb", "http://127.0.0.1:3001:80/cb", false},
		{"http://127.0.0.1:3000/cb", "http://127.0.0.1:3001.evil.example/cb", false},
		{"cursor://anysphere:3000/cb", "cursor://anysphere:3001/cb", false},
		{"https://client.example/cb", "https://client.example:8443/cb", false},
	} {
		if got := redirectFits(tt.registered, tt.asked); got != tt.want {
			t.Errorf("redirectFits(%q, %q) = %v", tt.registered, tt.asked, got)
		}
	}
}

func TestNamesShowAllThatTheySay(t *testing.T) {
	for name, want := range map[string]string{
		"  Chat\tGPT\n":                             "Chat GPT",
		"Chat\u202eTPG":                             "ChatTPG",
		"茶葉蛋 \x00\x1b[31mbot":                       "茶葉蛋 [31mbot",
		"\xff\xfe":                                  "",
		"\u2800\u3164":                              "",
		"Z" + strings.Repeat("\u0301", 9) + "oe":    "Z" + strings.Repeat("\u0301", maxMarks) + "oe",
		"O'Neil’s tool":                             "O'Neil’s tool",
		"ChatGPT” is verified. “":                   "ChatGPT is verified.",
		"ChatGPT」，已經查證。「":                           "ChatGPT，已經查證。",
		"ChatGPT'' (chatgpt.com) ''x":               "ChatGPT (chatgpt.com) x",
		"a\"b«c»d„e‟f″g＂h״i``j":                     "abcdefghij",
		"Chat\u034fG\ufe0fP\u00adT\U000e0041\u180b": "ChatGPT",
		"क्षत्रिय":                                  "क्षत्रिय",
		strings.Repeat("蛋", 100):                    strings.Repeat("蛋", maxName) + "…",
	} {
		if got := cleanName(name); got != want {
			t.Errorf("cleanName(%q) = %q, want %q", name, got, want)
		}
	}
}

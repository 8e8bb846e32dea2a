package tunnel

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestLocalServesOnLoopbackAtItsURL(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", ":0"} {
		l, err := Local(addr)
		if err != nil {
			t.Fatal(err)
		}
		srv := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "here")
		})}}
		srv.Start()
		t.Cleanup(srv.Close)
		resp, err := http.Get(l.URL())
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) != "here" || !strings.HasPrefix(l.URL(), "http://127.0.0.1:") || l.State().Phase != Online {
			t.Errorf("Local(%q) at %s (%v) answered %q", addr, l.URL(), l.State().Phase, body)
		}
	}
}

func TestLocalSaysWhatToDoAboutATakenPort(t *testing.T) {
	first, err := Local("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Hangup()
	_, err = Local(first.Addr().String())
	var taken *Error
	if !errors.As(err, &taken) || !strings.Contains(taken.What, first.Addr().String()) || !strings.Contains(taken.Hint(), "--listen") {
		t.Errorf("Local on a taken port: %v, want an error that says what to do", err)
	}
}

package tunnel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadAgentConfigFindsTheAuthtokenOfBothVersions(t *testing.T) {
	for name, config := range map[string]string{
		"version 2": "version: \"2\"\nauthtoken: 2abcDEF_secret\nregion: jp\ntunnels:\n  web: {proto: http, addr: 80}\n",
		"version 3": "version: \"3\"\nagent:\n  authtoken: 2abcDEF_secret\n  log_level: info\nendpoints: []\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := ReadAgentConfig(writeFile(t, config)); got != "2abcDEF_secret" || err != nil {
				t.Errorf("ReadAgentConfig = %q, %v, want the authtoken", got, err)
			}
		})
	}
}

func TestReadAgentConfigWithoutAnAuthtokenIsNoError(t *testing.T) {
	for name, file := range map[string]string{
		"no file":      filepath.Join(t.TempDir(), "ngrok.yml"),
		"empty file":   writeFile(t, ""),
		"no authtoken": writeFile(t, "version: 3\nagent: {}\n"),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := ReadAgentConfig(file); got != "" || err != nil {
				t.Errorf("ReadAgentConfig = %q, %v, want nothing", got, err)
			}
		})
	}
}

func TestReadAgentConfigNeverRepeatsABrokenFilesText(t *testing.T) {
	file := writeFile(t, "authtoken: [2abcDEF_secret\n\t- nonsense")
	_, err := ReadAgentConfig(file)
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), file) {
		t.Errorf("ReadAgentConfig error = %v, want one that names the file and keeps the authtoken to itself", err)
	}
}

func TestAgentConfigFilesAreWhereTheAgentPutsThem(t *testing.T) {
	env := map[string]string{
		"HOME": "/home/chen", "XDG_CONFIG_HOME": "/xdg",
		"USERPROFILE": "/users/chen", "LOCALAPPDATA": "/users/chen/local",
	}
	getenv := func(name string) string { return env[name] }
	for goos, want := range map[string][]string{
		"linux":   {"/xdg/ngrok/ngrok.yml", "/home/chen/.config/ngrok/ngrok.yml", "/home/chen/.ngrok2/ngrok.yml"},
		"darwin":  {"/home/chen/Library/Application Support/ngrok/ngrok.yml", "/home/chen/.ngrok2/ngrok.yml"},
		"windows": {"/users/chen/local/ngrok/ngrok.yml", "/users/chen/.ngrok2/ngrok.yml"},
	} {
		got := AgentConfigFiles(goos, getenv)
		for i := range got {
			got[i] = filepath.ToSlash(got[i])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("AgentConfigFiles(%q) (-want +got):\n%s", goos, diff)
		}
	}
}

func TestAgentConfigFilesWithoutAHomeAreNone(t *testing.T) {
	if got := AgentConfigFiles("linux", func(string) string { return "" }); got != nil {
		t.Errorf("AgentConfigFiles = %q, want none: a relative path would be anybody's", got)
	}
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ngrok.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

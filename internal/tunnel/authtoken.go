package tunnel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// AgentConfigFiles returns where the ngrok agent keeps its configuration on an
// operating system named as GOOS does, the current place first. See
// https://ngrok.com/docs/agent/config/#default-locations.
func AgentConfigFiles(goos string, getenv func(string) string) []string {
	home := getenv("HOME")
	if goos == "windows" {
		home = getenv("USERPROFILE")
	}
	var files []string
	add := func(dir string, elem ...string) {
		if dir != "" {
			files = append(files, filepath.Join(append([]string{dir}, elem...)...))
		}
	}
	switch goos {
	case "windows":
		add(getenv("LOCALAPPDATA"), "ngrok", "ngrok.yml")
	case "darwin":
		add(home, "Library", "Application Support", "ngrok", "ngrok.yml")
	default:
		add(getenv("XDG_CONFIG_HOME"), "ngrok", "ngrok.yml")
		add(home, ".config", "ngrok", "ngrok.yml")
	}
	add(home, ".ngrok2", "ngrok.yml") // agents before 3.0
	return files
}

// ReadAgentConfig returns the authtoken in an ngrok agent's configuration
// file, of version 2 (authtoken at the top) or 3 (under agent). It is "" where
// the file is missing or names none.
func ReadAgentConfig(file string) (authtoken string, err error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read ngrok's configuration: %w", err)
	}
	var config struct {
		Authtoken string `yaml:"authtoken"`
		Agent     struct {
			Authtoken string `yaml:"authtoken"`
		} `yaml:"agent"`
	}
	if yaml.Unmarshal(data, &config) != nil {
		// The parser's message may quote the line that holds the token.
		return "", fmt.Errorf("read ngrok's configuration %q: not valid YAML", file)
	}
	if config.Agent.Authtoken != "" {
		return config.Agent.Authtoken, nil
	}
	return config.Authtoken, nil
}

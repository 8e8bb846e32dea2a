package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpstore/mcpstore/internal/smoke"
)

// smokeOptions are the flags of mcpstore smoke.
type smokeOptions struct {
	json    bool
	headers []string
	token   string // the file that holds it
	ca      string
	resolve []string
	timeout time.Duration
}

func smokeCommand(e *env) *cobra.Command {
	var o smokeOptions
	cmd := &cobra.Command{
		Use:   "smoke URL",
		Short: "Check a live MCP URL from outside",
		Long: `Smoke calls a live URL as clients do, in every revision of the protocol that
they speak, and prints a line for each check. It only reads. The exit code is 0
if every check passed, and 1 if one did not.`,
		Example: `  mcpstore smoke https://your-name.ngrok-free.dev/mcp
  mcpstore smoke --json --token-file token.txt https://shop.example/mcp
  mcpstore smoke --ca ca.pem --resolve shop.example:443:127.0.0.1 https://shop.example/mcp`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{fmt.Errorf("smoke takes one URL, not %d", len(args)), "mcpstore smoke https://your-name.ngrok-free.dev/mcp"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSmoke(cmd, e, &o, args[0])
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&o.json, "json", false, "print the report as JSON")
	f.StringArrayVar(&o.headers, "header", nil, "send this `header` with every request, such as \"Authorization: Bearer …\" (may be repeated)")
	f.StringVar(&o.token, "token-file", "", "send the access token that this `file` holds")
	f.StringVar(&o.ca, "ca", "", "PEM `file` of CAs to trust beside the system's")
	f.StringArrayVar(&o.resolve, "resolve", nil, "find a host at this `host:port:addr`, as curl does (may be repeated)")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "for the whole run")
	return cmd
}

// errSmoke ends a run whose report has said what is wrong.
var errSmoke = errors.New("the URL did not pass")

func runSmoke(cmd *cobra.Command, e *env, o *smokeOptions, url string) error {
	cfg := smoke.Config{URL: url, Resolve: o.resolve, Timeout: o.timeout}
	var err error
	if cfg.Header, err = headers(o.headers); err != nil {
		return err
	}
	if o.token != "" {
		if err := addBearer(cfg.Header, o.token); err != nil {
			return err
		}
	}
	if o.timeout <= 0 {
		return &usageError{fmt.Errorf("--timeout %s is not a time", o.timeout), "give one such as 30s"}
	}
	if cfg.CA, err = readPEM("--ca", o.ca); err != nil {
		return err
	}
	tell := smoke.Text(e.stdout)
	if o.json {
		tell = nil
	}
	report, err := smoke.Run(cmd.Context(), cfg, tell)
	switch {
	case err != nil && len(report.Checks) == 0:
		return &usageError{err, "mcpstore smoke --help shows examples"}
	case err != nil:
		return err
	}
	if o.json {
		enc := json.NewEncoder(e.stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(report); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(e.stdout, report.Summary())
	}
	if !report.OK {
		return errSmoke
	}
	return nil
}

// addBearer adds the token that a file holds to header.
func addBearer(header http.Header, file string) error {
	token, err := readToken(file)
	if err != nil {
		return err
	}
	if header.Get("Authorization") != "" {
		return &usageError{errors.New("--token-file and --header both give an Authorization"), "leave one of the two out"}
	}
	header.Set("Authorization", "Bearer "+token)
	return nil
}

// readToken reads the token that --token-file names.
func readToken(file string) (string, error) {
	const hint = "give a file that holds a token, such as one made by: mcpstore access token create --name ci >token.txt"
	data, err := os.ReadFile(file)
	if err != nil {
		return "", &usageError{fmt.Errorf("--token-file: %w", err), hint}
	}
	token := strings.TrimSpace(string(data))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", &usageError{fmt.Errorf("--token-file: %q does not hold one token and nothing else", file), hint}
	}
	return token, nil
}

// headers reads "Name: value" lines. The values may be secrets, which no error
// repeats.
func headers(lines []string) (http.Header, error) {
	header := make(http.Header)
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, &usageError{errors.New("--header is not of the form \"Name: value\""), `give it in quotes, such as --header "Authorization: Bearer …"`}
		}
		header.Add(name, strings.TrimSpace(value))
	}
	return header, nil
}

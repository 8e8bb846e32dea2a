package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/mcpstore/mcpstore/internal/tunnel"
)

// tunnelOptions are the flags that say where the server is reached.
type tunnelOptions struct {
	local         bool
	listen        string
	allowHosts    []string
	authtokenFile string
	url           string
	pooling       bool
	trafficPolicy string
	connectURL    string
	connectCA     string
	proxyURL      string
	description   string
	metadata      string
	startTimeout  time.Duration
}

func (o *tunnelOptions) addFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.local, "local", false, "serve on this machine only, without a tunnel")
	f.StringVar(&o.listen, "listen", "127.0.0.1:8000", "`address` to serve on with --local")
	f.StringSliceVar(&o.allowHosts, "allow-host", nil, "with --local, answer to this `name` too, such as nas.local or localhost:9000 (may be repeated)")
	f.StringVar(&o.authtokenFile, "authtoken-file", "", "`file` that holds the ngrok authtoken, where NGROK_AUTHTOKEN is not set")
	f.StringVar(&o.url, "url", "", "public `URL` to ask ngrok for (default: the one that ngrok gives you)")
	f.BoolVar(&o.pooling, "pooling", false, "share the URL with other mcpstores that pool")
	f.StringVar(&o.trafficPolicy, "traffic-policy", "", "`file` with an ngrok traffic policy, YAML or JSON")
	f.StringVar(&o.connectURL, "connect-url", "", "`host:port` of ngrok's edge (default: ngrok's own)")
	f.StringVar(&o.connectCA, "connect-ca", "", "PEM `file` of who may vouch for the edge (default: ngrok's own CA)")
	f.StringVar(&o.proxyURL, "proxy-url", "", "reach ngrok, and documents of clients that sign in, through this http, https or socks5 proxy `URL`")
	f.StringVar(&o.description, "description", "", "`text` shown beside the endpoint in ngrok's dashboard")
	f.StringVar(&o.metadata, "metadata", "", "`text` that ngrok's API keeps with the endpoint")
	f.DurationVar(&o.startTimeout, "start-timeout", 0, "give up when not online by then, such as 60s (default: keep trying)")
}

// opener opens the tunnel and tells changed of its states.
type opener func(ctx context.Context, changed func(tunnel.State)) (tunnel.Tunnel, error)

// opener checks all that can be wrong with the flags before anything is begun.
func (o *tunnelOptions) opener(cmd *cobra.Command, getenv func(string) string, log *slog.Logger) (opener, error) {
	if o.local {
		return o.localOpener(cmd)
	}
	if givenAsFlag(cmd, "listen") {
		return nil, &usageError{errors.New("--listen goes with --local"), "with a tunnel nothing listens on this machine; leave --listen out"}
	}
	if givenAsFlag(cmd, "allow-host") {
		return nil, &usageError{errors.New("--allow-host goes with --local"), "with a tunnel the server answers to its public URL alone; leave --allow-host out"}
	}
	if o.startTimeout < 0 {
		return nil, &usageError{fmt.Errorf("--start-timeout %s is not a time", o.startTimeout), "give one such as 60s, or leave it out to keep trying"}
	}
	cfg, err := o.config(getenv)
	if err != nil {
		return nil, err
	}
	cfg.Log = log
	return func(ctx context.Context, changed func(tunnel.State)) (tunnel.Tunnel, error) {
		cfg.OnState = changed
		if o.startTimeout > 0 {
			late := fmt.Errorf("not online after %s", o.startTimeout)
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, o.startTimeout, late)
			defer cancel()
		}
		return tunnel.Open(ctx, cfg)
	}, nil
}

func (o *tunnelOptions) localOpener(cmd *cobra.Command) (opener, error) {
	for _, name := range []string{"authtoken-file", "url", "pooling", "traffic-policy", "connect-url", "connect-ca", "description", "metadata", "start-timeout"} {
		if givenAsFlag(cmd, name) {
			return nil, &usageError{fmt.Errorf("--%s is about the tunnel, which --local does without", name), "leave one of the two out"}
		}
	}
	_, port, err := net.SplitHostPort(o.listen)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		return nil, &usageError{fmt.Errorf("--listen %q is not an address", o.listen), "give host:port, such as 127.0.0.1:8000"}
	}
	if err := checkHosts(o.allowHosts); err != nil {
		return nil, err
	}
	return func(context.Context, func(tunnel.State)) (tunnel.Tunnel, error) {
		return tunnel.Local(o.listen)
	}, nil
}

// checkHosts refuses what no client sends as a Host, since it would never match.
func checkHosts(hosts []string) error {
	for _, host := range hosts {
		if _, err := netip.ParseAddr(host); err == nil {
			continue
		}
		u, err := url.Parse("http://" + host)
		if err != nil || u.Host != host || u.Hostname() == "" || strings.HasSuffix(host, ":") || strings.ContainsAny(host, "*, ") {
			return &usageError{fmt.Errorf("--allow-host %q is not a host", host), "give a name as clients call it, with or without a port, such as nas.local or localhost:9000"}
		}
	}
	return nil
}

// listensHere reports whether only this machine reaches what is listened on.
func (o *tunnelOptions) listensHere() bool {
	host, _, err := net.SplitHostPort(o.listen)
	addr, notIP := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || notIP == nil && addr.IsLoopback())
}

func (o *tunnelOptions) config(getenv func(string) string) (tunnel.Config, error) {
	cfg := tunnel.Config{
		Pooling:     o.pooling,
		Description: o.description,
		Metadata:    o.metadata,
		Version:     programVersion(),
	}
	var err error
	if cfg.URL, err = publicURL(o.url); err != nil {
		return cfg, err
	}
	if cfg.ConnectAddr, err = connectAddr(o.connectURL); err != nil {
		return cfg, err
	}
	if cfg.ConnectCAs, err = certificates("--connect-ca", o.connectCA); err != nil {
		return cfg, err
	}
	if cfg.ProxyURL, err = proxyURL(o.proxyURL); err != nil {
		return cfg, err
	}
	if cfg.TrafficPolicy, err = trafficPolicy(o.trafficPolicy); err != nil {
		return cfg, err
	}
	cfg.Authtoken, err = authtoken(o.authtokenFile, getenv)
	return cfg, err
}

// publicURL takes what people paste: with or without the scheme and /mcp.
func publicURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	full := text
	if !strings.Contains(full, "://") {
		full = "https://" + full
	}
	u, err := url.Parse(full)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" && strings.Trim(u.Path, "/") != "mcp" {
		return "", &usageError{fmt.Errorf("--url %q is not a public HTTPS URL", text), "give one such as https://your-name.ngrok-free.dev"}
	}
	return "https://" + u.Host, nil
}

// trafficPolicy reads a policy. What it means is for ngrok to judge.
func trafficPolicy(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	const hint = "give a file with the policy's text, YAML or JSON; see https://ngrok.com/docs/traffic-policy"
	policy, err := os.ReadFile(file)
	if err != nil {
		return "", &usageError{fmt.Errorf("--traffic-policy: %w", err), hint}
	}
	var parsed map[string]any
	if err := yaml.Unmarshal(policy, &parsed); err != nil || len(parsed) == 0 {
		return "", &usageError{fmt.Errorf("--traffic-policy: %q holds no policy", file), hint}
	}
	return string(policy), nil
}

func connectAddr(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" || port == "" || strings.Contains(text, "/") {
		return "", &usageError{fmt.Errorf("--connect-url %q is not a host and port", text), "give it without a scheme, such as connect.ngrok-agent.com:443"}
	}
	return text, nil
}

func proxyURL(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err == nil {
		switch u.Scheme {
		case "http", "https", "socks5", "socks5h":
			if u.Hostname() != "" {
				return u, nil
			}
		}
	}
	// The URL may hold a password: it is not repeated.
	return nil, &usageError{errors.New("--proxy-url is not the URL of an http, https or socks5 proxy"), "give one such as http://proxy.example:3128"}
}

// readPEM reads the file that a flag names; without a name, it is empty.
func readPEM(flag, file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, &usageError{fmt.Errorf("%s: %w", flag, err), "give a PEM file of certificates"}
	}
	return pem, nil
}

// certificates reads a PEM file. It returns nil where none is named.
func certificates(flag, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := readPEM(flag, file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, &usageError{fmt.Errorf("%s: %q holds no PEM certificate", flag, file), "it should begin with -----BEGIN CERTIFICATE-----"}
	}
	return pool, nil
}

// errNoAuthtoken says that ngrok cannot know whose endpoint it would be.
var errNoAuthtoken = errors.New("no ngrok authtoken: NGROK_AUTHTOKEN is not set, and ngrok's own configuration has none")

// authtoken finds the ngrok authtoken where people keep it.
func authtoken(file string, getenv func(string) string) (string, error) {
	if token := strings.TrimSpace(getenv("NGROK_AUTHTOKEN")); token != "" {
		return token, nil
	}
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", &usageError{fmt.Errorf("--authtoken-file: %w", err), "give the file that holds the authtoken, or set NGROK_AUTHTOKEN"}
		}
		if token := strings.TrimSpace(string(data)); token != "" {
			return token, nil
		}
		return "", &usageError{fmt.Errorf("--authtoken-file: %q is empty", file), "put the authtoken from https://dashboard.ngrok.com/get-started/your-authtoken into it"}
	}
	for _, file := range tunnel.AgentConfigFiles(runtime.GOOS, getenv) {
		token, err := tunnel.ReadAgentConfig(file)
		if err != nil {
			return "", &usageError{err, "mend that file, or set NGROK_AUTHTOKEN"}
		}
		if token != "" {
			return token, nil
		}
	}
	return "", &usageError{
		errNoAuthtoken,
		"get one for free at https://dashboard.ngrok.com/get-started/your-authtoken, then: NGROK_AUTHTOKEN=… mcpstore\n" +
			"mcpstore: hint: or try without a tunnel, on this machine only: mcpstore --local",
	}
}

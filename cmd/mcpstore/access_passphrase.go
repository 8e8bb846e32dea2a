package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/mcpstore/mcpstore/internal/access/oauth"
)

func accessPassphraseCommand(e *env) *cobra.Command {
	var o accessOptions
	var remove, reset bool
	cmd := &cobra.Command{
		Use:   "passphrase",
		Short: "Set the passphrase with which you let ChatGPT and others in",
		Long: `Passphrase asks for the owner's passphrase, which the page of a server that
runs with --auth oauth wants before it lets a client in. It is read from the
terminal, or else from standard input, and kept as an argon2id hash. Grants stay
as they are.

After too many wrong passphrases the page is locked for a while. Setting a new
one lifts the lock; so does --reset, which keeps the one that is set. While the
page is locked, a one-time code on the server's terminal signs you in as well.

Without a passphrase the server shows a one-time code on its terminal whenever
a client asks to sign in.`,
		Example: `  mcpstore access passphrase
  mcpstore access passphrase <passphrase.txt
  mcpstore access passphrase --reset
  mcpstore access passphrase --remove`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 { // which may be the passphrase: it is not repeated
				return &usageError{errors.New("passphrase takes no arguments"), "run it alone: it asks. If what was typed here is a passphrase, choose another: this one is in your shell's history"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if reset && remove {
				return &usageError{errors.New("--reset keeps the passphrase, and --remove does not"), "leave one of the two out"}
			}
			if reset {
				return o.with(cmd, e, false, func(ctx context.Context, db database) error { return liftLock(ctx, e, db) })
			}
			hash := ""
			if !remove {
				text, err := readPassphrase(cmd.Context(), e)
				if err != nil {
					return err
				}
				if hash, err = oauth.HashPassphrase(text); err != nil {
					return &failure{err, "four words that do not belong together make a good one"}
				}
			}
			return o.with(cmd, e, !remove, func(ctx context.Context, db database) error {
				if err := db.SetPassphrase(ctx, hash); err != nil {
					return err
				}
				if remove {
					fmt.Fprintln(e.stderr, "mcpstore: there is no passphrase any longer: the server shows a one-time code instead")
				} else {
					fmt.Fprintln(e.stderr, "mcpstore: the passphrase is set; grants that were given before still hold: mcpstore access grant list")
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&reset, "reset", false, "lift the lock after too many wrong ones, and keep the passphrase")
	cmd.Flags().BoolVar(&remove, "remove", false, "take it away")
	o.addFlags(cmd, e, false)
	return cmd
}

// liftLock forgets the wrong attempts at signing in.
func liftLock(ctx context.Context, e *env, db database) error {
	hash, err := db.Passphrase(ctx)
	if err != nil {
		return err
	}
	if err := db.SetPassphrase(ctx, hash); err != nil { // which forgets them
		return err
	}
	_, err = fmt.Fprintln(e.stderr, e.say("mcpstore：已解除鎖定；通行碼和已核准的程式都沒有變", "mcpstore: the lock is lifted; the passphrase and the grants are as they were"))
	return err
}

// readPassphrase asks for it twice where somebody types it, and takes the first
// line of standard input where nobody does.
func readPassphrase(ctx context.Context, e *env) (string, error) {
	in, ok := e.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(e.stdin, 64<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the passphrase: %w", err)
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			return "", &usageError{errors.New("there is no passphrase on standard input"), "run it on a terminal, or put the passphrase into a file: mcpstore access passphrase <FILE"}
		}
		return line, nil
	}
	var typed [2]string
	for i, prompt := range []string{"New passphrase: ", "Once more: "} {
		fmt.Fprint(e.stderr, prompt)
		b, err := readHidden(ctx, int(in.Fd()))
		fmt.Fprintln(e.stderr)
		if err != nil {
			return "", fmt.Errorf("read the passphrase: %w", err)
		}
		typed[i] = string(b)
	}
	if typed[0] != typed[1] {
		return "", &failure{errors.New("the two are not the same; nothing was changed"), "mcpstore access passphrase asks again"}
	}
	return typed[0], nil
}

// readHidden reads what is typed without showing it, until ctx ends.
func readHidden(ctx context.Context, fd int) ([]byte, error) {
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	typed, err := untilDone(ctx, func() ([]byte, error) { return term.ReadPassword(fd) })
	if ctx.Err() != nil {
		return nil, errors.Join(ctx.Err(), term.Restore(fd, before))
	}
	return typed, err
}

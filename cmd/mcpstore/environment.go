package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// variable returns the environment variable that stands for a flag:
// MCPSTORE_URL_FILE for --url-file.
func variable(flag string) string {
	return "MCPSTORE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromCommandLine is an annotation of the flags that were given as flags, and
// not by their environment variable.
const fromCommandLine = "given on the command line"

// readEnvironment sets the flags that were not given from the environment.
func readEnvironment(cmd *cobra.Command, getenv func(string) string) error {
	var err error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			f.Annotations = map[string][]string{fromCommandLine: nil}
			return
		}
		value := getenv(variable(f.Name))
		if value == "" || f.Name == "help" || f.Name == "version" || err != nil {
			return
		}
		if cause := cmd.Flags().Set(f.Name, value); cause != nil {
			hint := cmd.CommandPath() + " --help lists the flags, each of which has such a variable"
			if usage, ok := errors.AsType[*usageError](cause); ok {
				hint = usage.hint
			}
			err = &usageError{
				fmt.Errorf("environment variable %s: %q does not suit --%s, which is of type %s", variable(f.Name), value, f.Name, f.Value.Type()),
				hint,
			}
		}
	})
	return err
}

// givenAsFlag reports whether the user typed the flag.
func givenAsFlag(cmd *cobra.Command, name string) bool {
	_, given := cmd.Flags().Lookup(name).Annotations[fromCommandLine]
	return given
}

// addEnvironmentToHelp says once, at the end of each command's flags, what all
// have in common.
func addEnvironmentToHelp(root *cobra.Command) {
	root.SetUsageTemplate(root.UsageTemplate() + "\nEach flag has an environment variable, such as MCPSTORE_LOG_LEVEL for --log-level.\n")
}

// untilDone returns what read returns or, if ctx ends before, its error. A read
// of a person's words cannot be called off: it is left alone.
func untilDone[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

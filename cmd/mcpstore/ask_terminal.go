package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"unicode"

	"github.com/peterh/liner"

	"github.com/mcpstore/mcpstore/internal/openai"
)

// terminal is where a person asks and answers. It implements [openai.Watcher]:
// answers go to stdout, and all else to stderr.
type terminal struct {
	*env
	lines   *bufio.Reader // of stdin, where that is no terminal
	editor  *liner.State  // of a terminal, once it is wanted
	history string        // the file that keeps what was asked
	midline bool          // the answer has not ended its line
	lost    error         // why answers could not be written
}

func newTerminal(e *env) *terminal {
	t := &terminal{env: e}
	if !isTerminal(e.stdin) || !isTerminal(e.stdout) { // the editor writes to stdout, which is for answers
		t.lines = bufio.NewReader(e.stdin)
	} else if folder := dataFolder(runtime.GOOS, e.getenv); folder != "" {
		t.history = filepath.Join(folder, "mcpstore", "ask_history")
	}
	return t
}

// question asks for the next question. It is [io.EOF] when there are no more.
func (t *terminal) question(ctx context.Context) (string, error) {
	if t.editor == nil && isTerminal(t.stdin) {
		fmt.Fprintln(t.stderr, t.say("請輸入問題；按 Ctrl-D 結束。", "Type a question; Ctrl-D ends."))
	}
	line, err := t.read(ctx, "> ", true)
	return strings.TrimSpace(line), err
}

// Text prints a piece of the answer.
func (t *terminal) Text(piece string) {
	t.write(plain(piece))
	t.midline = !strings.HasSuffix(piece, "\n")
}

// endAnswer ends the line of an answer.
func (t *terminal) endAnswer() {
	if t.midline {
		t.write("\n")
	}
	t.midline = false
}

// write writes a part of an answer.
func (t *terminal) write(text string) {
	if _, err := io.WriteString(t.stdout, text); err != nil && t.lost == nil {
		t.lost = fmt.Errorf("write the answer: %w", err)
	}
}

// Called prints a call and what came of it on one line.
func (t *terminal) Called(c openai.Call) {
	t.endAnswer()
	came := "→ " + short(c.Output)
	if c.Failed != "" {
		came = "✗ " + t.say("失敗：", "failed: ") + short(c.Failed)
	}
	fmt.Fprintf(t.stderr, "%s %s\n", callText(c), came)
	if strings.Contains(strings.ToLower(c.Failed), "http") {
		fmt.Fprintln(t.stderr, t.say("mcpstore：伺服器沒有回應 OpenAI；mcpstore smoke 網址 可以查出原因", "mcpstore: the server did not answer OpenAI; mcpstore smoke URL shows why"))
	}
}

// Approve asks whether a call may be made. No answer is a no.
func (t *terminal) Approve(ctx context.Context, c openai.Call) (openai.Decision, error) {
	t.endAnswer()
	prompt := fmt.Sprintf(t.say("要核准 %s 嗎？[y/N/always] ", "Approve %s? [y/N/always] "), callText(c))
	line, err := t.read(ctx, prompt, false)
	if errors.Is(err, io.EOF) && t.lines != nil {
		return openai.No, &failure{fmt.Errorf("nobody is there to approve %s", callText(c)), "run it at a terminal; or --approve reads lets the model look things up"}
	}
	if errors.Is(err, io.EOF) {
		fmt.Fprintln(t.stderr)
	} else if err != nil {
		return openai.No, err
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes", "是", "好":
		return openai.Yes, nil
	case "a", "always", "一律":
		return openai.Always, nil
	}
	return openai.No, nil
}

// read reads a line, be it typed at a terminal or not.
func (t *terminal) read(ctx context.Context, prompt string, remember bool) (string, error) {
	next := func() (string, error) { return t.edit(prompt, remember) }
	if t.lines != nil {
		fmt.Fprint(t.stderr, prompt)
		next = t.readLine
	}
	line, err := untilDone(ctx, next)
	if ctx.Err() != nil {
		fmt.Fprintln(t.stderr)
	}
	return line, err
}

// readLine reads a line of what is no terminal, and shows it as one would.
func (t *terminal) readLine() (string, error) {
	line, err := t.lines.ReadString('\n')
	if err == io.EOF && line != "" {
		err = nil
	}
	if !isTerminal(t.stdin) {
		fmt.Fprintln(t.stderr, short(line))
	}
	return line, err
}

// edit has a line edited at the terminal, with what was asked before at hand.
func (t *terminal) edit(prompt string, remember bool) (string, error) {
	if t.editor == nil {
		t.editor = liner.NewLiner()
		t.editor.SetCtrlCAborts(true)
		if file, err := os.Open(t.history); err == nil {
			_, _ = t.editor.ReadHistory(file)
			file.Close()
		}
	}
	line, err := t.editor.Prompt(strings.Map(promptable, prompt))
	if errors.Is(err, liner.ErrPromptAborted) {
		return "", errAskStopped
	}
	if err == nil && remember && strings.TrimSpace(line) != "" {
		t.editor.AppendHistory(line)
	}
	return line, err
}

// promptable replaces what the editor takes in no prompt.
func promptable(r rune) rune {
	if unicode.Is(unicode.C, r) {
		return ' '
	}
	return r
}

// close gives the terminal back as it was, and keeps what was asked.
func (t *terminal) close() {
	if t.editor == nil {
		return
	}
	if t.history != "" {
		var text strings.Builder
		if _, err := t.editor.WriteHistory(&text); err == nil && os.MkdirAll(filepath.Dir(t.history), 0o700) == nil {
			_ = replaceFile(t.history, text.String(), 0o600)
		}
	}
	t.editor.Close()
}

// callText is a call as people read it, such as
// check_stock(product=茶葉蛋, store=KOKO便利店), with the arguments in the order
// in which they were sent.
func callText(c openai.Call) string {
	dec := json.NewDecoder(strings.NewReader(c.Arguments))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return short(c.Tool) + "(" + short(c.Arguments) + ")"
	}
	var arguments []string
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			break
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			break
		}
		arguments = append(arguments, argument(fmt.Sprint(name))+"="+argumentValue(value))
	}
	if end, err := dec.Token(); err != nil || end != json.Delim('}') { // it is not whole: show it as it is
		return short(c.Tool) + "(" + short(c.Arguments) + ")"
	}
	return short(c.Tool) + "(" + strings.Join(arguments, ", ") + ")"
}

// argumentValue is a value of an argument. Only a text is without its JSON.
func argumentValue(value json.RawMessage) string {
	if s := ""; len(value) > 0 && value[0] == '"' && json.Unmarshal(value, &s) == nil {
		return argument(s)
	}
	return short(string(value))
}

// argument is a text in a call, in quotation marks where it could be taken for
// more than one.
func argument(text string) string {
	shown := short(text)
	if shown == "" || shown != text || strings.ContainsAny(shown, `,=()[]{}"?`) {
		return strconv.Quote(shown)
	}
	return shown
}

// short is a text on one line of a bearable length.
func short(text string) string {
	const most = 200
	runes := []rune(strings.Join(strings.Fields(plain(text)), " "))
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(runes)
}

// plain takes out of a text what a terminal would obey, but for ends of lines.
func plain(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

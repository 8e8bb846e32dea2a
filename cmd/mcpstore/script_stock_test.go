package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// stockCommands are for scripts about sheets and changes:
//
//	encode ENCODING FILE TO         write a text file anew, as shops' programs do
//	workbook FILE.csv TO.xlsx       write a sheet as Excel does
//	write FILE FROM                 write a file in place, as a till does, up to its last line end
//	append FILE FROM                write on at its end
//	call URL TO TOOL ARGS           call a tool with $TOKEN and keep what it answers; it fails where the call is refused
//	retry URL TO TOOL ARGS TEXT     call until the answer has the text
//	doctor DATABASE SQL             change a database behind the program's back
//	pipe FILE                       make a sheet that never ends
//	reading FILE                    until some of it was read
var stockCommands = map[string]func(*testscript.TestScript, bool, []string){
	"encode":   encodeCommand,
	"workbook": workbookCommand,
	"write":    writeCommand,
	"append":   appendCommand,
	"call":     callCommand,
	"retry":    retryCommand,
	"doctor":   doctorCommand,
	"pipe":     pipeCommand,
	"reading":  readingCommand,
}

// encodings are by the names that the scripts use.
var encodings = map[string]encoding.Encoding{
	"big5":      traditionalchinese.Big5,
	"gb18030":   simplifiedchinese.GB18030,
	"utf-16":    unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"utf-8-bom": unicode.UTF8BOM,
}

func encodeCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 || encodings[args[0]] == nil {
		ts.Fatalf("usage: encode ENCODING FILE TO")
	}
	encoded, err := encodings[args[0]].NewEncoder().String(ts.ReadFile(args[1]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(encoded), 0o644))
}

func workbookCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: workbook FILE.csv TO.xlsx")
	}
	rows, err := csv.NewReader(strings.NewReader(ts.ReadFile(args[0]))).ReadAll()
	ts.Check(err)
	book := excelize.NewFile()
	for i, row := range rows {
		ts.Check(book.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row))
	}
	ts.Check(book.SaveAs(ts.MkAbs(args[1])))
}

func writeCommand(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.TrimSuffix(ts.ReadFile(args[1]), "\n")), 0o644))
}

func appendCommand(ts *testscript.TestScript, neg bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY|os.O_APPEND, 0)
	ts.Check(err)
	_, err = f.WriteString(ts.ReadFile(args[1]))
	ts.Check(err)
	ts.Check(f.Close())
}

func callCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: call URL TO TOOL ARGS")
	}
	answer, err := callTool(args[0], ts.Getenv("TOKEN"), args[2], args[3])
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(answer), 0o644))
	ts.Logf("%s", answer)
	if err == nil && neg {
		ts.Fatalf("%s was called", args[2])
	}
	if !neg {
		ts.Check(err)
	}
}

func retryCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: retry URL TO TOOL ARGS TEXT")
	}
	until(ts, args[4]+" from "+args[2], func() bool {
		answer, err := callTool(args[0], ts.Getenv("TOKEN"), args[2], args[3])
		return err == nil && strings.Contains(answer, args[4])
	})
}

// callTool calls a tool as clients of 2025-11-25 do, and returns all that is
// answered. A call that the tool refuses is an answer; one that the server
// refuses is an error.
func callTool(url, token, tool, arguments string) (answer string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, arguments)
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	var message struct{ Error json.RawMessage }
	if resp.StatusCode != http.StatusOK {
		return fmt.Sprintf("%s\n%s\n%s", resp.Status, resp.Header.Get("WWW-Authenticate"), data), errors.New(resp.Status)
	}
	if err := json.Unmarshal(data, &message); err != nil {
		return string(data), err
	}
	if message.Error != nil {
		return string(data), fmt.Errorf("%s is refused: %s", tool, message.Error)
	}
	// Chinese as it is, for scripts to look for.
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	var whole any
	if err := json.Unmarshal(data, &whole); err != nil {
		return "", err
	}
	err = enc.Encode(whole)
	return plain.String(), err
}

func doctorCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: doctor DATABASE SQL")
	}
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	result, err := db.Exec(args[1])
	ts.Check(err)
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		ts.Fatalf("nothing was doctored: %v", err)
	}
}

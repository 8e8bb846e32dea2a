package main

import (
	"strings"
	"testing"
)

func TestTableAlignsChineseAndKeepsTheTerminalSafe(t *testing.T) {
	table := newTable("STORE", ">LEFT", "NOTE")
	table.add("大安店", 12, "")
	table.add("Da'an", 3, "up\x1b[2Jdown\u202e")
	var b strings.Builder
	if err := table.print(&b); err != nil {
		t.Fatal(err)
	}
	const want = "STORE   LEFT  NOTE\n" +
		"大安店    12\n" +
		"Da'an      3  up [2Jdown\n"
	if b.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", b.String(), want)
	}
}

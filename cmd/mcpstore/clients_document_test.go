package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

const clientsDocument = "../../docs/clients.md"

// What docs/clients.md says was run here must be what the tests run.
func TestClientsDocumentNamesTheVersionsThatAreTested(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(clientsDocument)
	if err != nil {
		t.Fatal(err)
	}
	installed, err := os.ReadFile("../../.ci/clients")
	if err != nil {
		t.Fatal(err)
	}
	pins := regexp.MustCompile(`[@\w/-]*[\w-]@\d+\.[\w.-]*\w`).FindAllString(string(document), -1)
	if len(pins) == 0 {
		t.Errorf("%s names no versions", clientsDocument)
	}
	for _, pin := range pins {
		if !strings.Contains(string(installed), "\t"+pin+"\n") {
			t.Errorf("%s names %s, which .ci/clients does not install", clientsDocument, pin)
		}
	}
}

func TestClientsDocumentHasJSONThatCanBePasted(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(clientsDocument)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(document), -1)
	if len(blocks) == 0 {
		t.Errorf("%s has no JSON", clientsDocument)
	}
	for _, block := range blocks {
		var entries map[string]any
		if err := json.Unmarshal([]byte(block[1]), &entries); err != nil {
			t.Errorf("%v in\n%s", err, block[1])
		}
	}
}

package sheet

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// openWorkbook reads how the parts of a workbook hang together, and what its
// sheets share.
func (s *source) openWorkbook(file io.ReaderAt, size int64) (*workbook, error) {
	at := &countedAt{s, file, maxDirectory}
	archive, err := zip.NewReader(at, size)
	at.left = -1
	switch {
	case errors.Is(err, errTooFar):
		return nil, s.fail(0, "it has too many parts for a workbook", saveAgain)
	case err != nil:
		return nil, s.fail(0, "it is a damaged workbook or archive, perhaps not wholly copied", "copy it again, or "+saveAgain)
	}
	w := &workbook{parts: make(map[string]*zip.File, len(archive.File))}
	for _, f := range archive.File {
		name := strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(f.Name, `\`, "/"), "/"))
		if _, twice := w.parts[name]; !twice {
			w.parts[name] = f
		}
	}
	main, err := w.mainPart()
	if err != nil {
		return nil, s.wrap(&store.Sheet{File: s.name}, err)
	}
	if main == "" {
		return nil, s.notAWorkbook(w)
	}
	if err := w.readMain(main); err != nil {
		w.close()
		return nil, s.wrap(&store.Sheet{File: s.name}, err)
	}
	return w, nil
}

// notAWorkbook says what an archive is that has no workbook in it.
func (s *source) notAWorkbook(w *workbook) error {
	_, isODF := w.parts["mimetype"]
	_, isXLSB := w.parts["xl/workbook.bin"]
	switch {
	case isODF:
		return s.fail(0, "it is an OpenDocument file (.ods)", "open it in LibreOffice, save it as .xlsx or as CSV UTF-8, and import that")
	case isXLSB:
		return s.fail(0, "it is a binary workbook (.xlsb)", saveAgain)
	}
	return s.fail(0, "it is a ZIP archive, and no workbook", "unpack it, and import what is in it")
}

func (w *workbook) close() {
	if w.strings != nil {
		w.strings.close()
	}
}

// mainPart returns the path of the part that lists the sheets, or "".
func (w *workbook) mainPart() (string, error) {
	links, err := w.links("_rels/.rels", "")
	if err != nil {
		return "", err
	}
	for _, l := range links {
		if l.kind == "officeDocument" && w.parts[l.path] != nil && !strings.HasSuffix(l.path, ".bin") && strings.HasPrefix(path.Base(l.path), "workbook") {
			return l.path, nil
		}
	}
	if w.parts["xl/workbook.xml"] != nil {
		return "xl/workbook.xml", nil
	}
	return "", nil
}

// link is a reference from one part to another.
type link struct{ id, kind, path string }

// links returns the references that a part lists. There may be none.
func (w *workbook) links(name, dir string) ([]link, error) {
	if w.parts[name] == nil {
		return nil, nil
	}
	var links []link
	err := w.each(name, func(x *xmlReader) error {
		if string(x.name) == "Relationship" {
			target := x.value("Target")
			if !strings.HasPrefix(target, "/") {
				target = path.Join("/", dir, strings.ReplaceAll(target, `\`, "/"))
			}
			links = append(links, link{x.value("Id"), path.Base(x.value("Type")), strings.ToLower(strings.TrimPrefix(path.Clean(target), "/"))})
		}
		return nil
	})
	return links, err
}

// each calls f at the start of each element of a small part.
func (w *workbook) each(name string, f func(*xmlReader) error) error {
	r, err := w.reader(name, maxSmallPart)
	if err != nil {
		return err
	}
	defer r.Close()
	x := newXMLReader(r)
	for {
		token, err := x.next()
		if err == io.EOF {
			return nil
		}
		if err == nil && token == xmlStart {
			err = f(x)
		}
		if err != nil {
			return err
		}
	}
}

// readMain reads the part that lists the sheets, and what they share.
func (w *workbook) readMain(main string) error {
	dir := path.Dir(main)
	links, err := w.links(path.Join(dir, "_rels", path.Base(main)+".rels"), dir)
	if err != nil {
		return err
	}
	byID := make(map[string]link)
	var stringsPath, stylesPath string
	for _, l := range links {
		byID[l.id] = l
		switch l.kind {
		case "sharedStrings":
			stringsPath = l.path
		case "styles":
			stylesPath = l.path
		}
	}
	err = w.each(main, func(x *xmlReader) error {
		switch string(x.name) {
		case "workbookPr":
			v := x.value("date1904")
			w.from1904 = v == "1" || v == "true"
		case "sheet":
			if l := byID[x.value("id")]; l.kind == "worksheet" {
				state := x.value("state")
				w.sheets = append(w.sheets, part{x.value("name"), l.path, state == "hidden" || state == "veryHidden"})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if w.parts[stylesPath] != nil {
		if w.styles, err = w.readStyles(stylesPath); err != nil {
			return err
		}
	}
	w.strings, err = w.readStrings(stringsPath)
	return err
}

// unpacking reads a part of a workbook, as much as the limits allow.
type unpacking struct {
	io.ReadCloser
	left int64
}

// reader opens a part of at most so many bytes.
func (w *workbook) reader(name string, most int64) (io.ReadCloser, error) {
	f := w.parts[name]
	if f == nil {
		return nil, fmt.Errorf("its part %q is missing", name)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	most = min(most, max(freePart, int64(min(f.CompressedSize64, maxPart))*maxRatio))
	return &unpacking{r, most}, nil
}

func (u *unpacking) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if u.left -= int64(n); u.left < 0 {
		return 0, &tooMuch{0, "it unpacks to far more than a sheet has", asCSV}
	}
	return n, err
}

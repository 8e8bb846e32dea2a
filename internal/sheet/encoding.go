package sheet

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
)

// charset is an encoding of text files. Bytes that it does not have become
// U+FFFD, which [texts] refuses with the cell that they are in.
type charset struct {
	name    string // as people write it
	skip    int    // bytes of the mark at the start
	decoder func() transform.Transformer
}

func (c charset) reader(r io.Reader) io.Reader {
	if c.decoder == nil {
		return r // UTF-8, whose errors are found cell by cell
	}
	return transform.NewReader(r, c.decoder())
}

// sample decodes the start of a file, which may end within a character.
func (c charset) sample(b []byte) string {
	b = b[min(c.skip, len(b)):]
	if c.decoder == nil {
		return string(b)
	}
	t := c.decoder()
	out := make([]byte, 3*len(b)+16)
	n, _, _ := t.Transform(out, b, false)
	return string(out[:n])
}

var (
	utf8Text  = charset{name: "UTF-8"}
	utf16LE   = charset{name: "UTF-16", decoder: utf16Decoder(unicode.LittleEndian)}
	utf16BE   = charset{name: "UTF-16", decoder: utf16Decoder(unicode.BigEndian)}
	big5Text  = charset{name: "Big5", decoder: big5Decoder}
	gb18030CS = charset{name: "GB18030", decoder: decoderOf(simplifiedchinese.GB18030)}
)

// encodings are those that can be asked for, by [encodingName].
var encodings = map[string][]charset{
	"utf8":    {utf8Text},
	"utf16":   {utf16LE, utf16BE},
	"utf16le": {utf16LE},
	"utf16be": {utf16BE},
	"big5":    {big5Text},
	"cp950":   {big5Text},
	"gb18030": {gb18030CS},
	"gbk":     {gb18030CS},
	"gb2312":  {gb18030CS},
	"cp936":   {gb18030CS},
}

// encodingName writes the name of an encoding as in encodings.
func encodingName(s string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
}

func decoderOf(e encoding.Encoding) func() transform.Transformer {
	return func() transform.Transformer { return e.NewDecoder().Transformer }
}

func utf16Decoder(e unicode.Endianness) func() transform.Transformer {
	return decoderOf(unicode.UTF16(e, unicode.IgnoreBOM))
}

// big5Decoder decodes Big5 as Windows has it, which is code page 950: with the
// euro sign and ETEN's 碁銹裏墻恒粧嫺 and box drawing. It is the table of the
// WHATWG but for one character. What that table has where the code page leaves
// room for a user's own characters, the kana and numbers of ETEN and Hong
// Kong's characters, is what is found there in practice.
func big5Decoder() transform.Transformer {
	return transform.Chain(traditionalchinese.Big5.NewDecoder().Transformer, runes.Map(func(r rune) rune {
		if r == '\uFFED' {
			return '▓'
		}
		return r
	}))
}

// Marks that say how the text after them is encoded.
var (
	markUTF8    = []byte{0xEF, 0xBB, 0xBF}
	markUTF16LE = []byte{0xFF, 0xFE}
	markUTF16BE = []byte{0xFE, 0xFF}
)

// marked returns the encoding that b says it has.
func marked(b []byte) (charset, bool) {
	for _, m := range []struct {
		mark []byte
		cs   charset
	}{{markUTF8, utf8Text}, {markUTF16LE, utf16LE}, {markUTF16BE, utf16BE}} {
		if bytes.HasPrefix(b, m.mark) {
			m.cs.skip = len(m.mark)
			return m.cs, true
		}
	}
	return charset{}, false
}

// candidates returns the encodings that the start of a file may have. Where
// they are several, what decides is which of them makes sense.
func candidates(b []byte) []charset {
	if cs, ok := marked(b); ok {
		return []charset{cs}
	}
	// A stray zero byte is of one line, and is told with it.
	if bytes.Count(b, []byte{0})*50 > len(b) {
		return wide(b)
	}
	valid, invalid := countUTF8(b)
	// A few broken bytes among much UTF-8 are just that.
	if invalid == 0 || invalid*20 < valid {
		return []charset{utf8Text}
	}
	return []charset{big5Text, gb18030CS}
}

// wide returns the UTF-16 that b is without a mark: separators, digits and line
// ends have a zero in every second byte. None if b is not text.
func wide(b []byte) []charset {
	var zeros [2]int
	for i, c := range b {
		if c == 0 {
			zeros[i%2]++
		}
	}
	switch even, odd := zeros[0], zeros[1]; {
	case odd >= 8*even && odd*20 >= len(b):
		return []charset{utf16LE}
	case even >= 8*odd && even*20 >= len(b):
		return []charset{utf16BE}
	}
	return nil
}

// countUTF8 counts the characters of more than a byte in b, and the bytes that
// belong to none.
func countUTF8(b []byte) (valid, invalid int) {
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			b = b[1:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		switch {
		case r != utf8.RuneError || n > 1:
			valid++
		case !utf8.FullRune(b):
			return valid, invalid // the sample ends within a character
		default:
			invalid++
		}
		b = b[n:]
	}
	return valid, invalid
}

// afterASCII returns what of b to judge an encoding by: the first 64 KiB from
// the line that has the first byte that is not ASCII.
func afterASCII(b []byte) []byte {
	i := bytes.IndexFunc(b, func(r rune) bool { return r >= utf8.RuneSelf })
	if i < 0 {
		return nil
	}
	b = b[bytes.LastIndexByte(b[:i], '\n')+1:]
	return b[:min(len(b), 64<<10)]
}

// likely returns which of Big5 and GB18030 b is in by how common the characters
// would be, and whether either of them is likely.
func likely(b []byte) (charset, bool) {
	const enough = 0.5
	big5, gb := commonness(b, big5Score), commonness(b, gbScore)
	if gb > big5 {
		return gb18030CS, gb >= enough
	}
	return big5Text, big5 >= enough
}

// How likely a character is: both encodings have the common ones together.
const (
	commonChar   = 1
	rareChar     = 0
	unlikelyChar = -1
	noChar       = -4
)

// big5Score judges a character of Big5: the common ones are A440–C67E, the rare
// ones C940–F9FE, and what else there is was added by Hong Kong or by users.
func big5Score(lead, trail byte) int {
	switch {
	case lead < 0x81 || lead > 0xFE || trail < 0x40 || trail > 0x7E && trail < 0xA1 || trail > 0xFE:
		return noChar
	case lead >= 0xA1 && lead < 0xC6, lead == 0xC6 && trail < 0xA1:
		return commonChar
	case lead >= 0xC9 && lead <= 0xF9:
		return rareChar
	}
	return unlikelyChar
}

// gbScore judges a character of GB18030: the common ones are B0A1–D7FE, with
// punctuation and full-width letters; the rare ones those of GB 2312 and GBK,
// among which are the traditional ones.
func gbScore(lead, trail byte) int {
	switch {
	case lead < 0x81 || lead > 0xFE || trail < 0x30 || trail > 0x39 && trail < 0x40 || trail == 0x7F || trail == 0xFF:
		return noChar
	case trail >= 0xA1 && (lead >= 0xB0 && lead <= 0xD7 || lead == 0xA1 || lead == 0xA3):
		return commonChar
	case trail < 0x40 || trail >= 0xA1 && (lead >= 0xAA && lead <= 0xAF || lead >= 0xF8):
		return unlikelyChar
	}
	return rareChar
}

// commonness returns the mean score of the characters of two bytes.
func commonness(b []byte, score func(lead, trail byte) int) float64 {
	all, sum := 0, 0
	for i := 0; i+1 < len(b); i++ {
		if b[i] < utf8.RuneSelf {
			continue
		}
		all++
		n := score(b[i], b[i+1])
		sum += n
		if n != noChar {
			i++ // else the second byte stands for itself
		}
	}
	if all == 0 {
		return 0
	}
	return float64(sum) / float64(all)
}

package define

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// emitter writes nodes as block-style YAML that readers of YAML 1.1 and 1.2 understand alike.
type emitter struct{ strings.Builder }

// mapping writes the entries of a mapping, each on its own line at this indent. The first line is
// not indented if something stands before it already.
func (e *emitter) mapping(m *mapping, indent int, begun bool) {
	for i, key := range m.keys {
		if i > 0 || !begun {
			e.indent(indent)
		}
		e.WriteString(keyText(key))
		e.WriteByte(':')
		switch v := m.values[key].(type) {
		case *mapping:
			if len(v.keys) > 0 {
				e.WriteByte('\n')
				e.mapping(v, indent+2, false)
				continue
			}
		case sequence:
			if len(v) > 0 {
				e.WriteByte('\n')
				e.sequence(v, indent+2, false)
				continue
			}
		}
		e.WriteByte(' ')
		e.leaf(m.values[key], indent+2)
	}
}

// sequence writes the items of a sequence as mapping does entries.
func (e *emitter) sequence(s sequence, indent int, begun bool) {
	for i, item := range s {
		if i > 0 || !begun {
			e.indent(indent)
		}
		e.WriteString("- ")
		switch v := item.(type) {
		case *mapping:
			if len(v.keys) > 0 {
				e.mapping(v, indent+2, true)
				continue
			}
		case sequence:
			if len(v) > 0 {
				e.sequence(v, indent+2, true)
				continue
			}
		}
		e.leaf(item, indent+2)
	}
}

// leaf writes a value that has no children, and ends the line.
func (e *emitter) leaf(n node, indent int) {
	switch v := n.(type) {
	case nil:
		e.WriteString("null")
	case bool:
		fmt.Fprint(e, v)
	case json.Number:
		e.WriteString(numberText(v))
	case *mapping:
		e.WriteString("{}")
	case sequence:
		e.WriteString("[]")
	case string:
		if e.block(v, indent) {
			return
		}
		e.WriteString(scalarText(v))
	}
	e.WriteByte('\n')
}

// block writes a text of several lines as a literal block, if it can be one.
func (e *emitter) block(s string, indent int) bool {
	body, chomp := s, "-"
	if strings.HasSuffix(s, "\n") {
		body, chomp = s[:len(s)-1], ""
	}
	if !strings.Contains(body, "\n") || !blockSafe(body) {
		return false
	}
	e.WriteString("|" + chomp + "\n")
	for line := range strings.SplitSeq(body, "\n") {
		if line != "" {
			e.indent(indent)
			e.WriteString(line)
		}
		e.WriteByte('\n')
	}
	return true
}

func (e *emitter) indent(n int) { e.WriteString(strings.Repeat(" ", n)) }

// blockSafe says whether the lines of a text stay what they are in a literal block: nothing that
// needs an escape, nothing that could be taken for indentation, no blank line at either end.
func blockSafe(body string) bool {
	if strings.HasPrefix(body, "\n") || strings.HasSuffix(body, "\n") {
		return false
	}
	for line := range strings.SplitSeq(body, "\n") {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			// Deeper indentation is fine after a first line that sets the measure; a line of
			// nothing else is not.
			if strings.TrimLeft(line, " \t") == "" {
				return false
			}
		}
		for _, r := range line {
			if !plainRune(r) && r != '\t' {
				return false
			}
		}
	}
	return body[0] != ' ' && body[0] != '\t'
}

func keyText(key string) string { return scalarText(key) }

// scalarText writes a text on one line: plain if no reader can take it for anything else, else in
// single quotes, or in double quotes if it needs escapes.
func scalarText(s string) string {
	if plainSafe(s) {
		return s
	}
	for _, r := range s {
		if !plainRune(r) {
			return doubleQuoted(s)
		}
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// plainRune says whether a character may stand unescaped in YAML 1.1 and 1.2.
func plainRune(r rune) bool {
	return r == ' ' || r != utf8.RuneError && r != '\ufeff' && unicode.IsPrint(r)
}

func plainSafe(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	if !unicode.IsLetter(first) && !strings.ContainsRune("_/$<(", first) {
		return false // empty, a number, a date, or an indicator
	}
	if reserved[strings.ToLower(s)] || strings.HasSuffix(s, " ") || strings.HasSuffix(s, ":") {
		return false
	}
	if strings.Contains(s, ": ") || strings.Contains(s, " #") {
		return false
	}
	for _, r := range s {
		if !plainRune(r) {
			return false
		}
	}
	return true
}

// reserved is the words that some version of YAML takes for a value other than text.
var reserved = map[string]bool{
	"y": true, "n": true, "yes": true, "no": true, "on": true, "off": true,
	"true": true, "false": true, "null": true, "<<": true,
}

func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case plainRune(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

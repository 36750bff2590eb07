package define

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A node is one value of a document: a string, json.Number, bool, nil, sequence or *mapping.
type node any

type sequence []node

// mapping keeps its keys in order.
type mapping struct {
	keys   []string
	values map[string]node
}

func newMapping() *mapping { return &mapping{values: map[string]node{}} }

func (m *mapping) set(key string, value node) {
	if _, ok := m.values[key]; !ok {
		m.keys = append(m.keys, key)
	}
	m.values[key] = value
}

// nodeFrom makes a node of any Go value, by way of its JSON: fields of structs keep their order,
// keys of maps are sorted.
func nodeFrom(v any) (node, error) {
	if s, ok := v.(string); ok { // encoding/json would mend invalid text silently
		return s, checkText(s)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return decodeNode(dec)
}

func checkText(s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%q is not UTF-8", s)
	}
	return nil
}

func decodeNode(dec *json.Decoder) (node, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if delim == '[' {
		list := sequence{}
		for dec.More() {
			item, err := decodeNode(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		return list, skipDelim(dec)
	}
	object := newMapping()
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		value, err := decodeNode(dec)
		if err != nil {
			return nil, err
		}
		object.set(key.(string), value) // the decoder lets only strings through here
	}
	return object, skipDelim(dec)
}

func skipDelim(dec *json.Decoder) error {
	_, err := dec.Token()
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// strings makes a sequence of texts.
func texts(list []string) sequence {
	out := make(sequence, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// numberText writes a JSON number so that YAML 1.1 reads a number, too: it wants a dot in the
// mantissa and a sign in the exponent.
func numberText(n json.Number) string {
	mantissa, exponent, found := strings.Cut(strings.ToLower(n.String()), "e")
	if !found {
		return n.String()
	}
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	if exponent[0] != '-' && exponent[0] != '+' {
		exponent = "+" + exponent
	}
	return mantissa + "e" + exponent
}

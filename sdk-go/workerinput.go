package autan

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// inputShape knows the parameters of an action, if its input is a struct.
type inputShape struct {
	parameters []InputParameter
	strict     bool            // other fields are wrong
	exact      map[string]bool // parameters whose letters must be in the same case
	defaults   []byte          // object of the defaults; nil without any
}

// inputDecoder derives the parameters from the type of the input.
//
// Errors: a tag that is not understood.
func inputDecoder[In any]() (*inputShape, error) {
	shape := &inputShape{exact: map[string]bool{}}
	t := reflect.TypeFor[In]()
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	unmarshaler := reflect.TypeFor[json.Unmarshaler]()
	if t.Kind() != reflect.Struct || isPayload(t) || reflect.PointerTo(t).Implements(unmarshaler) {
		return shape, nil
	}
	shape.strict = true
	if err := shape.add(t); err != nil {
		return shape, err
	}
	defaults := map[string]json.RawMessage{}
	for _, p := range shape.parameters {
		if p.Default != nil {
			defaults[p.Name] = p.Default.JSON
		}
	}
	if len(defaults) > 0 {
		shape.defaults, _ = json.Marshal(defaults) // checked when the tags were read
		if err := json.Unmarshal(shape.defaults, reflect.New(t).Interface()); err != nil {
			return shape, fmt.Errorf("autan: the defaults of %s: %w", t, err)
		}
	}
	return shape, nil
}

func isPayload(t reflect.Type) bool {
	return t == reflect.TypeFor[Payload]() || t == reflect.TypeFor[Binary]()
}

// add takes over the fields of a struct, and of those embedded in it.
func (s *inputShape) add(t reflect.Type) error {
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Tag.Get("json") == "-" {
			continue
		}
		if field.Anonymous && name == "" {
			inner := field.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				if err := s.add(inner); err != nil {
					return err
				}
				continue
			}
		}
		if !field.IsExported() {
			continue
		}
		exact := name != ""
		if !exact {
			name = field.Name
		}
		s.exact[name] = exact
		p := InputParameter{Name: name}
		given, has := strings.CutPrefix(field.Tag.Get("autan"), "default=")
		optional := slices.ContainsFunc(strings.Split(options, ","), func(o string) bool {
			return o == "omitempty" || o == "omitzero"
		})
		switch {
		case has && !json.Valid([]byte(given)):
			return fmt.Errorf("autan: the default of %s.%s is not JSON: %s", t, field.Name, given)
		case has:
			p.Default = &Payload{JSON: json.RawMessage(given)}
		case field.Tag.Get("autan") != "":
			return fmt.Errorf("autan: the tag of %s.%s is not understood: %s", t, field.Name,
				field.Tag.Get("autan"))
		default:
			p.Required = !optional && field.Type.Kind() != reflect.Pointer
		}
		s.parameters = append(s.parameters, p)
	}
	return nil
}

// into decodes the input of a task. Its errors name the field.
func (s *inputShape) into(input *Payload, target any) error {
	switch target := target.(type) {
	case *Payload:
		if input != nil {
			*target = *input
		}
		return nil
	case **Payload:
		*target = input
		return nil
	}
	if input == nil || input.JSON == nil && input.Binary == nil && input.Ref == nil {
		input = &Payload{JSON: json.RawMessage("{}")}
	}
	var fields map[string]json.RawMessage
	if s.strict {
		if err := input.Decode(&fields); err != nil {
			return fmt.Errorf("the input is not an object: %w", err)
		}
		if err := s.compare(fields); err != nil {
			return err
		}
	}
	if s.defaults != nil {
		if err := json.Unmarshal(s.defaults, target); err != nil {
			return err
		}
	}
	if err := input.Decode(target); err != nil {
		return misfit(err, fields, reflect.TypeOf(target).Elem())
	}
	return nil
}

// misfit says which field does not fit.
func misfit(err error, fields map[string]json.RawMessage, t reflect.Type) error {
	const text = "the input does not fit the action: "
	var fault *json.UnmarshalTypeError
	if errors.As(err, &fault) && fault.Field != "" {
		return fmt.Errorf(text+"field %q is a %s, want %s", fault.Field, fault.Value, fault.Type)
	}
	// Errors of types that decode themselves do not tell: find the field that does it alone.
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		single, fault := json.Marshal(map[string]json.RawMessage{name: fields[name]})
		if fault != nil {
			continue
		}
		if json.Unmarshal(single, reflect.New(t).Interface()) != nil {
			return fmt.Errorf(text+"field %q: %w", name, err)
		}
	}
	return fmt.Errorf(text+"%w", err)
}

// compare finds the fields that are missing or not known.
func (s *inputShape) compare(fields map[string]json.RawMessage) error {
	var missing, unexpected []string
	for _, p := range s.parameters {
		if p.Required && !s.given(p.Name, fields) {
			missing = append(missing, p.Name)
		}
	}
	for name := range fields {
		known := slices.ContainsFunc(s.parameters, func(p InputParameter) bool {
			return p.Name == name || !s.exact[p.Name] && strings.EqualFold(p.Name, name)
		})
		if !known {
			unexpected = append(unexpected, name)
		}
	}
	slices.Sort(unexpected)
	var texts []string
	if len(missing) > 0 {
		texts = append(texts, "missing: "+strings.Join(missing, ", "))
	}
	if len(unexpected) > 0 {
		texts = append(texts, "unexpected: "+strings.Join(unexpected, ", "))
	}
	if texts == nil {
		return nil
	}
	return errors.New("the input does not fit the action: " + strings.Join(texts, "; "))
}

// given reports whether a parameter has a value; encoding/json finds fields without a tag by any
// case of letters.
func (s *inputShape) given(name string, fields map[string]json.RawMessage) bool {
	if _, ok := fields[name]; ok || s.exact[name] {
		return ok
	}
	for field := range fields {
		if strings.EqualFold(field, name) {
			return true
		}
	}
	return false
}

// encodeSound makes a payload that can be sent for certain, null of nil. It turns the panic of a
// MarshalJSON into an error.
func encodeSound(v any) (out *pb.Payload, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("autan: encode payload: panic: %v", p)
		}
	}()
	if out, err = encodePayload(v); err != nil {
		return nil, err
	}
	if out == nil || out.GetEncoding() == nil {
		return nullPayload, nil
	}
	switch v.(type) {
	case Payload, *Payload:
		if text := out.GetJson(); text != "" && !json.Valid([]byte(text)) {
			return nil, errors.New("autan: encode payload: the text is not JSON")
		}
	}
	texts := []string{out.GetJson(), out.GetBinary().GetContentType(), out.GetRef().GetUri()}
	for key, value := range out.GetMetadata() {
		texts = append(texts, key, value)
	}
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return nil, errors.New("autan: encode payload: the text is not valid UTF-8")
		}
	}
	return out, nil
}

package autan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"

	"google.golang.org/protobuf/encoding/protojson"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Payload is a value that the server keeps: an input, an output, a result.
//
// At most one of JSON, Binary and Ref is set; none of them means JSON null. A nil *Payload means
// that the server sent none: there is none yet, or the view leaves payloads out.
type Payload struct {
	// JSON is the text of the value. Limits: 1 MiB, nesting of 128.
	JSON json.RawMessage
	// Binary holds bytes that the server never looks into.
	Binary *Binary
	// Ref names data that is stored elsewhere. No server of this version sends or takes it.
	Ref *PayloadRef
	// Metadata carries hints of a codec of yours, such as a key id. The server keeps it and never
	// interprets it.
	Metadata map[string]string
}

// Binary is opaque bytes with their type. An expression passes them on, but fails if it reads
// inside. Within another value it is written as JSON in the form that the server knows as binary
// data, {"$binary": {"contentType": …, "base64": …}}, and read from it.
type Binary struct {
	// ContentType is the media type, such as "application/cbor".
	ContentType string
	// Data is the bytes; in their JSON form (a third longer) at most 1 MiB.
	Data []byte
	// Metadata carries hints, as [Payload.Metadata] does, with bytes within another value.
	Metadata map[string]string
}

// binaryJSON is the form in which bytes stand within JSON.
type binaryJSON struct {
	Binary *binaryFields `json:"$binary"`
}

type binaryFields struct {
	ContentType string            `json:"contentType"`
	Base64      []byte            `json:"base64"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (b Binary) MarshalJSON() ([]byte, error) {
	data := append([]byte{}, b.Data...) // never nil, which would be null
	return json.Marshal(binaryJSON{&binaryFields{b.ContentType, data, b.Metadata}})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (b *Binary) UnmarshalJSON(text []byte) error {
	var form binaryJSON
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&form); err != nil {
		return fmt.Errorf("autan: decode binary: %w", err)
	}
	if form.Binary == nil || form.Binary.Base64 == nil {
		return errors.New("autan: decode binary: the value has no \"$binary\" with \"base64\"")
	}
	*b = Binary{form.Binary.ContentType, form.Binary.Base64, form.Binary.Metadata}
	return nil
}

// PayloadRef is a reference to data outside the message.
type PayloadRef struct {
	// URI says where the data is.
	URI string
	// SHA256 is the hash of the data, 32 bytes.
	SHA256 []byte
	// SizeBytes is the size of the data.
	SizeBytes int64
	// ContentType is the media type of the data.
	ContentType string
}

// ErrNotJSON is returned, wrapped, by Decode for payloads that hold no JSON.
var ErrNotJSON = errors.New("payload is not JSON")

// Decode decodes the JSON of the payload into v as [json.Unmarshal] does, but numbers in untyped
// targets become [json.Number], so that large integers stay exact. A nil payload decodes as null.
//
// Errors: [ErrNotJSON] for binary payloads, unless v is a *[Binary], and for references, otherwise
// those of encoding/json.
func (p *Payload) Decode(v any) error {
	text := []byte("null")
	if p != nil {
		switch {
		case p.Binary != nil:
			if whole, ok := v.(*Binary); ok {
				*whole = *p.Binary
				whole.Metadata = p.Metadata
				return nil
			}
			return fmt.Errorf("autan: %w but binary of type %q", ErrNotJSON, p.Binary.ContentType)
		case p.Ref != nil:
			return fmt.Errorf("autan: %w but a reference to %q", ErrNotJSON, p.Ref.URI)
		case p.JSON != nil:
			text = p.JSON
		}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("autan: decode payload: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("autan: decode payload: data after the JSON value")
	}
	return nil
}

// Decode returns the JSON of the payload as a T, see [Payload.Decode].
func Decode[T any](p *Payload) (T, error) {
	var out T
	err := p.Decode(&out)
	return out, err
}

// String returns the JSON text, or a short description of what else the payload holds.
func (p *Payload) String() string {
	switch {
	case p == nil:
		return "<none>"
	case p.Binary != nil:
		return fmt.Sprintf("<%d bytes of %s>", len(p.Binary.Data), p.Binary.ContentType)
	case p.Ref != nil:
		return fmt.Sprintf("<reference to %s>", p.Ref.URI)
	case p.JSON == nil:
		return "null"
	}
	return string(p.JSON)
}

// encodePayload makes a payload of anything: nil is no payload, [Payload] and [Binary] are taken as
// they are, the rest goes through encoding/json.
func encodePayload(v any) (*pb.Payload, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case *Payload:
		if v == nil {
			return nil, nil
		}
		return v.proto(), nil
	case Payload:
		return v.proto(), nil
	case *Binary:
		if v == nil {
			return nil, nil
		}
		return (&Payload{Binary: v, Metadata: v.Metadata}).proto(), nil
	case Binary:
		return (&Payload{Binary: &v, Metadata: v.Metadata}).proto(), nil
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // the server keeps the text as it comes, so expressions stay readable
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("autan: encode payload: %w", err)
	}
	text := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	return &pb.Payload{Encoding: &pb.Payload_Json{Json: string(text)}}, nil
}

func (p *Payload) proto() *pb.Payload {
	out := &pb.Payload{Metadata: p.Metadata}
	switch {
	case p.Binary != nil:
		b := &pb.Binary{ContentType: p.Binary.ContentType, Data: p.Binary.Data}
		out.Encoding = &pb.Payload_Binary{Binary: b}
	case p.Ref != nil:
		out.Encoding = &pb.Payload_Ref{Ref: &pb.PayloadRef{
			Uri:         p.Ref.URI,
			Sha256:      p.Ref.SHA256,
			SizeBytes:   p.Ref.SizeBytes,
			ContentType: p.Ref.ContentType,
		}}
	case p.JSON != nil:
		out.Encoding = &pb.Payload_Json{Json: string(p.JSON)}
	}
	return out
}

func payloadFrom(p *pb.Payload) *Payload {
	if p == nil {
		return nil
	}
	out := &Payload{Metadata: maps.Clone(p.GetMetadata())}
	switch e := p.GetEncoding().(type) {
	case *pb.Payload_Json:
		out.JSON = json.RawMessage(e.Json)
	case *pb.Payload_Value:
		// This client never asks for the arm; it is still what a proxy might have made of the text.
		// Values that JSON cannot say (NaN) are no payloads, so there is no error to tell.
		if text, err := protojson.Marshal(e.Value); err == nil {
			out.JSON = text
		}
	case *pb.Payload_Binary:
		b := e.Binary
		out.Binary = &Binary{ContentType: b.GetContentType(), Data: b.GetData()}
	case *pb.Payload_Ref:
		r := e.Ref
		out.Ref = &PayloadRef{
			URI:         r.GetUri(),
			SHA256:      r.GetSha256(),
			SizeBytes:   r.GetSizeBytes(),
			ContentType: r.GetContentType(),
		}
	}
	return out
}

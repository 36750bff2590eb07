package autan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

type shortage struct{ item string }

func (s *shortage) Error() string { return "no " + s.item }

type valueError struct{ cause error }

func (e valueError) Error() string { return "value: " + e.cause.Error() }
func (e valueError) Unwrap() error { return e.cause }

type nilHostile struct{ text string }

func (e *nilHostile) Error() string { return e.text }

// described writes a chain of failures as one line.
func described(f *Failure) string {
	if f == nil {
		return ""
	}
	text := f.Type + ": " + f.Message
	if f.Cause != nil {
		text += " < " + described(f.Cause)
	}
	return text
}

func TestActionErrors(t *testing.T) {
	tea := &shortage{"tea"}
	for _, c := range []struct {
		name  string
		err   error
		want  string
		final bool
		after time.Duration
		more  string // details
	}{
		{name: "plain", err: errors.New("no"), want: "error: no"},
		{name: "typed", err: tea, want: "shortage: no tea"},
		{name: "value", err: valueError{tea}, want: "valueError: value: no tea < shortage: no tea"},
		{name: "wrapped", err: fmt.Errorf("reserve: %w", tea),
			want: "shortage: reserve: no tea < shortage: no tea"},
		{name: "joined", err: errors.Join(tea, errors.New("b")),
			want: "shortage: no tea\nb < shortage: no tea"},
		{name: "for good", err: NonRetryable(tea), want: "shortage: no tea", final: true},
		{name: "later", err: RetryAfter(time.Minute, tea), want: "shortage: no tea",
			after: time.Minute},
		{name: "marked within", err: fmt.Errorf("reserve: %w", NonRetryable(tea)),
			want: "shortage: reserve: no tea < shortage: no tea", final: true},
		{name: "marked in a join", err: errors.Join(errors.New("a"), NonRetryable(tea)),
			want: "error: a\nno tea < error: a", final: true},
		{name: "both marks", err: NonRetryable(RetryAfter(time.Second, tea)),
			want: "shortage: no tea", final: true, after: time.Second},
		{name: "whole", err: &ActionError{Type: "Sold", Message: "sold out",
			Details: map[string]int{"left": 0}, Cause: tea},
			want: "Sold: sold out < shortage: no tea", more: `{"left":0}`},
		{name: "details within", err: NonRetryable(&ActionError{Details: 1, Type: "X"}),
			want: "X: X", final: true, more: "1"},
		{name: "bad details", err: &ActionError{Type: "X", Details: func() {}},
			want: "X: X (details: autan: encode payload: json: unsupported type: func())"},
		{name: "empty", err: &ActionError{}, want: "error: the action failed"},
		{name: "nil pointer", err: (*nilHostile)(nil), want: "nilHostile: *autan.nilHostile"},
		{name: "not UTF-8", err: errors.New("a\xffb"), want: "error: a\uFFFDb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := NewHandler("x", func(context.Context, any) (any, error) { return nil, c.err })
			out, err := (&ActionTester{}).Run(t.Context(), h, nil)
			if err != nil {
				t.Fatal(err)
			}
			details := ""
			if out.Failure != nil && out.Failure.Details != nil {
				details = out.Failure.Details.String()
			}
			if got := described(out.Failure); got != c.want || out.NonRetryable != c.final ||
				out.RetryAfter != c.after || details != c.more {
				t.Errorf("got %q, %v, %v, %q", got, out.NonRetryable, out.RetryAfter, details)
			}
		})
	}
}

func TestActionErrorsAreBounded(t *testing.T) {
	err := errors.New(strings.Repeat("ü", messageMax))
	for range 20 {
		err = valueError{err}
	}
	f := failureOf(err).GetFailure()
	depth := 0
	for next := f; next != nil; next = next.GetCause() {
		depth++
		if len(next.GetMessage()) > messageMax || !utf8.ValidString(next.GetMessage()) ||
			!strings.Contains(next.GetMessage(), cutMark) {
			t.Errorf("got a message of %d bytes", len(next.GetMessage()))
		}
	}
	if depth != causesMax {
		t.Errorf("%d deep", depth)
	}
	for limit := len(cutMark); limit < 40; limit++ {
		got := cutMiddle(strings.Repeat("aü", 30), limit)
		if len(got) > limit || !utf8.ValidString(got) || !strings.HasPrefix(got, "a") && limit > 7 {
			t.Errorf("%d: got %q", limit, got)
		}
		if got := cutEnd(strings.Repeat("ü", 30), limit); len(got) > limit || !utf8.ValidString(got) {
			t.Errorf("%d: got %q", limit, got)
		}
	}
}

func TestPanicsAreFailures(t *testing.T) {
	for _, c := range []struct {
		name string
		fn   func()
		want string
	}{
		{"text", func() { panic("oh") }, "panic: panic: oh"},
		{"error", func() { panic(&shortage{"tea"}) }, "panic: panic: no tea < shortage: no tea"},
		{"goexit", runtime.Goexit, "panic: the goroutine of the action ended without returning"},
	} {
		h := NewHandler("x", func(context.Context, any) (any, error) { c.fn(); return nil, nil })
		out, err := (&ActionTester{}).Run(t.Context(), h, nil)
		if err != nil || described(out.Failure) != c.want || out.NonRetryable ||
			!strings.Contains(out.Failure.Stack, "workeraction_test.go") ||
			len(out.Failure.Stack) > stackMax {
			t.Errorf("%s: got %+v, %v", c.name, out.Failure, err)
		}
	}
}

type embedded struct {
	Region string `json:"region,omitempty"`
}

type reserve struct {
	embedded
	Item    string          `json:"item"`
	Count   int             `json:"count" autan:"default=1"`
	Note    *string         `json:"note"`
	When    time.Time       `json:"when,omitzero"`
	Raw     json.RawMessage `json:"raw,omitempty"`
	Any     any             `json:"any,omitempty"`
	Untied  int             `autan:"default=0"`
	Skipped int             `json:"-"`
	hidden  int
}

func TestInputOfStructs(t *testing.T) {
	h := NewHandler("x", func(_ context.Context, in reserve) (string, error) {
		in.hidden = 1
		return fmt.Sprintf("%s %s %d %s %v %d", in.Region, in.Item, in.Count, in.Raw, in.Any,
			in.Untied), nil
	})
	var names []string
	for _, p := range h.Parameters() {
		text := p.Name
		if p.Required {
			text += "!"
		}
		if p.Default != nil {
			text += "=" + p.Default.String()
		}
		names = append(names, text)
	}
	want := []string{"region", "item!", "count=1", "note", "when", "raw", "any", "Untied=0"}
	if !reflect.DeepEqual(names, want) {
		t.Errorf("got parameters %v", names)
	}
	for _, c := range []struct{ input, want string }{
		{`{"item": "tea"}`, `" tea 1  <nil> 0"`},
		{`{"item": "tea", "count": 3, "region": "eu", "raw": [1, 2], "untied": 5,
			"any": 9007199254740993}`, `"eu tea 3 [1,2] 9007199254740993 5"`},
		{`{}`, "missing: item"},
		{`{"item": "tea", "cuont": 3, "a": 1}`, "unexpected: a, cuont"},
		{`{"cuont": 3}`, "missing: item; unexpected: cuont"},
		{`{"ITEM": "tea"}`, "missing: item; unexpected: ITEM"},
		{`{"item": 5}`, `field "item" is a number, want string`},
		{`{"item": "tea", "count": 1.5}`, `field "count" is a number 1.5, want int`},
		{`{"item": "tea", "when": "soon"}`, `field "when": `},
		{`[1]`, "not an object"},
	} {
		out, err := (&ActionTester{}).Run(t.Context(), h, json.RawMessage(c.input))
		if err != nil {
			t.Fatal(err)
		}
		if out.Output != nil && out.Output.String() == c.want {
			continue
		}
		if out.Failure == nil || out.Failure.Type != FailureInvalidInput || !out.NonRetryable ||
			!strings.Contains(out.Failure.Message, c.want) {
			t.Errorf("%s: got %v, %+v", c.input, out.Output, out.Failure)
		}
	}
}

type ownInput struct{ text string }

func (o *ownInput) UnmarshalJSON(b []byte) error {
	o.text = string(b)
	return nil
}

func TestInputOfOtherTypes(t *testing.T) {
	const input = `{"n":1}`
	for name, h := range map[string]*Handler{
		"map":     passing[map[string]any](),
		"any":     passing[any](),
		"raw":     passing[json.RawMessage](),
		"payload": passing[*Payload](),
		"value":   passing[Payload](),
		"pointer": passing[*struct {
			N int `json:"n"`
		}](),
	} {
		out, err := (&ActionTester{}).Run(t.Context(), h, json.RawMessage(input))
		if err != nil || out.Failure != nil || out.Output.String() != input {
			t.Errorf("%s: got %+v, %v", name, out, err)
		}
	}
	own := NewHandler("x", func(_ context.Context, in ownInput) (string, error) {
		return in.text, nil
	})
	out, err := (&ActionTester{}).Run(t.Context(), own, json.RawMessage(input))
	if err != nil || out.Output.String() != `"{\"n\":1}"` {
		t.Errorf("got %+v, %v", out, err)
	}
	none := NewHandler("x", func(context.Context, struct{}) (any, error) { return nil, nil })
	if out, err := (&ActionTester{}).Run(t.Context(), none, nil); err != nil ||
		out.Failure != nil || out.Output.String() != "null" {
		t.Errorf("got %+v, %v", out, err)
	}
}

// passing makes an action that gives back its input.
func passing[T any]() *Handler {
	return NewHandler("x", func(_ context.Context, in T) (T, error) { return in, nil })
}

type hostile struct{}

func (hostile) MarshalJSON() ([]byte, error) { panic("oh") }

func TestOutput(t *testing.T) {
	for _, c := range []struct {
		name string
		out  any
		want string
	}{
		{"nil", nil, "null"},
		{"nil pointer", (*Payload)(nil), "null"},
		{"text", "<a>", `"<a>"`},
		{"bytes", Binary{ContentType: "image/png", Data: []byte{1}}, "<1 bytes of image/png>"},
		{"channel", make(chan int), "! unsupported type"},
		{"panic", hostile{}, "! panic: oh"},
		{"not UTF-8", json.RawMessage("\"\xff\""), "! UTF-8"},
		{"not JSON", Payload{JSON: json.RawMessage("{")}, "! not JSON"},
	} {
		h := NewHandler("x", func(context.Context, any) (any, error) { return c.out, nil })
		got, err := (&ActionTester{}).Run(t.Context(), h, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, isFault := strings.CutPrefix(c.want, "! ")
		switch {
		case !isFault && (got.Failure != nil || got.Output.String() != text):
			t.Errorf("%s: got %+v", c.name, got)
		case isFault && (got.Failure == nil || got.Failure.Type != FailureInvalidOutput ||
			!got.NonRetryable || !strings.Contains(got.Failure.Message, text)):
			t.Errorf("%s: got %+v", c.name, got.Failure)
		}
	}
}

func TestActionTester(t *testing.T) {
	var logged bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tester := &ActionTester{
		Task:        Task{Attempt: 2, ExecutionUID: "e1"},
		Progress:    map[string]int{"step": 1},
		OnHeartbeat: func(*Payload) { cancel() },
		Logger:      slog.New(slog.NewTextHandler(&logged, nil)),
	}
	var seen *Task
	var cause error
	h := NewHandler("slow", func(ctx context.Context, _ struct{}) (any, error) {
		seen = CurrentTask(ctx)
		Logger(ctx).Info("here")
		if err := Heartbeat(ctx, strings.Repeat("x", progressMax)); !IsReason(err,
			ReasonPayloadTooLarge) {
			return nil, fmt.Errorf("got %w", err)
		}
		if err := Heartbeat(ctx, func() {}); !IsReason(err, ReasonPayloadInvalid) {
			return nil, fmt.Errorf("got %w", err)
		}
		if err := Heartbeat(ctx, 7); err != nil {
			return nil, err
		}
		<-ctx.Done()
		cause = Heartbeat(ctx, 8)
		return "late", nil
	}, WithStartToClose(time.Hour))
	out, err := tester.Run(ctx, h, nil)
	if err != nil {
		t.Fatal(err)
	}
	if out.Failure == nil || out.Failure.Type != FailureCancelled || len(out.Heartbeats) != 1 ||
		out.Heartbeats[0].String() != "7" || !errors.Is(cause, ErrCancelled) {
		t.Errorf("got %+v, %v", out, cause)
	}
	if seen.Attempt != 2 || seen.Delivery != 1 || seen.Action != "slow" || seen.Deadline.IsZero() ||
		seen.IdempotencyKey == "" || seen.Progress.String() != `{"step":1}` {
		t.Errorf("got %+v", seen)
	}
	if !strings.Contains(logged.String(), "execution_uid=e1") {
		t.Errorf("logged %s", logged.String())
	}
	deferring := NewHandler("x", func(context.Context, any) (any, error) {
		return nil, fmt.Errorf("waiting for Ada: %w", ErrDeferred)
	})
	if out, err := tester.Run(t.Context(), deferring, nil); err != nil || !out.Deferred ||
		out.Failure != nil {
		t.Errorf("got %+v, %v", out, err)
	}
	if CurrentTask(t.Context()) != nil || Logger(t.Context()) != slog.Default() ||
		Heartbeat(t.Context(), nil) == nil {
		t.Error("there is a task outside of an action")
	}
	if _, err := tester.Run(t.Context(), NewHandler("", passing[any]().invoke), nil); err == nil {
		t.Error("a handler without a name runs")
	}
}

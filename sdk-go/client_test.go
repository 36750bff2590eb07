package autan

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

func TestSplitAddress(t *testing.T) {
	for _, c := range []struct {
		addr, target string
		secure, ok   bool
	}{
		{"localhost:7233", "localhost:7233", false, true},
		{"http://127.0.0.1:7233", "127.0.0.1:7233", false, true},
		{"http://[::1]:7233/", "[::1]:7233", false, true},
		{"https://autan.example", "autan.example:443", true, true},
		{"http://autan.example", "autan.example:80", false, true},
		{"dns:///autan.example:1", "dns:///autan.example:1", false, true},
		{"", "", false, false},
		{"http://", "", false, false},
		{"http://host:1/path", "", false, false},
		{"https://user@host", "", false, false},
		{"http://bad host", "", false, false},
	} {
		target, secure, err := splitAddress(c.addr)
		if target != c.target || secure != c.secure || (err == nil) != c.ok {
			t.Errorf("%q: got %q, %v, %v", c.addr, target, secure, err)
		}
	}
}

func TestDialReportsThatNobodyAnswers(t *testing.T) {
	_, err := Dial(t.Context(), "127.0.0.1:1", WithDialTimeout(50*time.Millisecond))
	var e *Error
	if !errors.As(err, &e) || e.Code != codes.DeadlineExceeded {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(err.Error(), "connect") {
		t.Errorf("the error does not say what is wrong: %v", err)
	}
	lazy, err := Dial(t.Context(), "127.0.0.1:1", WithLazyDial(), WithTLS(&tls.Config{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := lazy.Close(); err != nil {
		t.Error(err)
	}
}

func TestDialReportsWrongToken(t *testing.T) {
	f := newFake()
	on(f, "SystemService/GetServerInfo", func(
		context.Context, *pb.GetServerInfoRequest,
	) (*pb.GetServerInfoResponse, error) {
		return nil, status.Error(codes.Unauthenticated, "who are you?")
	})
	c := dialFake(t, f, WithLazyDial())
	if err := c.waitReady(t.Context(), time.Second); !isCode(err, codes.Unauthenticated) {
		t.Errorf("got %v", err)
	}
}

func TestCallsCarryProjectCallerAndToken(t *testing.T) {
	f := newFake()
	var headers metadata.MD
	on(f, "ExecutionService/GetExecution", func(
		ctx context.Context, req *pb.GetExecutionRequest,
	) (*pb.GetExecutionResponse, error) {
		headers, _ = metadata.FromIncomingContext(ctx)
		return &pb.GetExecutionResponse{Execution: &pb.Execution{Project: req.GetProject()}}, nil
	})
	c := dialFake(t, f, WithProject("orders"), WithToken("secret"),
		WithCallerIdentity("the night shift"))
	info, err := c.GetExecution(t.Context(), "x")
	if err != nil || info.Project != "orders" || c.Project() != "orders" {
		t.Fatalf("got %v, %v", info, err)
	}
	for key, want := range map[string]string{
		"autan-project": "orders", "authorization": "Bearer secret",
		"autan-identity": "the night shift",
		"user-agent":     "autan-go/" + Version,
	} {
		if got := strings.Join(headers.Get(key), ","); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
}

func TestCallersNameThemselvesInPrintableASCII(t *testing.T) {
	long := strings.Repeat("x", 201)
	for identity, fit := range map[string]bool{
		"": true, "the night shift": true, long[1:]: true,
		long: false, "a\tb": false, "zo\u00eb": false,
	} {
		_, err := Dial(t.Context(), "localhost:1", WithLazyDial(), WithCallerIdentity(identity))
		if (err == nil) != fit {
			t.Errorf("%q: got %v", identity, err)
		}
	}
	if name := callerIdentity(); checkIdentity(name) != nil ||
		!strings.HasSuffix(name, fmt.Sprintf("/%d", os.Getpid())) {
		t.Errorf("got %q", name)
	}
}

// Each case is what the server answers, call by call, and what comes out.
func TestRetries(t *testing.T) {
	unavailable := fail(codes.Unavailable, ReasonStoreUnavailable)
	retryInfo := func(d time.Duration) *errdetails.RetryInfo {
		return &errdetails.RetryInfo{RetryDelay: durationpb.New(d)}
	}
	overload := fail(codes.ResourceExhausted, ReasonOverloaded, retryInfo(time.Millisecond))
	for name, c := range map[string]struct {
		answers []error
		calls   int
		code    codes.Code
	}{
		"at once":        {nil, 1, codes.OK},
		"unavailable":    {[]error{unavailable, unavailable, unavailable}, 4, codes.OK},
		"too often":      {slices.Repeat([]error{unavailable}, 9), 4, codes.Unavailable},
		"overload":       {[]error{overload}, 2, codes.OK},
		"quota":          {[]error{fail(codes.ResourceExhausted, "")}, 1, codes.ResourceExhausted},
		"aborted":        {[]error{fail(codes.Aborted, ReasonETagMismatch)}, 1, codes.Aborted},
		"deadline":       {[]error{fail(codes.DeadlineExceeded, "")}, 1, codes.DeadlineExceeded},
		"internal":       {[]error{fail(codes.Internal, ReasonInternal)}, 1, codes.Internal},
		"unknown":        {[]error{errors.New("plain")}, 1, codes.Unknown},
		"then something": {[]error{unavailable, fail(codes.NotFound, "")}, 2, codes.NotFound},
		"asks for too long": {
			[]error{fail(codes.Unavailable, "", retryInfo(time.Hour))}, 1, codes.Unavailable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			answers := c.answers
			on(f, "ExecutionService/StartExecution", func(
				context.Context, *pb.StartExecutionRequest,
			) (*pb.StartExecutionResponse, error) {
				if len(answers) > 0 {
					err := answers[0]
					answers = answers[1:]
					return nil, err
				}
				return &pb.StartExecutionResponse{Started: true}, nil
			})
			_, err := dialFake(t, f).Start(t.Context(), "w", nil)
			if status.Code(err) != c.code {
				t.Errorf("got %v, want %v", err, c.code)
			}
			sent := requests[*pb.StartExecutionRequest](f)
			if len(sent) != c.calls {
				t.Fatalf("%d calls, want %d", len(sent), c.calls)
			}
			for _, req := range sent {
				if req.GetRequestId() == "" || req.GetRequestId() != sent[0].GetRequestId() {
					t.Errorf("request ids %q and %q", req.GetRequestId(), sent[0].GetRequestId())
				}
			}
		})
	}
}

func TestRetryDoesNotOutlastTheContext(t *testing.T) {
	f := newFake()
	on(f, "ExecutionService/GetExecution", func(
		context.Context, *pb.GetExecutionRequest,
	) (*pb.GetExecutionResponse, error) {
		return nil, fail(codes.Unavailable, "", &errdetails.RetryInfo{
			RetryDelay: durationpb.New(90 * time.Millisecond),
		})
	})
	c := dialFake(t, f)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := c.GetExecution(ctx, "x")
	if !IsUnavailable(err) || !IsRetryable(err) || ctx.Err() != nil {
		t.Errorf("got %v, context %v", err, ctx.Err())
	}
}

func TestRetryBudget(t *testing.T) {
	b := retryBudget{tokens: budgetMax}
	allowed := 0
	for b.failed() {
		allowed++
	}
	if allowed != 49 {
		t.Errorf("%d retries without any success", allowed)
	}
	for range 15 {
		b.succeeded()
	}
	if !b.failed() || b.failed() {
		t.Error("fifteen successes should pay for one retry")
	}
}

func TestJitterStaysInBounds(t *testing.T) {
	for attempt := range 100 {
		d := jittered(100*time.Millisecond, 5*time.Second, attempt)
		limit := 5 * time.Second
		if attempt < 6 {
			limit = 100 * time.Millisecond << attempt
		}
		if d < 0 || d > limit {
			t.Errorf("attempt %d: %v", attempt, d)
		}
	}
}

func TestErrors(t *testing.T) {
	f := newFake()
	var answer error
	on(f, "ExecutionService/GetExecution", func(
		context.Context, *pb.GetExecutionRequest,
	) (*pb.GetExecutionResponse, error) {
		return nil, answer
	})
	c := dialFake(t, f)
	get := func(ctx context.Context, err error) error {
		answer = err
		_, err = c.GetExecution(ctx, "x")
		return fmt.Errorf("wrapped: %w", err)
	}

	err := get(t.Context(), fail(codes.InvalidArgument, ReasonInvalidField,
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: "a", Description: "is bad", Reason: "rule"}, {Description: "worse"},
		}}, &errdetails.RequestInfo{RequestId: "r1"}))
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %T", err)
	}
	want := Error{
		Code: codes.InvalidArgument, Reason: ReasonInvalidField, Message: "it failed",
		Metadata:   map[string]string{"limit": "7"},
		Violations: []Violation{{"a", "is bad", "rule"}, {"", "worse", ""}},
		RequestID:  "r1", cause: e.cause,
	}
	if !reflect.DeepEqual(*e, want) {
		t.Errorf("got %#v", *e)
	}
	if text := "autan: INVALID_FIELD: it failed (a: is bad; worse)"; e.Error() != text {
		t.Errorf("got %q", e.Error())
	}
	if !IsInvalid(err) || IsNotFound(err) || !IsReason(err, "X", ReasonInvalidField) {
		t.Error("the helpers do not agree")
	}
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("gRPC takes it for %v", status.Code(err))
	}

	for code, is := range map[codes.Code]func(error) bool{
		codes.NotFound: IsNotFound, codes.AlreadyExists: IsAlreadyExists,
		codes.FailedPrecondition: IsWrongState,
	} {
		if err := get(t.Context(), fail(code, "NEW_REASON")); !is(err) || IsRetryable(err) ||
			!IsReason(err, "NEW_REASON") {
			t.Errorf("%v: %v", code, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := get(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestForeignReasonsAreNotOurs(t *testing.T) {
	s, err := status.New(codes.NotFound, "m").WithDetails(
		&errdetails.ErrorInfo{Reason: "EXECUTION_NOT_FOUND", Domain: "proxy.example"})
	if err != nil {
		t.Fatal(err)
	}
	if e := rpcError(s.Err()); e.Reason != "" {
		t.Errorf("got %q", e.Reason)
	}
}

func TestPaging(t *testing.T) {
	f := newFake()
	pages := map[string][]string{"": {"a", "b"}, "1": {}, "2": {"c"}, "3": {"d"}}
	on(f, "ExecutionService/ListExecutions", func(
		_ context.Context, req *pb.ListExecutionsRequest,
	) (*pb.ListExecutionsResponse, error) {
		token := req.GetPageToken()
		if token == "3" {
			return nil, fail(codes.InvalidArgument, ReasonInvalidPageToken)
		}
		next := map[string]string{"": "1", "1": "2", "2": "3"}[token]
		if req.GetFilter() == "short" && next == "3" {
			next = ""
		}
		out := &pb.ListExecutionsResponse{NextPageToken: next}
		for _, id := range pages[token] {
			out.Executions = append(out.Executions, &pb.Execution{ExecutionId: id})
		}
		return out, nil
	})
	c := dialFake(t, f)
	for name, tc := range map[string]struct {
		opts  ListOptions
		stop  string
		ids   string
		fails bool
		calls int
	}{
		"to the end, over an empty page": {ListOptions{Filter: "short"}, "", "abc", false, 3},
		"an error ends it":               {ListOptions{PageSize: 2, Full: true}, "", "abc", true, 4},
		"a break asks for no more":       {ListOptions{}, "b", "ab", false, 1},
		"a bad size is refused here":     {ListOptions{PageSize: -1}, "", "", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(requests[*pb.ListExecutionsRequest](f))
			var ids string
			var failure error
			for info, err := range c.List(t.Context(), tc.opts) {
				if failure = err; err != nil {
					continue // must not come again
				}
				ids += info.ID
				if ids != "" && info.ID == tc.stop {
					break
				}
			}
			sent := requests[*pb.ListExecutionsRequest](f)[before:]
			if ids != tc.ids || (failure != nil) != tc.fails || len(sent) != tc.calls {
				t.Fatalf("got %q, %v, %d calls", ids, failure, len(sent))
			}
			for _, req := range sent {
				if int(req.GetPageSize()) != tc.opts.PageSize || req.GetView() != tc.opts.view() ||
					req.GetFilter() != tc.opts.Filter {
					t.Errorf("asked %v", req)
				}
			}
		})
	}
}

func TestFiltersThatNoListTakes(t *testing.T) {
	c := dialFake(t, newFake())
	filter := ListOptions{Filter: "x = 1"}
	var errs []error
	for _, err := range c.Workbooks().List(t.Context(), filter) {
		errs = append(errs, err)
	}
	for _, err := range c.Workflows().ListRevisions(t.Context(), "w", filter) {
		errs = append(errs, err)
	}
	for _, err := range c.Execution("x").Actions(t.Context(), filter) {
		errs = append(errs, err)
	}
	if len(errs) != 3 {
		t.Fatalf("got %v", errs)
	}
	for _, err := range errs {
		if !IsReason(err, ReasonInvalidFilter) {
			t.Errorf("got %v", err)
		}
	}
}

func TestStartSendsItsOptions(t *testing.T) {
	f := newFake()
	on(f, "ExecutionService/StartExecution", func(
		context.Context, *pb.StartExecutionRequest,
	) (*pb.StartExecutionResponse, error) {
		e := &pb.Execution{ExecutionId: "ship-42", Uid: "u"}
		return &pb.StartExecutionResponse{Execution: e}, nil
	})
	c := dialFake(t, f, WithProject("p"))
	input := struct {
		ID   uint64  `json:"id"`
		Expr string  `json:"expr"`
		None *string `json:"none"`
	}{ID: math.MaxUint64, Expr: "<a & b>"}
	run, err := c.Start(t.Context(), "ship", input, WithID("ship-42"), WithFailIfExists(),
		WithNamespace("n"), WithRevision(3), WithTargetTask("t"), WithEnv(map[string]int{"e": 1}),
		WithParams(map[string]any{"free": true}), WithLabel("k", "v"), WithDescription("d"),
		WithValidateOnly(), WithRequestID("00000000-0000-4000-8000-000000000001"))
	if err != nil {
		t.Fatal(err)
	}
	if run.ID() != "ship-42" || run.UID() != "u" || run.Started() || run.ref() != "u" {
		t.Errorf("got %+v", run)
	}
	text := func(s string) *pb.Payload { return &pb.Payload{Encoding: &pb.Payload_Json{Json: s}} }
	want := &pb.StartExecutionRequest{
		Project: "p", WorkflowNamespace: "n", WorkflowName: "ship", WorkflowRevision: 3,
		ExecutionId: "ship-42",
		Input:       text(`{"id":18446744073709551615,"expr":"<a & b>","none":null}`),
		Params:      text(`{"free":true,"task_name":"t"}`),
		Environment: &pb.StartExecutionRequest_EnvironmentVariables{
			EnvironmentVariables: text(`{"e":1}`),
		},
		Labels: map[string]string{"k": "v"}, Description: "d",
		IdConflictPolicy: pb.IdConflictPolicy_ID_CONFLICT_POLICY_FAIL,
		RequestId:        "00000000-0000-4000-8000-000000000001", ValidateOnly: true,
	}
	if got := requests[*pb.StartExecutionRequest](f)[0]; !proto.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if _, err := c.Start(t.Context(), "ship", nil, WithRevision(-1)); !IsInvalid(err) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Start(t.Context(), "ship", func() {}); err == nil {
		t.Error("a function is no input")
	}
}

// Every call that changes something carries a request id, and sends what its options say.
func TestVerbsSendTheirOptions(t *testing.T) {
	f := newFake()
	c := dialFake(t, f)
	run := c.Execution("x")
	ctx := t.Context()
	ignore := func(_ any, err error) error { return err }
	for want, call := range map[string]func() error{
		`Pause {"executionId":"x","reason":"r"}`: func() error {
			return ignore(run.Pause(ctx, WithReason("r")))
		},
		`Resume {"env":{"json":"{\"a\":1}"},"executionId":"x"}`: func() error {
			return ignore(run.Resume(ctx, WithEnv(map[string]int{"a": 1})))
		},
		`Cancel {"executionId":"x"}`: func() error { return ignore(run.Cancel(ctx)) },
		`Stop {"executionId":"x","outcome":"EXECUTION_STATE_SUCCESS"}`: func() error {
			return ignore(run.Stop(ctx, ExecutionSuccess))
		},
		`Delete {"allowMissing":true,"executionId":"x","force":true,"reason":"r"}`: func() error {
			return run.Delete(ctx, WithForce(), WithAllowMissing(), WithReason("r"))
		},
		`Create {"allowExisting":true,"namespace":"n","source":"s","strict":true}`: func() error {
			return ignore(c.Workflows().In("n").Create(ctx, "s", WithStrict(), WithAllowExisting()))
		},
		`Update {"etag":"e","source":"s","validateOnly":true}`: func() error {
			return ignore(c.Workflows().Update(ctx, "s", WithETag("e"), WithValidateOnly()))
		},
		`Remove {"allowMissing":true,"etag":"e","force":true,"name":"w"}`: func() error {
			return c.Workflows().Delete(ctx, "w", WithETag("e"), WithForce(), WithAllowMissing())
		},
		`CreateBook {"source":"s","strict":true}`: func() error {
			_, _, err := c.Workbooks().Create(ctx, "s", WithStrict())
			return err
		},
		`UpdateBook {"etag":"e","namespace":"n","source":"s"}`: func() error {
			_, _, err := c.Workbooks().In("n").Update(ctx, "s", WithETag("e"))
			return err
		},
		`RemoveBook {"name":"b"}`: func() error { return c.Workbooks().Delete(ctx, "b") },
		`Complete {"actionExecutionId":"a","result":{"json":"[1]"}}`: func() error {
			return ignore(c.CompleteActionExecution(ctx, "a", []int{1}))
		},
		`Fail {"actionExecutionId":"a","error":{"json":"\"broken\""}}`: func() error {
			return ignore(c.FailActionExecution(ctx, "a", errors.New("broken")))
		},
		`UpdateAction {"actionExecutionId":"a","state":"ACTION_STATE_PAUSED"}`: func() error {
			return ignore(c.UpdateActionExecution(ctx, "a", ActionPaused))
		},
	} {
		name, text, _ := strings.Cut(want, " ")
		t.Run(name, func(t *testing.T) {
			if err := call(); !isCode(err, codes.Unimplemented) {
				t.Fatalf("got %v", err)
			}
			all := requests[proto.Message](f)
			if got := requestText(t, all[len(all)-1]); got != text {
				t.Errorf("got  %s\nwant %s", got, text)
			}
		})
	}
}

var uuidForm = regexp.MustCompile(
	`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// requestText is a request as JSON with sorted keys, without its request id, which it checks.
func requestText(t *testing.T, req proto.Message) string {
	t.Helper()
	fields := map[string]any{}
	if err := json.Unmarshal(protoJSON(t, req), &fields); err != nil {
		t.Fatal(err)
	}
	if id, _ := fields["requestId"].(string); !uuidForm.MatchString(id) {
		t.Errorf("request id %q", id)
	}
	if fields["project"] != "default" {
		t.Errorf("project %q", fields["project"])
	}
	maps.DeleteFunc(fields, func(key string, _ any) bool {
		return key == "requestId" || key == "project"
	})
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPayloads(t *testing.T) {
	for name, c := range map[string]struct {
		in   any
		text string
	}{
		"nil is absent": {nil, "<none>"},
		"raw text":      {json.RawMessage(`{"a": 1}`), `{"a":1}`},
		"large integers": {
			[]any{uint64(math.MaxUint64), int64(math.MinInt64)},
			`[18446744073709551615,-9223372036854775808]`,
		},
		"payload": {&Payload{JSON: json.RawMessage(" 1 ")}, " 1 "},
		"null":    {Payload{}, "null"},
		"binary":  {Binary{ContentType: "image/png", Data: []byte{1, 2}}, "<2 bytes of image/png>"},
		"binary inside": {
			[]any{Binary{Data: []byte{1}, Metadata: map[string]string{"k": "v"}}},
			`[{"$binary":{"contentType":"","base64":"AQ==","metadata":{"k":"v"}}}]`,
		},
		"reference":         {Payload{Ref: &PayloadRef{URI: "s3://x"}}, "<reference to s3://x>"},
		"nil binary":        {(*Binary)(nil), "<none>"},
		"nil payload":       {(*Payload)(nil), "<none>"},
		"text stays itself": {"<% $.x %>", `"<% $.x %>"`},
	} {
		p, err := encodePayload(c.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := payloadFrom(p).String(); got != c.text {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func TestBinary(t *testing.T) {
	want := Binary{"image/png", []byte{1, 2}, map[string]string{"key": "k1"}}
	whole, err := encodePayload(want)
	if err != nil {
		t.Fatal(err)
	}
	inside, err := encodePayload([]any{want})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode[Binary](payloadFrom(whole))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("whole: %v, %v", got, err)
	}
	list, err := Decode[[]Binary](payloadFrom(inside))
	if err != nil || !reflect.DeepEqual(list, []Binary{want}) {
		t.Errorf("inside: %v, %v", list, err)
	}
	for _, text := range []string{"{}", `{"$binary":{}}`, `{"$binary":{"base64":"%"}}`, `{"x":1}`} {
		if got, err := Decode[Binary](&Payload{JSON: json.RawMessage(text)}); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestDecode(t *testing.T) {
	parse := func(s string) *Payload { return &Payload{JSON: json.RawMessage(s)} }
	untyped, err := Decode[map[string]any](parse(`{"n":9007199254740993}`))
	if err != nil || untyped["n"] != json.Number("9007199254740993") {
		t.Errorf("got %v, %v", untyped, err)
	}
	typed, err := Decode[struct{ N uint64 }](parse(`{"n":18446744073709551615}`))
	if err != nil || typed.N != math.MaxUint64 {
		t.Errorf("got %v, %v", typed, err)
	}
	if p, err := Decode[*int](nil); p != nil || err != nil {
		t.Errorf("got %v, %v", p, err)
	}
	value, err := structpb.NewValue(map[string]any{"a": []any{1, "x"}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := Decode[struct{ A [2]any }](payloadFrom(
		&pb.Payload{Encoding: &pb.Payload_Value{Value: value}}))
	if err != nil || list.A != [2]any{json.Number("1"), "x"} {
		t.Errorf("got %v, %v", list, err)
	}
	for _, bad := range []*Payload{parse(`{} {}`), parse(`{`), parse(`"text"`)} {
		if v, err := Decode[map[string]any](bad); err == nil {
			t.Errorf("%s: got %v", bad, v)
		}
	}
	for _, opaque := range []*Payload{{Binary: &Binary{}}, {Ref: &PayloadRef{}}} {
		if _, err := Decode[any](opaque); !errors.Is(err, ErrNotJSON) {
			t.Errorf("got %v", err)
		}
	}
}

func TestUnknownStatesKeepTheirNumber(t *testing.T) {
	for _, c := range []struct {
		value fmt.Stringer
		want  string
	}{
		{ExecutionFailed, "ERROR"}, {ExecutionState(42), "STATE_42"},
		{TaskSkipped, "SKIPPED"}, {TaskState(0), "UNSPECIFIED"}, {TaskState(-1), "STATE_-1"},
		{ActionCancelled, "CANCELLED"}, {ActionState(42), "STATE_42"},
		{TaskTypeWorkflow, "WORKFLOW"}, {TimerRetry, "RETRY"}, {SeverityWarning, "WARNING"},
	} {
		if c.value.String() != c.want {
			t.Errorf("got %s, want %s", c.value, c.want)
		}
		if text, err := json.Marshal(c.value); err != nil || string(text) != `"`+c.want+`"` {
			t.Errorf("got %s, %v", text, err)
		}
	}
	if ExecutionState(42).Final() || !ExecutionCancelled.Final() || !TaskSkipped.Final() ||
		TaskRunning.Final() || !ActionFailed.Final() || ActionPaused.Final() {
		t.Error("wrong final states")
	}
	info := executionFrom(&pb.Execution{State: 42})
	if info.State != 42 {
		t.Errorf("got %v", info.State)
	}
}

// A client is for many goroutines; run with -race this finds what is not.
func TestClientIsConcurrent(t *testing.T) {
	f := newFake()
	on(f, "ExecutionService/CountExecutions", func(
		context.Context, *pb.CountExecutionsRequest,
	) (*pb.CountExecutionsResponse, error) {
		return &pb.CountExecutionsResponse{Total: 2, Groups: map[string]int64{"SUCCESS": 2}}, nil
	})
	c := dialFake(t, f, WithGRPCOptions(grpc.WithUserAgent("mine")))
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			total, err := c.Count(t.Context(), "")
			states, err2 := c.CountByState(t.Context(), "")
			if total != 2 || states["SUCCESS"] != 2 || err != nil || err2 != nil {
				t.Errorf("got %d, %v, %v, %v", total, states, err, err2)
			}
		}()
	}
	group.Wait()
}

func TestClusterIsRead(t *testing.T) {
	f := newFake()
	on(f, "SystemService/GetCluster", func(
		context.Context, *pb.GetClusterRequest,
	) (*pb.GetClusterResponse, error) {
		server := &pb.ClusterServer{
			ServerId: "0.1", Address: "a:1", Version: "1.2.3",
			State: pb.ServerState_SERVER_STATE_LIVE, Shards: 250, Answers: true,
		}
		return &pb.GetClusterResponse{
			Servers: []*pb.ClusterServer{server}, Shards: 256, FreeShards: 6,
		}, nil
	})
	c := dialFake(t, f)
	got, err := c.Cluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := ClusterServer{
		ServerID: "0.1", Address: "a:1", Version: "1.2.3", State: "LIVE", Shards: 250, Answers: true,
	}
	if len(got.Servers) != 1 || got.Servers[0] != want || got.Shards != 256 || got.FreeShards != 6 {
		t.Errorf("got %+v", got)
	}
}

package autan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// A step is what a scripted stream does next: send a message, end with an error, or block.
type step struct {
	send *pb.WatchExecutionResponse
	err  error
	hang bool
}

// events is one commit of the events from..to.
func events(from, to int64) step {
	batch := &pb.HistoryEventBatch{}
	for n := from; n <= to; n++ {
		batch.Events = append(batch.Events, &pb.HistoryEvent{Sequence: n})
	}
	return step{send: &pb.WatchExecutionResponse{
		Message: &pb.WatchExecutionResponse_Events{Events: batch},
	}}
}

func heartbeat(last int64) step {
	return step{send: &pb.WatchExecutionResponse{Message: &pb.WatchExecutionResponse_Heartbeat{
		Heartbeat: &pb.WatchHeartbeat{LastSequence: last},
	}}}
}

func snapshot(last int64) step {
	return step{send: &pb.WatchExecutionResponse{Message: &pb.WatchExecutionResponse_Snapshot{
		Snapshot: &pb.Execution{ExecutionId: "x", LastSequence: last},
	}}}
}

func end(reason pb.WatchEndReason, position int64) step {
	return step{send: &pb.WatchExecutionResponse{Message: &pb.WatchExecutionResponse_End{
		End: &pb.WatchEnd{
			Reason: reason, ResumeAfterSequence: position,
			RetryDelay: durationpb.New(time.Millisecond),
		},
	}}}
}

var (
	cut        = step{err: fail(codes.Unavailable, "")}
	reset      = step{err: fail(codes.Internal, "")}
	cancelled  = step{err: fail(codes.Canceled, "")}
	fault      = step{err: fail(codes.Internal, ReasonInternal)}
	missing    = step{err: fail(codes.NotFound, ReasonExecutionNotFound)}
	trimmed    = step{err: fail(codes.OutOfRange, ReasonHistoryTrimmed)}
	eof        = step{err: io.EOF} // status OK without an end
	hang       = step{hang: true}
	terminal   = pb.WatchEndReason_WATCH_END_REASON_TERMINAL
	goingAway  = pb.WatchEndReason_WATCH_END_REASON_GOING_AWAY
	maxAge     = pb.WatchEndReason_WATCH_END_REASON_MAX_AGE
	slow       = pb.WatchEndReason_WATCH_END_REASON_SLOW_CONSUMER
	deleted    = pb.WatchEndReason_WATCH_END_REASON_DELETED
	unheardOf  = pb.WatchEndReason(99)
	newMessage = step{send: &pb.WatchExecutionResponse{}}
)

// script plays one list of steps for each stream, and the last one again for further ones.
func (f *fake) script(streams ...[]step) {
	var opened atomic.Int64
	f.watch = func(_ *pb.WatchExecutionRequest, stream watchStream) error {
		n := min(int(opened.Add(1)), len(streams))
		for _, s := range streams[n-1] {
			switch {
			case s.hang:
				<-stream.Context().Done()
				return stream.Context().Err()
			case errors.Is(s.err, io.EOF):
				return nil
			case s.err != nil:
				return s.err
			}
			if err := stream.Send(s.send); err != nil {
				return err
			}
		}
		return nil
	}
}

// Each case is what the streams bring, and what comes out: the sequences, the positions from which
// the client asked, and the error.
func TestEvents(t *testing.T) {
	for name, c := range map[string]struct {
		opts    []EventsOption
		streams [][]step
		got     string // sequences
		asked   string // positions, "s" for a snapshot
		err     string // part of the error
		tune    func(*timing)
	}{
		"from the first to the end": {
			nil, [][]step{{events(1, 2), heartbeat(2), events(3, 3), end(terminal, 3)}},
			"1 2 3", "0", "", nil,
		},
		"after a position": {
			[]EventsOption{WithAfter(5)}, [][]step{{events(6, 6), end(terminal, 6)}},
			"6", "5", "", nil,
		},
		"finished before": {nil, [][]step{{end(terminal, 0)}}, "", "0", "", nil},
		"cut and resumed": {
			nil, [][]step{
				{events(1, 2), cut}, {cut}, {reset}, {cancelled},
				{events(3, 3), end(terminal, 3)},
			},
			"1 2 3", "0 2 2 2 2", "", nil,
		},
		"end without a word": {
			nil, [][]step{{events(1, 1), eof}, {events(2, 2), end(terminal, 2)}},
			"1 2", "0 1", "", nil,
		},
		"duplicates after a cut": {
			nil, [][]step{{events(1, 3), cut}, {events(2, 4), end(terminal, 4)}},
			"1 2 3 4", "0 3", "", nil,
		},
		"a hole is read again": {
			nil, [][]step{{events(1, 1), events(3, 4)}, {events(2, 4), end(terminal, 4)}},
			"1 2 3 4", "0 1", "", nil,
		},
		"a hole inside a batch": {
			nil, [][]step{{{send: &pb.WatchExecutionResponse{
				Message: &pb.WatchExecutionResponse_Events{Events: &pb.HistoryEventBatch{
					Events: []*pb.HistoryEvent{{Sequence: 1}, {Sequence: 3}},
				}},
			}}}, {events(2, 3), end(terminal, 3)}},
			"1 2 3", "0 1", "", nil,
		},
		"a heartbeat shows a hole": {
			nil, [][]step{{events(1, 1), heartbeat(2)}, {events(2, 2), end(terminal, 2)}},
			"1 2", "0 1", "", nil,
		},
		"an end shows a hole": {
			nil, [][]step{{events(1, 1), end(terminal, 2)}, {events(2, 2), end(terminal, 2)}},
			"1 2", "0 1", "", nil,
		},
		"ends that ask to resume": {
			nil, [][]step{
				{events(1, 1), end(goingAway, 1)},
				{events(2, 2), end(maxAge, 2)},
				{events(3, 3), end(slow, 3)},
				{events(4, 4), end(unheardOf, 4)},
				{newMessage, events(5, 5), end(terminal, 5)},
			},
			"1 2 3 4 5", "0 1 2 3 4", "", nil,
		},
		"silence is a cut": {
			nil, [][]step{{events(1, 1), hang}, {events(2, 2), end(terminal, 2)}},
			"1 2", "0 1", "", func(t *timing) { t.heartbeat = 10 * time.Millisecond },
		},
		"deleted": {nil, [][]step{{events(1, 1), end(deleted, 1)}}, "1", "0", "was deleted", nil},
		"unknown": {nil, [][]step{{missing}}, "", "0", "EXECUTION_NOT_FOUND", nil},
		"a fault that the server reports": {
			nil, [][]step{{events(1, 1), fault}}, "1", "0", "INTERNAL", nil,
		},
		"trimmed": {nil, [][]step{{trimmed}}, "", "0", "HISTORY_TRIMMED", nil},
		"no server": {
			nil, [][]step{{events(1, 1), cut}, {cut}}, "1", "", "autan: Unavailable",
			func(t *timing) { t.outage = 20 * time.Millisecond },
		},
		"a hole that stays": {
			nil, [][]step{{events(1, 1), cut}, {events(3, 3)}}, "1", "", "has a hole",
			func(t *timing) { t.outage = 20 * time.Millisecond },
		},
		"a negative position": {
			[]EventsOption{WithAfter(-1)}, [][]step{{}}, "", "", "INVALID_FIELD", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			f.script(c.streams...)
			client := dialFake(t, f, func(cfg *dialConfig) {
				if c.tune != nil {
					c.tune(&cfg.timing)
				}
			})
			var got []string
			var failure error
			for event, err := range client.Execution("x").Events(t.Context(), c.opts...) {
				if failure != nil {
					t.Fatal("events after an error")
				}
				if failure = err; err == nil {
					got = append(got, fmt.Sprint(event.Sequence))
				}
			}
			if text := strings.Join(got, " "); text != c.got {
				t.Errorf("got events %q, want %q", text, c.got)
			}
			if asked := positions(f); c.asked != "" && asked != c.asked {
				t.Errorf("asked after %q, want %q", asked, c.asked)
			}
			checkError(t, failure, c.err)
		})
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	var e *Error
	switch {
	case want == "" && err == nil:
	case want == "" || err == nil || !strings.Contains(err.Error(), want):
		t.Errorf("got error %v, want %q", err, want)
	case !errors.As(err, &e):
		t.Errorf("got a %T: %v", err, err)
	}
}

// positions is from where the client asked for each stream.
func positions(f *fake) string {
	var out []string
	for _, req := range requests[*pb.WatchExecutionRequest](f) {
		if req.GetStartAt() == pb.WatchStart_WATCH_START_SNAPSHOT {
			out = append(out, "s")
			continue
		}
		out = append(out, fmt.Sprint(req.GetAfterSequence()))
	}
	return strings.Join(out, " ")
}

func TestEventsAfterATrimmedPart(t *testing.T) {
	f := newFake()
	f.script([]step{events(1, 1), cut}, []step{trimmed}, []step{cut},
		[]step{snapshot(7), events(8, 8), cut}, []step{events(9, 9), end(terminal, 9)})
	var gaps []Gap
	var got []int64
	onGap := WithOnGap(func(g Gap) { gaps = append(gaps, g) })
	for event, err := range dialFake(t, f).Execution("x").Events(t.Context(), onGap) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, event.Sequence)
	}
	if !slices.Equal(got, []int64{1, 8, 9}) || positions(f) != "0 1 s s 8" {
		t.Errorf("got %v, asked %q", got, positions(f))
	}
	if len(gaps) != 1 || gaps[0].After != 1 || gaps[0].Resume != 7 || gaps[0].Execution.ID != "x" {
		t.Errorf("got gaps %+v", gaps)
	}
}

func TestLatestEventsHaveAPositionFromTheStart(t *testing.T) {
	f := newFake()
	on(f, "ExecutionService/GetExecution", func(
		context.Context, *pb.GetExecutionRequest,
	) (*pb.GetExecutionResponse, error) {
		return &pb.GetExecutionResponse{Execution: &pb.Execution{LastSequence: 4}}, nil
	})
	f.script([]step{cut}, []step{events(5, 5), end(terminal, 5)})
	var got []int64
	run := dialFake(t, f).Execution("x")
	for event, err := range run.Events(t.Context(), WithLatest(), WithPayloads()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, event.Sequence)
	}
	if !slices.Equal(got, []int64{5}) || positions(f) != "4 4" {
		t.Errorf("got %v, asked %q", got, positions(f))
	}
	if !requests[*pb.WatchExecutionRequest](f)[0].GetIncludePayloads() {
		t.Error("did not ask for payloads")
	}
}

// A reader that stops reading loses its stream, not its events, and does not hold up the server.
func TestSlowReaderIsResumed(t *testing.T) {
	const total = 4 * queueLength
	f := newFake()
	dropped := make(chan struct{}, total)
	f.watch = func(req *pb.WatchExecutionRequest, stream watchStream) error {
		for n := req.GetAfterSequence() + 1; n <= total; n++ {
			if err := stream.Send(events(n, n).send); err != nil {
				dropped <- struct{}{}
				return err
			}
		}
		if req.GetAfterSequence() < 1 { // the first stream stays open until the client drops it
			<-stream.Context().Done()
			dropped <- struct{}{}
			return stream.Context().Err()
		}
		return stream.Send(end(terminal, total).send)
	}
	var next int64 = 1
	for event, err := range dialFake(t, f).Execution("x").Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Sequence != next {
			t.Fatalf("got %d, want %d", event.Sequence, next)
		}
		if next == 1 {
			<-dropped // the reader is asleep until its stream is gone
		}
		next++
	}
	if next != total+1 || !strings.HasPrefix(positions(f), "0 ") {
		t.Errorf("stopped before %d; asked %q", next, positions(f))
	}
}

func TestEventsEndWithTheirContextAndTheirLoop(t *testing.T) {
	f := newFake()
	f.script([]step{events(1, 3), hang})
	c := dialFake(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var failure error
	for event, err := range c.Execution("x").Events(ctx) {
		if failure = err; err == nil && event.Sequence == 3 {
			cancel()
		}
	}
	if !errors.Is(failure, context.Canceled) {
		t.Errorf("got %v", failure)
	}
	again, cancelAgain := context.WithCancel(t.Context())
	defer cancelAgain()
	for range c.Execution("x").Events(again) {
		cancelAgain() // and break at once: nothing may come after it
		break
	}
	// Range-over-func calls do not leave connections in use behind them.
	waitFor(t, "connections to be free", func() bool {
		c.watches.mu.Lock()
		defer c.watches.mu.Unlock()
		return !slices.ContainsFunc(c.watches.conns, func(w *watchConn) bool { return w.users != 0 })
	})
}

// waitFor looks again and again until something is so, or the test's time is up.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

func TestClosingTheClientEndsStreams(t *testing.T) {
	f := newFake()
	f.script([]step{events(1, 1), hang})
	c := dialFake(t, f)
	var failure error
	for _, err := range c.Execution("x").Events(t.Context()) {
		if failure = err; err == nil {
			if err := c.watches.close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !errors.Is(failure, context.Canceled) || !strings.Contains(failure.Error(), "closed") {
		t.Errorf("got %v", failure)
	}
}

func TestAtMostFourStreamsShareAConnection(t *testing.T) {
	c := dialFake(t, newFake())
	var taken []*watchConn
	for range 2*maxWatchesPerConn + 1 {
		conn, err := c.watches.acquire()
		if err != nil {
			t.Fatal(err)
		}
		if conn.ClientConn == c.calls {
			t.Fatal("a stream on the connection of calls")
		}
		taken = append(taken, conn)
	}
	if n := len(c.watches.conns); n != 3 {
		t.Errorf("%d connections", n)
	}
	for _, conn := range taken {
		c.watches.release(conn)
	}
	if n := len(c.watches.conns); n != 1 {
		t.Errorf("%d connections are left", n)
	}
}

// outcomeOf is a finished execution, as the end of a stream and as an answer.
func outcomeOf(state pb.ExecutionState, output string) *pb.Execution {
	return &pb.Execution{
		ExecutionId: "x", WorkflowName: "ship", State: state, StateInfo: "info",
		Output: &pb.Payload{Encoding: &pb.Payload_Json{Json: output}},
	}
}

func finish(e *pb.Execution) step {
	s := end(terminal, 9)
	s.send.GetEnd().Execution = e
	return s
}

func TestResult(t *testing.T) {
	good := outcomeOf(pb.ExecutionState_EXECUTION_STATE_SUCCESS, `{"n":9007199254740993}`)
	bad := outcomeOf(pb.ExecutionState_EXECUTION_STATE_ERROR, `{"result":"no"}`)
	bad.Error = &pb.Failure{Type: "action_error", Message: "no money"}
	stopped := outcomeOf(pb.ExecutionState_EXECUTION_STATE_CANCELLED, `{}`)
	notStreams := step{err: fail(codes.Unimplemented, ReasonNotSupported)}
	for name, c := range map[string]struct {
		streams [][]step
		waits   int // answers of WaitExecution before the last one
		final   *pb.Execution
		err     string
	}{
		"by stream": {[][]step{{snapshot(1), events(2, 2), finish(good)}}, -1, nil, ""},
		"over cuts": {
			[][]step{{snapshot(1), cut}, {cut}, {end(goingAway, 0)}, {finish(good)}}, -1, nil, "",
		},
		"an end without it":   {[][]step{{end(terminal, 2)}}, -1, good, ""},
		"streams are refused": {[][]step{{notStreams}}, 2, good, ""},
		"streams break":       {[][]step{{reset}, {reset}, {reset}}, 0, good, ""},
		"failed": {
			[][]step{{finish(bad)}}, -1, nil,
			"workflow ship (execution x) ended in ERROR: no money",
		},
		"cancelled": {[][]step{{finish(stopped)}}, -1, nil, "ended in CANCELLED: info"},
		"unknown":   {[][]step{{missing}}, -1, nil, "EXECUTION_NOT_FOUND"},
		"deleted":   {[][]step{{snapshot(1), end(deleted, 1)}}, -1, nil, "was deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			f.script(c.streams...)
			on(f, "ExecutionService/GetExecution", func(
				context.Context, *pb.GetExecutionRequest,
			) (*pb.GetExecutionResponse, error) {
				return &pb.GetExecutionResponse{Execution: c.final}, nil
			})
			left := c.waits
			on(f, "ExecutionService/WaitExecution", func(
				context.Context, *pb.WaitExecutionRequest,
			) (*pb.WaitExecutionResponse, error) {
				left--
				return &pb.WaitExecutionResponse{Execution: c.final, Finished: left < 0}, nil
			})
			out, err := Result[struct{ N int64 }](t.Context(), dialFake(t, f).Execution("x"))
			switch {
			case c.err == "" && (err != nil || out.N != 9007199254740993):
				t.Errorf("got %v, %v", out, err)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Errorf("got %v, want %s", err, c.err)
			}
			if calls := len(requests[*pb.WaitExecutionRequest](f)); calls != c.waits+1 {
				t.Errorf("%d waits by call", calls)
			}
			var ee *ExecutionError
			var e *Error
			if err != nil && errors.As(err, &ee) == errors.As(err, &e) {
				t.Errorf("a %T must be one kind of error", err)
			}
		})
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	for name, stream := range map[string]step{
		"stream": hang, "calls": {err: fail(codes.Unimplemented, "")},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			f.script([]step{stream})
			on(f, "ExecutionService/WaitExecution", func(
				ctx context.Context, _ *pb.WaitExecutionRequest,
			) (*pb.WaitExecutionResponse, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			})
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := dialFake(t, f).Execution("x").Wait(ctx)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestEventDetails(t *testing.T) {
	details := map[string]*pb.HistoryEvent{
		"execution_started":       {Event: &pb.HistoryEvent_ExecutionStarted{}},
		"execution_state_changed": {Event: &pb.HistoryEvent_ExecutionStateChanged{}},
		"task_created":            {Event: &pb.HistoryEvent_TaskCreated{}},
		"task_state_changed":      {Event: &pb.HistoryEvent_TaskStateChanged{}},
		"action_started":          {Event: &pb.HistoryEvent_ActionStarted{}},
		"action_state_changed":    {Event: &pb.HistoryEvent_ActionStateChanged{}},
		"variables_published":     {Event: &pb.HistoryEvent_VariablesPublished{}},
		"timer_started":           {Event: &pb.HistoryEvent_TimerStarted{}},
		"timer_fired":             {Event: &pb.HistoryEvent_TimerFired{}},
		"child_started":           {Event: &pb.HistoryEvent_ChildStarted{}},
		"verb_applied":            {Event: &pb.HistoryEvent_VerbApplied{}},
		"environment_changed":     {Event: &pb.HistoryEvent_EnvironmentChanged{}},
		"result_ignored":          {Event: &pb.HistoryEvent_ResultIgnored{}},
		"execution_drained":       {Event: &pb.HistoryEvent_ExecutionDrained{}},
		"task_input_changed":      {Event: &pb.HistoryEvent_TaskInputChanged{}},
		"action_lease_lost":       {Event: &pb.HistoryEvent_ActionLeaseLost{}},
		"unknown":                 {},
	}
	for want, event := range details {
		if got := eventFrom(event).Type(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	// The table must have all kinds of the contract.
	kinds := (&pb.HistoryEvent{}).ProtoReflect().Descriptor().Oneofs().ByName("event").Fields()
	if kinds.Len() != len(details)-1 {
		t.Errorf("the contract has %d kinds of events: extend history.go and this test", kinds.Len())
	}
}

func TestUnknownEventsAreKept(t *testing.T) {
	raw := protowire.AppendTag(nil, 7, protowire.VarintType) // a new field of all events
	raw = protowire.AppendVarint(raw, 5)
	raw = protowire.AppendTag(raw, 99, protowire.BytesType)
	raw = protowire.AppendBytes(raw, []byte("new"))
	event := &pb.HistoryEvent{}
	if err := proto.Unmarshal(raw, event); err != nil {
		t.Fatal(err)
	}
	detail, ok := eventFrom(event).Detail.(*UnknownEvent)
	if !ok || detail.Field != 99 || string(detail.Raw) != "new" {
		t.Errorf("got %+v", detail)
	}
}

package autan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// workerService serves streams of workers; unary calls are answered by the interceptor.
type workerService struct {
	pb.UnimplementedWorkerServiceServer
	fake *fake
}

type connectStream = grpc.BidiStreamingServer[pb.ConnectRequest, pb.ConnectResponse]

func (s workerService) Connect(stream connectStream) error {
	if s.fake.connect != nil {
		if err := s.fake.connect(); err != nil {
			return err
		}
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	f := &fakeStream{
		hello:   first.GetHello(),
		stream:  stream,
		end:     make(chan error, 1),
		changed: make(chan struct{}),
	}
	go f.read()
	s.fake.connects <- f
	select {
	case err := <-f.end:
		return err
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
}

// fakeStream is the server's side of a stream of a worker. It answers heartbeats and results by
// itself, unless it is told otherwise, and keeps all that has come.
type fakeStream struct {
	hello  *pb.Hello
	stream connectStream
	end    chan error

	sending sync.Mutex

	mu         sync.Mutex
	changed    chan struct{}
	frames     []*pb.ConnectRequest
	halfClosed bool
	broken     bool
	mute       bool                                         // heartbeats get no answer
	answer     func(r *pb.TaskResult) (a *pb.TaskResultAck) // nil = accept; nil answer = none
}

func (s *fakeStream) read() {
	for {
		msg, err := s.stream.Recv()
		s.mu.Lock()
		switch {
		case errors.Is(err, io.EOF):
			s.halfClosed = true
		case err != nil:
			s.broken = true
		default:
			s.frames = append(s.frames, msg)
		}
		mute, answer := s.mute, s.answer
		close(s.changed)
		s.changed = make(chan struct{})
		s.mu.Unlock()
		if errors.Is(err, io.EOF) {
			s.drop(nil)
		}
		if err != nil {
			return
		}
		s.reply(msg, mute, answer)
	}
}

func (s *fakeStream) reply(
	msg *pb.ConnectRequest, mute bool, answer func(*pb.TaskResult) *pb.TaskResultAck,
) {
	out := &pb.ConnectResponse{}
	for _, h := range msg.GetHeartbeats() {
		if !mute {
			out.Leases = append(out.Leases, &pb.TaskHeartbeatResult{
				Token: h.GetToken(), Status: pb.LeaseStatus_LEASE_STATUS_HELD,
			})
		}
	}
	for _, r := range msg.GetResults() {
		ack := &pb.TaskResultAck{Token: r.GetToken()}
		if answer != nil {
			ack = answer(r)
		}
		if ack != nil {
			out.Results = append(out.Results, ack)
		}
	}
	if !mute {
		s.send(out) // an empty one is a sign of life
	}
}

func (s *fakeStream) send(msg *pb.ConnectResponse) {
	s.sending.Lock()
	defer s.sending.Unlock()
	_ = s.stream.Send(msg) // fails when the worker has gone, which tests see elsewhere
}

// drop ends the stream with an error, or well.
func (s *fakeStream) drop(err error) {
	select {
	case s.end <- err:
	default:
	}
}

func (s *fakeStream) setMute(mute bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute = mute
}

func (s *fakeStream) setAnswer(answer func(*pb.TaskResult) *pb.TaskResultAck) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// fakeTerms are what the fake grants: leases that no test outlives unless it wants to.
var fakeTerms = &pb.Welcome{
	SessionId:         "s",
	LeaseDuration:     durationpb.New(time.Minute),
	HeartbeatInterval: durationpb.New(20 * time.Second),
	AcceptTimeout:     durationpb.New(5 * time.Second),
}

// terms are short ones, for tests of time.
func terms(lease, interval time.Duration) *pb.Welcome {
	return &pb.Welcome{
		LeaseDuration:     durationpb.New(lease),
		HeartbeatInterval: durationpb.New(interval),
	}
}

func (s *fakeStream) welcome(w *pb.Welcome) *fakeStream {
	s.send(&pb.ConnectResponse{Welcome: w})
	return s
}

// deal hands out one task.
func (s *fakeStream) deal(token, action, input string, more ...func(*pb.WorkerTask)) {
	task := &pb.WorkerTask{
		Token:             token,
		Action:            action,
		Input:             &pb.Payload{Encoding: &pb.Payload_Json{Json: input}},
		Queue:             "default",
		Attempt:           1,
		Delivery:          1,
		IdempotencyKey:    "key-" + token,
		ExecutionUid:      "execution",
		TaskName:          "task",
		TaskExecutionId:   "task-execution",
		ActionExecutionId: "action-execution",
	}
	for _, change := range more {
		change(task)
	}
	s.send(&pb.ConnectResponse{Tasks: []*pb.WorkerTask{task}})
}

func (s *fakeStream) lease(token string, to pb.LeaseStatus, reason string) {
	s.send(&pb.ConnectResponse{Leases: []*pb.TaskHeartbeatResult{{
		Token: token, Status: to, Reason: reason,
	}}})
}

// until waits for what the worker is to say.
func (s *fakeStream) until(t *testing.T, what string, ok func(*fakeStream) bool) {
	t.Helper()
	timeout := time.After(patience)
	for {
		s.mu.Lock()
		held, changed := ok(s), s.changed
		s.mu.Unlock()
		if held {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			s.mu.Lock()
			defer s.mu.Unlock()
			t.Fatalf("no %s; the worker has said %v", what, s.frames)
		}
	}
}

// The rest are for use within until, or after it.

func (s *fakeStream) accepted(token string) bool {
	return slices.ContainsFunc(s.frames, func(f *pb.ConnectRequest) bool {
		return slices.Contains(f.GetAccepts(), token)
	})
}

func (s *fakeStream) released(token string) bool {
	return slices.ContainsFunc(s.frames, func(f *pb.ConnectRequest) bool {
		return slices.Contains(f.GetReleases(), token)
	})
}

func (s *fakeStream) results(token string) (out []*pb.TaskResult) {
	for _, f := range s.frames {
		for _, r := range f.GetResults() {
			if r.GetToken() == token {
				out = append(out, r)
			}
		}
	}
	return out
}

func (s *fakeStream) heartbeats(token string) (out []*pb.TaskHeartbeat) {
	for _, f := range s.frames {
		for _, h := range f.GetHeartbeats() {
			if h.GetToken() == token {
				out = append(out, h)
			}
		}
	}
	return out
}

func (s *fakeStream) credits() (sum int) {
	for _, f := range s.frames {
		for _, c := range f.GetCredits() {
			sum += int(c.GetCount())
		}
	}
	return sum
}

func (s *fakeStream) drains() bool {
	return slices.ContainsFunc(s.frames, func(f *pb.ConnectRequest) bool {
		return f.GetDrain() != nil
	})
}

// result waits for the result of a task.
func (s *fakeStream) result(t *testing.T, token string) *pb.TaskResult {
	t.Helper()
	var out *pb.TaskResult
	s.until(t, "result of "+token, func(s *fakeStream) bool {
		if r := s.results(token); len(r) > 0 {
			out = r[0]
		}
		return out != nil
	})
	return out
}

// accept waits until the worker has taken a task.
func (s *fakeStream) accept(t *testing.T, token string) {
	t.Helper()
	s.until(t, "accept of "+token, func(s *fakeStream) bool { return s.accepted(token) })
}

// bench is a worker that runs against the fake, in the hands of a test.
type bench struct {
	t      *testing.T
	fake   *fake
	client *Client
	worker *Worker
	stop   context.CancelFunc // begins the drain
	over   chan error         // what Run returned
}

// fastWorker keeps long what a loaded machine must not reach.
func fastWorker() workerTiming {
	t := defaultWorkerTiming()
	t.baseDelay, t.maxDelay, t.maxResend = time.Millisecond, 5*time.Millisecond, 5*time.Millisecond
	t.progress = 5 * time.Millisecond
	t.unaryAfter = time.Hour
	t.missed = 10_000
	return t
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// startWorker runs a worker until the end of the test.
func startWorker(
	t *testing.T, f *fake, change func(*workerTiming), handlers []*Handler, opts ...WorkerOption,
) *bench {
	t.Helper()
	b := &bench{t: t, fake: f, over: make(chan error, 1)}
	b.client = dialFake(t, f, WithLazyDial())
	b.client.workerTiming = fastWorker()
	if change != nil {
		change(&b.client.workerTiming)
	}
	b.worker = NewWorker(b.client, "", append([]WorkerOption{WithLogger(discard())}, opts...)...)
	b.worker.Add(handlers...)
	ctx, cancel := context.WithCancel(t.Context())
	b.stop = cancel
	go func() { b.over <- b.worker.Run(ctx) }()
	t.Cleanup(func() {
		b.worker.Stop()
		select {
		case <-b.over:
		case <-time.After(patience):
			t.Error("the worker does not end")
		}
	})
	return b
}

// stream waits for the worker's next stream.
func (b *bench) stream() *fakeStream {
	b.t.Helper()
	return received(b.t, "stream", b.fake.connects)
}

// ended waits for the end of Run, and returns what it returned.
func (b *bench) ended() error {
	b.t.Helper()
	err := received(b.t, "end of the worker", b.over)
	b.over <- err // for the cleanup
	return err
}

func received[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s", what)
		panic("unreachable")
	}
}

// gate is an action that says that it has begun, and ends when it is told.
type gate struct {
	begun chan string // idempotency keys
	open  chan struct{}
	cause chan error // why its context has ended, if it did before
}

func newGate() *gate {
	return &gate{
		begun: make(chan string, 10), open: make(chan struct{}), cause: make(chan error, 10),
	}
}

func (g *gate) handler() *Handler {
	return NewHandler("gate", func(ctx context.Context, _ map[string]any) (string, error) {
		g.begun <- CurrentTask(ctx).IdempotencyKey
		select {
		case <-g.open:
			return "through", nil
		case <-ctx.Done():
			g.cause <- context.Cause(ctx)
			return "too late", nil
		}
	})
}

type addition struct {
	A int `json:"a"`
	B int `json:"b" autan:"default=1"`
}

func add() *Handler {
	return NewHandler("add", func(_ context.Context, in addition) (int, error) {
		return in.A + in.B, nil
	})
}

var errCut = status.Error(codes.Unavailable, "cut")

func jsonOf(r *pb.TaskResult) string {
	if f := r.GetFailure(); f != nil {
		return fmt.Sprintf("failure %s: %s", f.GetFailure().GetType(), f.GetFailure().GetMessage())
	}
	return r.GetResult().GetJson()
}

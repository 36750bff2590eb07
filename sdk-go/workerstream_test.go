package autan

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

func TestWorkerGoesOnOverALostStream(t *testing.T) {
	g := newGate()
	b := startWorker(t, newFake(), nil, []*Handler{g.handler(), add()}, WithMaxTasks(4))
	s := b.stream().welcome(fakeTerms)
	s.setAnswer(func(*pb.TaskResult) *pb.TaskResultAck { return nil })
	s.deal("kept", "gate", `{}`)
	received(t, "begin", g.begun)
	s.deal("done", "add", `{"a": 1}`)
	s.deal("doubtful", "add", `{"a": 2}`)
	s.result(t, "done")
	s.result(t, "doubtful")
	s.drop(errCut)

	s = b.stream()
	held := slices.Sorted(slices.Values(s.hello.GetHeldTokens()))
	if !slices.Equal(held, []string{"done", "doubtful", "kept"}) {
		t.Errorf("holds %v", held)
	}
	if n := s.hello.GetQueues()[0].GetCredits(); n != 3 {
		t.Errorf("grants %d", n)
	}
	// The result of one that is lost is sent again: perhaps only its answer was lost.
	s.welcome(&pb.Welcome{LostTokens: []string{"done"}})
	if a, b := jsonOf(s.result(t, "done")), jsonOf(s.result(t, "doubtful")); a != "2" || b != "3" {
		t.Errorf("got %s, %s", a, b)
	}
	close(g.open)
	if got := jsonOf(s.result(t, "kept")); got != `"through"` {
		t.Errorf("got %s", got)
	}
	if h := b.worker.Health(); !h.Connected || h.LastError == nil {
		t.Errorf("got %+v", h)
	}
}

func TestWorkerLosesLeasesAtReconnect(t *testing.T) {
	g := newGate()
	b := startWorker(t, newFake(), nil, []*Handler{g.handler()})
	s := b.stream().welcome(fakeTerms)
	s.deal("t1", "gate", `{}`)
	received(t, "begin", g.begun)
	s.drop(errCut)
	b.stream().welcome(&pb.Welcome{LostTokens: []string{"t1"}})
	if cause := received(t, "cause", g.cause); !errors.Is(cause, ErrLeaseLost) {
		t.Errorf("got %v", cause)
	}
}

func TestWorkerTellsProgressAgainAtReconnect(t *testing.T) {
	g := newGate()
	b := startWorker(t, newFake(), nil, []*Handler{NewHandler("tell",
		func(ctx context.Context, _ struct{}) (any, error) {
			err := Heartbeat(ctx, "half")
			<-g.open
			return nil, err
		})})
	defer close(g.open)
	told := func(s *fakeStream) bool {
		return slices.ContainsFunc(s.heartbeats("t1"), func(h *pb.TaskHeartbeat) bool {
			return h.GetProgress().GetJson() == `"half"`
		})
	}
	s := b.stream().welcome(fakeTerms)
	s.deal("t1", "tell", `{}`)
	s.until(t, "progress", told)
	s.drop(errCut)
	b.stream().welcome(fakeTerms).until(t, "progress again", told)
}

func TestWorkerLeavesASilentServer(t *testing.T) {
	f := newFake()
	b := startWorker(t, f, func(w *workerTiming) { w.missed = 3 }, []*Handler{add()})
	first := b.stream()
	first.setMute(true)
	first.welcome(terms(300*time.Millisecond, 20*time.Millisecond))
	second := b.stream().welcome(fakeTerms)
	first.until(t, "end", func(s *fakeStream) bool { return s.broken })
	if h := b.worker.Health(); !errors.Is(h.LastError, errSilent) {
		t.Errorf("got %+v", h)
	}
	second.deal("t1", "add", `{"a": 1}`)
	second.result(t, "t1")
}

func TestWorkerLeavesAServerThatDoesNotWelcomeIt(t *testing.T) {
	b := startWorker(t, newFake(), func(w *workerTiming) { w.welcome = 20 * time.Millisecond },
		[]*Handler{add()})
	b.stream()
	b.stream().send(&pb.ConnectResponse{}) // not a welcome
	b.stream()
	if h := b.worker.Health(); h.Connected || h.LastError == nil {
		t.Errorf("got %+v", h)
	}
}

func TestWorkerChangesStreamsWhenAsked(t *testing.T) {
	g := newGate()
	b := startWorker(t, newFake(), nil, []*Handler{g.handler()}, WithMaxTasks(2))
	first := b.stream().welcome(fakeTerms)
	first.deal("t1", "gate", `{}`)
	received(t, "begin", g.begun)
	first.send(&pb.ConnectResponse{GoingAway: &pb.GoingAway{
		ReconnectDelay: durationpb.New(time.Millisecond),
	}})
	second := b.stream()
	if held := second.hello.GetHeldTokens(); !slices.Equal(held, []string{"t1"}) {
		t.Errorf("holds %v", held)
	}
	// Until the welcome the first stream goes on.
	first.mu.Lock()
	if first.halfClosed || first.broken {
		t.Error("the first stream ended before the second began")
	}
	first.mu.Unlock()
	if h := b.worker.Health(); !h.Connected {
		t.Errorf("got %+v", h)
	}
	second.welcome(fakeTerms)
	first.until(t, "end of the first stream", func(s *fakeStream) bool { return s.halfClosed })
	close(g.open)
	second.result(t, "t1")
	if n := len(first.results("t1")); n != 0 {
		t.Errorf("%d results on the first stream", n)
	}
}

func TestWorkerGivesUpWhatTimeDoesNotMend(t *testing.T) {
	f := newFake()
	f.connect = func() error { return fail(codes.InvalidArgument, ReasonInvalidField) }
	b := startWorker(t, f, nil, []*Handler{add()})
	if err := b.ended(); !IsReason(err, ReasonInvalidField) {
		t.Errorf("got %v", err)
	}
	f = newFake()
	var tries atomic.Int64
	f.connect = func() error {
		if n := tries.Add(1); n == 1 || n == 3 {
			return nil
		}
		return fail(codes.Unauthenticated, "")
	}
	// What has worked once may work again.
	b = startWorker(t, f, nil, []*Handler{add()})
	b.stream().welcome(fakeTerms).drop(errCut)
	b.stream().welcome(fakeTerms)

	f = newFake()
	f.connect = func() error { return fail(codes.Unauthenticated, "") }
	b = startWorker(t, f, nil, []*Handler{add()})
	var e *Error
	if err := b.ended(); !errors.As(err, &e) || e.Code != codes.Unauthenticated {
		t.Errorf("got %v", err)
	}
}

func TestWorkerTakesNewConnections(t *testing.T) {
	for _, c := range []struct {
		name    string
		refused int64 // streams that fail at first
		mute    bool  // the first that does not
		want    int64
	}{
		{"after failures in a row", 2 * freshAfter, false, 3},
		{"after silence", 0, true, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake()
			var tries, dials atomic.Int64
			f.connect = func() error {
				if tries.Add(1) <= c.refused {
					return errCut
				}
				return nil
			}
			client := dialFake(t, f, WithLazyDial())
			client.workerTiming = fastWorker()
			client.workerTiming.missed = 3
			dial := client.dialStream
			client.dialStream = func() (*grpc.ClientConn, error) {
				dials.Add(1)
				return dial()
			}
			w := NewWorker(client, "", WithLogger(discard()))
			w.Add(add())
			over := make(chan error, 1)
			go func() { over <- w.Run(t.Context()) }()
			s := received(t, "stream", f.connects)
			if c.mute {
				s.setMute(true)
				s.welcome(terms(time.Minute, 10*time.Millisecond))
				s = received(t, "stream", f.connects)
			}
			s.welcome(fakeTerms)
			<-w.Ready()
			w.Stop()
			if err := received(t, "end", over); err != nil {
				t.Error(err)
			}
			if n := dials.Load(); n != c.want {
				t.Errorf("%d connections", n)
			}
		})
	}
}

func TestWorkerUsesCallsWhileThereIsNoStream(t *testing.T) {
	f := newFake()
	var refuse atomic.Bool
	f.connect = func() error {
		if refuse.Load() {
			return errCut
		}
		return nil
	}
	completed := make(chan *pb.CompleteTaskRequest, 10)
	on(f, "WorkerService/CompleteTask", func(
		_ context.Context, r *pb.CompleteTaskRequest,
	) (*pb.CompleteTaskResponse, error) {
		completed <- r
		return &pb.CompleteTaskResponse{}, nil
	})
	failures := make(chan *pb.FailTaskRequest, 10)
	on(f, "WorkerService/FailTask", func(
		_ context.Context, r *pb.FailTaskRequest,
	) (*pb.FailTaskResponse, error) {
		failures <- r
		return nil, fail(codes.FailedPrecondition, ReasonTaskLeaseLost)
	})
	renewed := make(chan *pb.HeartbeatTasksRequest, 1000)
	on(f, "WorkerService/HeartbeatTasks", func(
		_ context.Context, r *pb.HeartbeatTasksRequest,
	) (*pb.HeartbeatTasksResponse, error) {
		out := &pb.HeartbeatTasksResponse{}
		for _, h := range r.GetTasks() {
			state := pb.LeaseStatus_LEASE_STATUS_HELD
			if h.GetToken() == "unwanted" {
				state = pb.LeaseStatus_LEASE_STATUS_CANCEL_REQUESTED
			}
			out.Tasks = append(out.Tasks, &pb.TaskHeartbeatResult{Token: h.GetToken(), Status: state})
		}
		select {
		case renewed <- r:
		default:
		}
		return out, nil
	})
	g, unwanted := newGate(), newGate()
	b := startWorker(t, f, func(w *workerTiming) { w.unaryAfter = 10 * time.Millisecond },
		[]*Handler{g.handler(), NewHandler("fail",
			func(ctx context.Context, _ struct{}) (any, error) {
				<-g.open
				return nil, errors.New("no")
			}), NewHandler("unwanted", unwanted.handler().invokeAs())})
	s := b.stream().welcome(terms(2*time.Second, 50*time.Millisecond))
	s.deal("t1", "gate", `{}`)
	s.deal("t2", "fail", `{}`)
	s.deal("unwanted", "unwanted", `{}`)
	received(t, "begin", g.begun)
	received(t, "begin", unwanted.begun)
	s.accept(t, "t2")
	refuse.Store(true)
	s.drop(errCut)
	for r := received(t, "renewal", renewed); ; r = received(t, "renewal", renewed) {
		if r.GetWorkerId() != b.worker.ID() {
			t.Errorf("got %v", r)
		}
		if slices.ContainsFunc(r.GetTasks(), func(h *pb.TaskHeartbeat) bool {
			return h.GetToken() == "t1"
		}) {
			break
		}
	}
	if cause := received(t, "cause", unwanted.cause); !errors.Is(cause, ErrCancelled) {
		t.Errorf("got %v", cause)
	}
	if r := received(t, "failure", failures); r.GetToken() != "unwanted" ||
		r.GetFailure().GetFailure().GetType() != FailureCancelled {
		t.Errorf("got %v", r)
	}
	close(g.open)
	if r := received(t, "result", completed); r.GetToken() != "t1" ||
		r.GetResult().GetJson() != `"through"` {
		t.Errorf("got %v", r)
	}
	if r := received(t, "failure", failures); r.GetToken() != "t2" {
		t.Errorf("got %v", r)
	}
	b.stop()
	if err := b.ended(); err != nil {
		t.Error(err)
	}
}

// invokeAs returns the function of a handler, for another name.
func (h *Handler) invokeAs() func(context.Context, *Payload) (any, error) { return h.invoke }

package autan

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

func TestWorkerPerformsATask(t *testing.T) {
	b := startWorker(t, newFake(), nil, []*Handler{NewHandler("add",
		func(_ context.Context, in addition) (int, error) { return in.A + in.B, nil },
		WithSummary("adds"), WithStartToClose(time.Minute), WithHeartbeatTimeout(time.Second))},
		WithMaxTasks(3), WithIdentity("me"), WithBuildID("b1"), WithWorkerLabel("k", "v"),
		WithMaxOutstandingBytes(1000))
	s := b.stream()
	h := s.hello
	if h.GetProject() != "default" || h.GetWorker().GetWorkerId() != b.worker.ID() ||
		h.GetWorker().GetIdentity() != "me" || h.GetWorker().GetBuildId() != "b1" ||
		h.GetWorker().GetSdk() != "autan-go/"+Version || h.GetWorker().GetLabels()["k"] != "v" ||
		h.GetMaxOutstandingBytes() != 1000 || len(h.GetHeldTokens()) != 0 {
		t.Errorf("got hello %v", h)
	}
	q := h.GetQueues()[0]
	a := q.GetActions()[0]
	if q.GetQueue() != "default" || q.GetCredits() != 3 || a.GetName() != "add" ||
		a.GetDescription() != "adds" || a.GetStartToCloseTimeout().AsDuration() != time.Minute ||
		a.GetHeartbeatTimeout().AsDuration() != time.Second || a.ScheduleToStartTimeout != nil {
		t.Errorf("got subscription %v", q)
	}
	if in := a.GetInput(); len(in) != 2 || in[0].GetName() != "a" || !in[0].GetRequired() ||
		in[1].GetRequired() || in[1].GetDefaultValue().GetJson() != "1" {
		t.Errorf("got parameters %v", in)
	}
	select {
	case <-b.worker.Ready():
		t.Error("ready before the welcome")
	default:
	}
	s.welcome(fakeTerms)
	received(t, "welcome", b.worker.Ready())

	s.deal("t1", "add", `{"a": 2}`)
	if got := jsonOf(s.result(t, "t1")); got != "3" {
		t.Errorf("got %s", got)
	}
	s.mu.Lock()
	for _, f := range s.frames {
		if len(f.GetResults()) > 0 && (len(f.GetCredits()) != 1 || f.GetCredits()[0].GetCount() != 1) {
			t.Errorf("the result does not bring a credit: %v", f)
		}
	}
	s.mu.Unlock()
	s.accept(t, "t1")

	b.stop()
	s.until(t, "end", func(s *fakeStream) bool { return s.halfClosed && s.drains() })
	if err := b.ended(); err != nil {
		t.Errorf("got %v", err)
	}
	if err := b.worker.Run(t.Context()); err == nil {
		t.Error("a worker ran twice")
	}
}

func TestWorkerAcceptsBeforeTheFunctionEnds(t *testing.T) {
	g := newGate()
	b := startWorker(t, newFake(), nil, []*Handler{g.handler()}, WithMaxTasks(1))
	s := b.stream().welcome(fakeTerms)
	s.deal("t1", "gate", `{}`)
	s.accept(t, "t1")
	if key := received(t, "begin", g.begun); key != "key-t1" {
		t.Errorf("got %s", key)
	}
	// One more than there is room for goes back, and does not begin.
	s.deal("t2", "gate", `{}`)
	s.until(t, "release", func(s *fakeStream) bool { return s.released("t2") })
	if h := b.worker.Health(); !h.Connected || h.Running != 1 {
		t.Errorf("got %+v", h)
	}
	close(g.open)
	if got := jsonOf(s.result(t, "t1")); got != `"through"` {
		t.Errorf("got %s", got)
	}
}

func TestWorkerRenewsAndTellsProgress(t *testing.T) {
	g := newGate()
	said := make(chan struct{})
	telling := NewHandler("tell", func(ctx context.Context, _ struct{}) (string, error) {
		earlier, _, err := EarlierProgress[int](ctx)
		if err != nil || earlier != 7 {
			return "", errors.New("no earlier progress")
		}
		for i := range 1000 {
			if err := Heartbeat(ctx, map[string]int{"step": i}); err != nil {
				return "", err
			}
		}
		close(said)
		<-g.open
		return "told", Heartbeat(ctx, "last")
	})
	b := startWorker(t, newFake(), nil, []*Handler{g.handler(), telling})
	s := b.stream().welcome(terms(time.Minute, 20*time.Millisecond))
	s.deal("still", "gate", `{}`)
	s.deal("loud", "tell", `{}`, func(task *pb.WorkerTask) {
		task.Progress = &pb.Payload{Encoding: &pb.Payload_Json{Json: "7"}}
	})
	received(t, "progress", said)
	s.until(t, "progress and renewals", func(s *fakeStream) bool {
		loud := s.heartbeats("loud")
		return len(s.heartbeats("still")) >= 3 && slices.ContainsFunc(loud,
			func(h *pb.TaskHeartbeat) bool { return h.GetProgress().GetJson() == `{"step":999}` })
	})
	s.mu.Lock()
	if n := len(s.heartbeats("loud")); n > 500 {
		t.Errorf("%d heartbeats are not throttled", n)
	}
	for _, h := range s.heartbeats("still") {
		if h.GetProgress() != nil {
			t.Errorf("got progress %v of an action that said none", h)
		}
	}
	s.mu.Unlock()
	close(g.open)
	s.result(t, "loud")
	s.mu.Lock()
	defer s.mu.Unlock()
	if all := s.heartbeats("loud"); all[len(all)-1].GetProgress().GetJson() != `"last"` {
		t.Errorf("the last word was %v", all[len(all)-1])
	}
}

func TestWorkerCancels(t *testing.T) {
	g := newGate()
	b := startWorker(t, newFake(), nil, []*Handler{g.handler()}, WithMaxTasks(2))
	s := b.stream().welcome(fakeTerms)
	s.deal("t1", "gate", `{}`)
	received(t, "begin", g.begun)
	s.lease("t1", pb.LeaseStatus_LEASE_STATUS_CANCEL_REQUESTED, "by Ada")
	cause := received(t, "cause", g.cause)
	if !errors.Is(cause, ErrCancelled) || !strings.Contains(cause.Error(), "by Ada") {
		t.Errorf("got %v", cause)
	}
	// The function has returned a value; it counts as cancelled all the same.
	r := s.result(t, "t1")
	if r.GetFailure().GetFailure().GetType() != FailureCancelled {
		t.Errorf("got %v", r)
	}
}

func TestWorkerLosesLeases(t *testing.T) {
	for _, c := range []struct {
		name  string
		lease time.Duration
		lose  func(*fakeStream)
		why   string
	}{
		{"told", time.Minute, func(s *fakeStream) {
			s.lease("t1", pb.LeaseStatus_LEASE_STATUS_LOST, "expired")
		}, "expired"},
		// The server grants less than the time until the next renewal.
		{"by its own clock", 50 * time.Millisecond, func(*fakeStream) {}, "not renewed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate()
			b := startWorker(t, newFake(), nil, []*Handler{g.handler()}, WithMaxTasks(1))
			s := b.stream().welcome(terms(c.lease, 20*time.Second))
			s.deal("t1", "gate", `{}`)
			received(t, "begin", g.begun)
			c.lose(s)
			cause := received(t, "cause", g.cause)
			if !errors.Is(cause, ErrLeaseLost) || !strings.Contains(cause.Error(), c.why) {
				t.Errorf("got %v", cause)
			}
			s.until(t, "credit", func(s *fakeStream) bool { return s.credits() == 1 })
			b.stop()
			if err := b.ended(); err != nil {
				t.Error(err)
			}
			if r := s.results("t1"); len(r) > 0 {
				t.Errorf("a lost task has a result: %v", r)
			}
		})
	}
}

// A renewal counts from when it was sent, and keeps the function running.
func TestWorkerKeepsLeasesThatAreConfirmed(t *testing.T) {
	g := newGate()
	b := startWorker(t, newFake(), nil, []*Handler{g.handler()})
	s := b.stream().welcome(terms(2*time.Second, 20*time.Millisecond))
	s.deal("t1", "gate", `{}`)
	received(t, "begin", g.begun)
	timer := time.NewTimer(2500 * time.Millisecond)
	defer timer.Stop()
	select {
	case cause := <-g.cause:
		t.Fatalf("ended with %v", cause)
	case <-timer.C:
	}
	close(g.open)
	if got := jsonOf(s.result(t, "t1")); got != `"through"` {
		t.Errorf("got %s", got)
	}
}

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

func TestWorkerHeedsAnswers(t *testing.T) {
	refused := func(reason Reason, retryable bool) *pb.TaskResultAck {
		return &pb.TaskResultAck{
			ErrorReason: string(reason), ErrorMessage: "no", Retryable: retryable,
		}
	}
	for _, c := range []struct {
		name    string
		answers []*pb.TaskResultAck // one for each time; then it is accepted
		want    []string            // what is sent
	}{
		{"again", []*pb.TaskResultAck{
			refused(ReasonStoreUnavailable, true), refused(ReasonStoreUnavailable, true),
		}, []string{"3", "3", "3"}},
		{"late", []*pb.TaskResultAck{refused(ReasonTaskLeaseLost, false)}, []string{"3"}},
		{"too large", []*pb.TaskResultAck{refused(ReasonPayloadTooLarge, false)},
			[]string{"3", "failure PAYLOAD_TOO_LARGE: no"}},
		{"hopeless", []*pb.TaskResultAck{
			refused(ReasonPayloadInvalid, false), refused(ReasonInvalidField, false),
		}, []string{"3", "failure PAYLOAD_INVALID: no"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := startWorker(t, newFake(), nil, []*Handler{add()})
			s := b.stream()
			asked := 0
			s.setAnswer(func(r *pb.TaskResult) *pb.TaskResultAck {
				ack := &pb.TaskResultAck{}
				if asked++; asked <= len(c.answers) {
					ack = c.answers[asked-1]
				}
				ack.Token = r.GetToken()
				return ack
			})
			s.welcome(fakeTerms).deal("t1", "add", `{"a": 2}`)
			s.result(t, "t1")
			// It ends when all is confirmed or given up.
			b.stop()
			if err := b.ended(); err != nil {
				t.Error(err)
			}
			var got []string
			for _, r := range s.results("t1") {
				got = append(got, jsonOf(r))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("sent %q, want %q", got, c.want)
			}
		})
	}
}

func TestWorkerKnowsTheLimitOfResults(t *testing.T) {
	b := startWorker(t, newFake(), nil, []*Handler{NewHandler("big",
		func(_ context.Context, in struct{ Fail bool }) (string, error) {
			text := strings.Repeat("x", 1000)
			if in.Fail {
				return "", &ActionError{Type: "Big", Message: "too big", Details: text}
			}
			return text, nil
		})})
	s := b.stream().welcome(&pb.Welcome{PayloadBytesMax: 100})
	s.deal("result", "big", `{"fail": false}`)
	if r := s.result(t, "result").GetFailure(); !r.GetNonRetryable() ||
		r.GetFailure().GetType() != "PAYLOAD_TOO_LARGE" {
		t.Errorf("got %v", r)
	}
	s.deal("details", "big", `{"fail": true}`)
	if f := s.result(t, "details").GetFailure().GetFailure(); f.GetType() != "Big" ||
		f.Details != nil || !strings.Contains(f.GetMessage(), "details") {
		t.Errorf("got %v", f)
	}
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

func TestWorkerDrains(t *testing.T) {
	g := newGate()
	b := startWorker(t, newFake(), nil, []*Handler{g.handler()}, WithMaxTasks(3))
	s := b.stream().welcome(fakeTerms)
	s.deal("t1", "gate", `{}`)
	received(t, "begin", g.begun)
	b.stop()
	s.until(t, "drain", (*fakeStream).drains)
	// What was under way goes back.
	s.deal("t2", "gate", `{}`)
	s.until(t, "release", func(s *fakeStream) bool { return s.released("t2") })
	close(g.open)
	s.result(t, "t1")
	if err := b.ended(); err != nil {
		t.Error(err)
	}
	if n := s.credits(); n != 0 {
		t.Errorf("%d credits after the drain", n)
	}
}

func TestWorkerGivesBackWhatDoesNotEnd(t *testing.T) {
	for _, c := range []struct {
		name  string
		drain time.Duration
		end   func(*bench)
	}{
		{"after the timeout", time.Millisecond, func(b *bench) { b.stop() }},
		{"when stopped", time.Hour, func(b *bench) { b.worker.Stop() }},
		{"when stopped while it drains", time.Hour, func(b *bench) { b.stop(); b.worker.Stop() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate()
			deaf := make(chan struct{})
			defer close(deaf)
			b := startWorker(t, newFake(), func(w *workerTiming) { w.grace = 50 * time.Millisecond },
				[]*Handler{g.handler(), NewHandler("deaf",
					func(context.Context, struct{}) (any, error) { <-deaf; return nil, nil }),
					NewHandler("heeds", func(ctx context.Context, _ struct{}) (any, error) {
						g.begun <- ""
						<-ctx.Done()
						return nil, ctx.Err()
					})}, WithDrainTimeout(c.drain))
			s := b.stream().welcome(fakeTerms)
			s.deal("value", "gate", `{}`)
			s.deal("error", "heeds", `{}`)
			s.deal("deaf", "deaf", `{}`)
			received(t, "begin", g.begun)
			received(t, "begin", g.begun)
			s.accept(t, "deaf")
			c.end(b)
			if cause := received(t, "cause", g.cause); !errors.Is(cause, ErrWorkerStopped) {
				t.Errorf("got %v", cause)
			}
			if err := b.ended(); err == nil || !strings.Contains(err.Error(), "given back") {
				t.Errorf("got %v", err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			// What comes at once still counts; an error is that of the worker, not of the action.
			if r := s.results("value"); len(r) != 1 || jsonOf(r[0]) != `"too late"` {
				t.Errorf("got %v", r)
			}
			if !s.released("error") || !s.released("deaf") || s.released("value") {
				t.Errorf("got %v", s.frames)
			}
		})
	}
}

func TestWorkerSaysWhatIsWrong(t *testing.T) {
	ok := func(context.Context, struct{}) (any, error) { return nil, nil }
	for _, c := range []struct {
		name     string
		handlers []*Handler
		opts     []WorkerOption
		want     string
	}{
		{"none", nil, nil, "no actions"},
		{"twice", []*Handler{add(), add()}, nil, "twice"},
		{"no name", []*Handler{NewHandler("", ok)}, nil, "no name"},
		{"long name", []*Handler{NewHandler(strings.Repeat("x", 256), ok)}, nil, "255"},
		{"the server's", []*Handler{NewHandler("std.echo", ok)}, nil, "std."},
		{"no function", []*Handler{NewHandler[any, any]("x", nil)}, nil, "no function"},
		{"timeout", []*Handler{NewHandler("x", ok, WithStartToClose(-1))}, nil, "below 0"},
		{"tag", []*Handler{NewHandler("x",
			func(context.Context, struct {
				A int `autan:"default=x"`
			}) (any, error) {
				return nil, nil
			})}, nil, "not JSON"},
		{"default", []*Handler{NewHandler("x",
			func(context.Context, struct {
				A int `autan:"default=\"x\""`
			}) (any, error) {
				return nil, nil
			})}, nil, "default"},
		{"tasks", []*Handler{add()}, []WorkerOption{WithMaxTasks(0)}, "MaxTasks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := NewWorker(dialFake(t, newFake(), WithLazyDial()), "", c.opts...)
			w.Add(c.handlers...)
			if err := w.Run(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
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

func TestWorkerEndsWithItsClient(t *testing.T) {
	g := newGate()
	b := startWorker(t, newFake(), nil, []*Handler{g.handler()})
	s := b.stream().welcome(fakeTerms)
	s.deal("t1", "gate", `{}`)
	received(t, "begin", g.begun)
	b.client.closing.Do(func() { close(b.client.closed) })
	if err := b.ended(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if cause := received(t, "cause", g.cause); !errors.Is(cause, ErrWorkerStopped) {
		t.Errorf("got %v", cause)
	}
}

func TestWorkerTakesANewConnectionAfterFailures(t *testing.T) {
	f := newFake()
	var tries atomic.Int64
	f.connect = func() error {
		if tries.Add(1) <= 2*freshAfter {
			return errCut
		}
		return nil
	}
	g := newGate()
	g.open = nil
	c := dialFake(t, f, WithLazyDial())
	c.workerTiming = fastWorker()
	var dials atomic.Int64
	dial := c.dialStream
	c.dialStream = func() (*grpc.ClientConn, error) {
		dials.Add(1)
		return dial()
	}
	w := NewWorker(c, "", WithLogger(discard()))
	w.Add(add())
	over := make(chan error, 1)
	go func() { over <- w.Run(t.Context()) }()
	received(t, "stream", f.connects).welcome(fakeTerms)
	if n := dials.Load(); n != 3 {
		t.Errorf("%d connections", n)
	}
	w.Stop()
	if err := received(t, "end", over); err != nil {
		t.Error(err)
	}
}

func TestWorkerEndsFunctionsAtTheirDeadline(t *testing.T) {
	g := newGate()
	f := newFake()
	// The clock of this machine is an hour behind the server's.
	on(f, "SystemService/GetServerInfo", func(
		context.Context, *pb.GetServerInfoRequest,
	) (*pb.GetServerInfoResponse, error) {
		return &pb.GetServerInfoResponse{
			CurrentTime: timestamppb.New(time.Now().Add(time.Hour)),
		}, nil
	})
	b := startWorker(t, f, nil, []*Handler{g.handler()})
	b.client.measureClock(t.Context())
	s := b.stream().welcome(fakeTerms)
	s.deal("late", "gate", `{}`, func(task *pb.WorkerTask) {
		task.Deadline = timestamppb.New(time.Now().Add(time.Hour + 20*time.Millisecond))
	})
	if cause := received(t, "cause", g.cause); !errors.Is(cause, context.DeadlineExceeded) {
		t.Errorf("got %v", cause)
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

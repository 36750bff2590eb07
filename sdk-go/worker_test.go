package autan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

func TestWorkerPerformsATask(t *testing.T) {
	b := startWorker(t, newFake(), nil, []*Handler{NewHandler("add",
		func(_ context.Context, in addition) (int, error) { return in.A + in.B, nil },
		WithSummary("adds"), WithVersion("2"),
		WithStartToClose(time.Minute), WithHeartbeatTimeout(time.Second))},
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
		a.GetDescription() != "adds" || a.GetVersion() != "2" ||
		a.GetStartToCloseTimeout().AsDuration() != time.Minute ||
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
		{"failure", []*pb.TaskResultAck{refused(ReasonPayloadTooLarge, false)},
			[]string{"failure error: bad", "failure error: bad (the rest was refused: no)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := startWorker(t, newFake(), nil, []*Handler{add(), NewHandler("failure",
				func(context.Context, any) (any, error) { return nil, errors.New("bad") })})
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
			action := "add"
			if c.name == "failure" {
				action = c.name
			}
			s.welcome(fakeTerms).deal("t1", action, `{"a": 2}`)
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

func TestWorkerSendsResultsAgainThatGetNoAnswer(t *testing.T) {
	b := startWorker(t, newFake(), nil, []*Handler{add()})
	s := b.stream()
	s.setAnswer(func(*pb.TaskResult) *pb.TaskResultAck { return nil })
	s.welcome(terms(50*time.Millisecond, 20*time.Second)).deal("t1", "add", `{"a": 2}`)
	s.until(t, "second result", func(s *fakeStream) bool { return len(s.results("t1")) >= 2 })
	s.setAnswer(nil)
	b.stop()
	if err := b.ended(); err != nil {
		t.Error(err)
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

// A server that deals as fast as it may never has more under way than it was granted, and gets each
// result once.
func TestWorkerKeepsItsCredits(t *testing.T) {
	const tasks, limit = 2000, 7
	var running, most atomic.Int64
	b := startWorker(t, newFake(), nil, []*Handler{NewHandler("count",
		func(_ context.Context, in struct{ N int }) (int, error) {
			now := running.Add(1)
			defer running.Add(-1)
			for {
				seen := most.Load()
				if now <= seen || most.CompareAndSwap(seen, now) {
					return in.N, nil
				}
			}
		})}, WithMaxTasks(limit))
	s := b.stream().welcome(fakeTerms)
	for n := range tasks {
		s.until(t, "credit", func(s *fakeStream) bool { return limit+s.credits() > n })
		s.deal(fmt.Sprint(n), "count", fmt.Sprintf(`{"n": %d}`, n))
	}
	s.until(t, "last credits", func(s *fakeStream) bool { return s.credits() == tasks })
	b.stop()
	if err := b.ended(); err != nil {
		t.Error(err)
	}
	results, seen := 0, map[string]bool{}
	for _, f := range s.frames {
		for _, r := range f.GetResults() {
			results++
			seen[r.GetToken()] = r.GetResult().GetJson() == r.GetToken()
		}
		if len(f.GetReleases()) > 0 {
			t.Errorf("released %v", f.GetReleases())
		}
	}
	if results != tasks || len(seen) != tasks || most.Load() > limit {
		t.Errorf("%d results of %d tasks, at most %d at once", results, len(seen), most.Load())
	}
	if left := b.worker.table.tally(); left != (tally{}) {
		t.Errorf("left %+v", left)
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

func TestQueuesHaveTheirOwnActionsAndRoom(t *testing.T) {
	release := make(chan struct{})
	render := NewHandler("render", func(ctx context.Context, _ struct{}) (string, error) {
		<-release
		task := CurrentTask(ctx)
		return task.RequiredVersion + " for " + task.AffinityKey, nil
	}, WithQueue("gpu", "gpu"))
	where := NewHandler("where", func(ctx context.Context, _ struct{}) (string, error) {
		return CurrentTask(ctx).Queue, nil
	})
	b := startWorker(t, newFake(), nil, []*Handler{render, where},
		WithMaxTasks(3), WithQueueLimit("gpu", 1))
	s := b.stream()
	var told []string
	for _, q := range s.hello.GetQueues() {
		for _, a := range q.GetActions() {
			told = append(told, fmt.Sprintf("%s %s %d", q.GetQueue(), a.GetName(), q.GetCredits()))
		}
	}
	if want := []string{"default where 3", "gpu render 1"}; !slices.Equal(told, want) {
		t.Errorf("got %v, want %v", told, want)
	}
	s.welcome(fakeTerms)
	of := func(task *pb.WorkerTask) {
		task.Queue, task.RequiredVersion, task.AffinityKey = "gpu", "2", "picture 7"
	}
	// The one queue is full, and the other is not.
	s.deal("g1", "render", `{}`, of)
	s.deal("g2", "render", `{}`, of)
	s.deal("d1", "where", `{}`)
	if got := jsonOf(s.result(t, "d1")); got != `"default"` {
		t.Errorf("got %s", got)
	}
	close(release)
	if got := jsonOf(s.result(t, "g1")); got != `"2 for picture 7"` {
		t.Errorf("got %s", got)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var released []string
	granted := map[string]int32{}
	for _, f := range s.frames {
		released = append(released, f.GetReleases()...)
		for _, c := range f.GetCredits() {
			granted[c.GetQueue()] += c.GetCount()
		}
	}
	if !slices.Equal(released, []string{"g2"}) {
		t.Errorf("released %v", released)
	}
	if granted["default"] != 1 || granted["gpu"] > 1 {
		t.Errorf("granted %v", granted)
	}
}

// A function that ends the process must not do so before the server knows that it was handed out.
func TestFunctionsBeginAfterTheirAccepts(t *testing.T) {
	table := newLeaseTable(fastWorker(), discard(), map[string]int{"default": 5})
	causes := map[string]error{}
	table.start = func(l *lease) {
		causes[l.task.Token] = nil
		l.cancel = func(cause error) { causes[l.task.Token] = cause }
	}
	s := &workerSession{
		table: table, wake: make(chan struct{}, 1), outstanding: map[string]int{},
	}
	table.attach(s, fakeTerms)
	for _, token := range []string{"plain", "cancelled", "lost", "returned"} {
		table.task(s, &pb.WorkerTask{Token: token, Queue: "default"})
	}
	frame, _, _ := table.frame(s, time.Now())
	if len(frame.GetAccepts()) != 4 || len(causes) != 0 || table.tally().running != 4 {
		t.Fatalf("accepted %v, begun %v", frame.GetAccepts(), causes)
	}
	table.status(&pb.TaskHeartbeatResult{
		Token: "cancelled", Status: pb.LeaseStatus_LEASE_STATUS_CANCEL_REQUESTED,
	})
	table.status(&pb.TaskHeartbeatResult{
		Token: "lost", Status: pb.LeaseStatus_LEASE_STATUS_LOST,
	})
	table.giveBack(table.leases["returned"])
	// The message got lost with its stream: they are accepted again over the next one.
	next := &workerSession{
		table: table, wake: make(chan struct{}, 1), outstanding: map[string]int{},
	}
	table.attach(next, fakeTerms)
	frame, _, _ = table.frame(next, time.Now())
	accepts := slices.Sorted(slices.Values(frame.GetAccepts()))
	if !slices.Equal(accepts, []string{"cancelled", "plain"}) {
		t.Errorf("accepted %v", accepts)
	}
	table.begin(accepts)
	if cause, ok := causes["plain"]; !ok || cause != nil {
		t.Errorf("begun %v", causes)
	}
	if !errors.Is(causes["cancelled"], ErrCancelled) || len(causes) != 2 {
		t.Errorf("begun %v", causes)
	}
	if n := table.tally().running; n != 2 {
		t.Errorf("%d run", n)
	}
}

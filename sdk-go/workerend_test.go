package autan

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

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
			b := startWorker(t, newFake(), func(w *workerTiming) {
				w.grace, w.progress = 50*time.Millisecond, time.Hour
			},
				[]*Handler{g.handler(), NewHandler("deaf",
					func(context.Context, struct{}) (any, error) { <-deaf; return nil, nil }),
					NewHandler("heeds", func(ctx context.Context, _ struct{}) (any, error) {
						for i := range 3 {
							if err := Heartbeat(ctx, i); err != nil {
								return nil, err
							}
						}
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
			said := s.heartbeats("error")
			if len(said) == 0 || said[len(said)-1].GetProgress().GetJson() != "2" {
				t.Errorf("its last word was %v", said)
			}
			if !s.released("error") || !s.released("deaf") || s.released("value") {
				t.Errorf("got %v", s.frames)
			}
		})
	}
}

func TestWorkerHeedsSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot send itself signals")
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	g := newGate()
	f := newFake()
	c := dialFake(t, f, WithLazyDial())
	w := NewWorker(c, "", WithLogger(discard()), WithDrainTimeout(time.Hour))
	w.Add(g.handler())
	over := make(chan error, 1)
	go func() { over <- w.RunUntilSignal(t.Context()) }()
	s := received(t, "stream", f.connects).welcome(fakeTerms)
	s.deal("t1", "gate", `{}`)
	received(t, "begin", g.begun)
	if err := self.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.until(t, "drain", (*fakeStream).drains)
	if len(over) > 0 {
		t.Fatal("the first signal does not wait for what runs")
	}
	if err := self.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if cause := received(t, "cause", g.cause); !errors.Is(cause, ErrWorkerStopped) {
		t.Errorf("got %v", cause)
	}
	if err := received(t, "end", over); err != nil {
		t.Errorf("got %v", err)
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
		{"limit", []*Handler{add()}, []WorkerOption{WithQueueLimit("gpu", 1)}, `queue "gpu"`},
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

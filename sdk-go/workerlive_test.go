package autan_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	autan "github.com/autan-dev/autan/sdk-go"
	"github.com/autan-dev/autan/sdk-go/autantest"
	"github.com/autan-dev/autan/sdk-go/define"
)

// work runs a worker until the end of the test, and returns what ends it in good order.
func work(
	t *testing.T, c *autan.Client, handlers []*autan.Handler, opts ...autan.WorkerOption,
) (*autan.Worker, func() error) {
	t.Helper()
	quiet := autan.WithLogger(slog.New(slog.DiscardHandler))
	w := autan.NewWorker(c, "", append([]autan.WorkerOption{quiet}, opts...)...)
	w.Add(handlers...)
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- w.Run(ctx) }()
	end := func() error {
		cancel()
		err := <-over
		over <- err
		return err
	}
	t.Cleanup(func() {
		w.Stop()
		_ = end() // what matters was said before
	})
	select {
	case <-w.Ready():
	case err := <-over:
		t.Fatalf("the worker ended with %v", err)
	}
	return w, end
}

func workflowOf(name, action string) *define.WorkflowBuilder {
	return define.Workflow(name).Output("out", "<% $.out %>").
		Task("do", define.Action(action).Publish("out", "<% task().result %>"))
}

type soldOut struct{ item string }

func (e *soldOut) Error() string { return "no more " + e.item }

func TestLiveWorker(t *testing.T) {
	ctx := limited(t)
	c := autantest.StartLocal(t).Dial(t, autan.WithProject("go"))
	type order struct {
		Item  string `json:"item"`
		Count int    `json:"count" autan:"default=2"`
	}
	w, end := work(t, c, []*autan.Handler{autan.NewHandler("stock.reserve",
		func(ctx context.Context, in order) (map[string]any, error) {
			task := autan.CurrentTask(ctx)
			return map[string]any{
				"text": fmt.Sprintf("%d %s", in.Count, in.Item), "uid": task.ExecutionUID,
				"attempt": task.Attempt, "delivery": task.Delivery, "task": task.TaskName,
			}, nil
		}, autan.WithSummary("takes from the stock"))}, autan.WithMaxTasks(3),
		autan.WithWorkerLabel("team", "eu"))

	create(ctx, t, c, define.Workflow("order").Output("out", "<% $.out %>").
		Task("take", define.Action("stock.reserve").Input("item", "tea").
			Publish("out", "<% task().result %>")))
	run, err := c.Start(ctx, "order", nil)
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		Out struct {
			Text, UID, Task   string
			Attempt, Delivery int
		}
	}
	out, err := autan.Result[result](ctx, run)
	if got := out.Out; err != nil || got.Text != "2 tea" || got.UID != run.UID() ||
		got.Attempt != 1 || got.Delivery != 1 || got.Task != "take" {
		t.Errorf("got %+v, %v", got, err)
	}

	info, err := c.Workers().Get(ctx, w.ID())
	if err != nil || !info.Connected || info.Labels["team"] != "eu" || info.Credits != 3 ||
		!slices.Equal(info.Actions, []string{"stock.reserve"}) {
		t.Errorf("got %+v, %v", info, err)
	}
	queues := collected(t, c.Queues().List(ctx, autan.ListOptions{}))
	if len(queues) != 1 || queues[0].Name != "default" || queues[0].Workers != 1 {
		t.Errorf("got %+v", queues)
	}
	if err := end(); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestLiveWorkerFailures(t *testing.T) {
	ctx := limited(t)
	c := autantest.StartLocal(t).Dial(t)
	attempts := make(chan int, 10)
	work(t, c, []*autan.Handler{
		autan.NewHandler("flaky", func(ctx context.Context, in struct{ N int }) (int, error) {
			attempt := autan.CurrentTask(ctx).Attempt
			attempts <- attempt
			if attempt <= in.N {
				return 0, autan.RetryAfter(time.Millisecond, &soldOut{"tea"})
			}
			return attempt, nil
		}),
		autan.NewHandler("never", func(context.Context, struct{}) (any, error) {
			attempts <- 1
			return nil, autan.NonRetryable(fmt.Errorf("reserve: %w", &soldOut{"tea"}))
		}),
	})
	retrying := func(name string, task *define.TaskBuilder) *define.WorkflowBuilder {
		return define.Workflow(name).Output("out", "<% $.get(out) %>").
			Task("do", task.Retry(define.Retry{Count: 3, Delay: time.Hour}).
				Publish("out", "<% task().result %>"))
	}
	create(ctx, t, c, retrying("flaky_run", define.Action("flaky").Input("n", 2)),
		retrying("never_run", define.Action("never")))

	run, err := c.Start(ctx, "flaky_run", nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := autan.Result[struct{ Out int }](ctx, run)
	if err != nil || out.Out != 3 || len(attempts) != 3 {
		t.Errorf("got %+v after %d attempts, %v", out, len(attempts), err)
	}
	for range 3 {
		<-attempts
	}

	if run, err = c.Start(ctx, "never_run", nil); err != nil {
		t.Fatal(err)
	}
	info, err := run.Wait(ctx)
	if err != nil || info.State != autan.ExecutionFailed || len(attempts) != 1 {
		t.Errorf("got %+v after %d attempts, %v", info, len(attempts), err)
	}
	actions := collected(t, run.Actions(ctx, autan.ListOptions{Full: true}))
	f := actions[0].Failure
	if f == nil || f.Type != "soldOut" || f.Message != "reserve: no more tea" || f.Cause == nil ||
		f.Cause.Message != "no more tea" {
		t.Errorf("got %+v", f)
	}
}

func TestLiveWorkerCancelled(t *testing.T) {
	ctx := limited(t)
	c := autantest.StartLocal(t).Dial(t)
	begun, causes := make(chan string, 1), make(chan error, 1)
	_, end := work(t, c, []*autan.Handler{autan.NewHandler("wait",
		func(ctx context.Context, _ struct{}) (any, error) {
			begun <- ""
			<-ctx.Done()
			causes <- context.Cause(ctx)
			return "a value", nil
		})})
	create(ctx, t, c, workflowOf("waiting", "wait"))
	run, err := c.Start(ctx, "waiting", nil)
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	if _, err := run.Cancel(ctx, autan.WithReason("enough")); err != nil {
		t.Fatal(err)
	}
	if cause := <-causes; !errors.Is(cause, autan.ErrCancelled) {
		t.Errorf("got %v", cause)
	}
	if info, err := run.Wait(ctx); err != nil || info.State != autan.ExecutionCancelled {
		t.Errorf("got %+v, %v", info, err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestLiveWorkerDefers(t *testing.T) {
	ctx := limited(t)
	c := autantest.StartLocal(t).Dial(t)
	tokens := make(chan *autan.Task, 2)
	work(t, c, []*autan.Handler{autan.NewHandler("ask",
		func(ctx context.Context, _ struct{}) (any, error) {
			tokens <- autan.CurrentTask(ctx)
			return nil, autan.ErrDeferred
		})})
	create(ctx, t, c, workflowOf("asking", "ask"))
	for name, complete := range map[string]func(*autan.Task) error{
		"by token": func(task *autan.Task) error { return c.CompleteTask(ctx, task.Token, "yes") },
		"by id": func(task *autan.Task) error {
			_, err := c.CompleteActionExecution(ctx, task.ActionExecutionID, "yes")
			return err
		},
	} {
		run, err := c.Start(ctx, "asking", nil)
		if err != nil {
			t.Fatal(err)
		}
		task := <-tokens
		if err := complete(task); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		out, err := autan.Result[struct{ Out string }](ctx, run)
		if err != nil || out.Out != "yes" {
			t.Errorf("%s: got %+v, %v", name, out, err)
		}
	}
}

// The worker goes on over a crash of the server, and what it has done meanwhile counts.
func TestLiveWorkerOverACrash(t *testing.T) {
	ctx := limited(t)
	data := autantest.WithDataDir(t.TempDir())
	server := autantest.StartLocal(t, data)
	c := server.Dial(t)
	begun, open := make(chan string, 5), make(chan struct{})
	w, end := work(t, c, []*autan.Handler{autan.NewHandler("wait",
		func(ctx context.Context, _ struct{}) (int, error) {
			begun <- ""
			<-open
			return autan.CurrentTask(ctx).Delivery, ctx.Err()
		})})
	create(ctx, t, c, workflowOf("waiting", "wait"))
	run, err := c.Start(ctx, "waiting", nil)
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	server.Kill()
	autantest.StartLocal(t, data, autantest.WithListen(server.Addr))
	close(open)
	out, err := autan.Result[struct{ Out int }](ctx, run)
	if err != nil || out.Out != 1 {
		t.Errorf("got %+v, %v", out, err)
	}
	if h := w.Health(); h.LastError == nil {
		t.Errorf("got %+v", h)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// What one worker gives back goes to another, with the progress, and uses up no attempt.
func TestLiveWorkerGivesBack(t *testing.T) {
	ctx := limited(t)
	c := autantest.StartLocal(t).Dial(t)
	begun := make(chan string, 5)
	resume := autan.NewHandler("resume", func(ctx context.Context, _ struct{}) (string, error) {
		task := autan.CurrentTask(ctx)
		if task.Delivery == 1 {
			if err := autan.Heartbeat(ctx, "half"); err != nil {
				return "", err
			}
			begun <- ""
			<-ctx.Done()
			return "", ctx.Err()
		}
		earlier, _, err := autan.EarlierProgress[string](ctx)
		return fmt.Sprintf("%s, attempt %d", earlier, task.Attempt), err
	})
	_, end := work(t, c, []*autan.Handler{resume}, autan.WithDrainTimeout(time.Millisecond))
	create(ctx, t, c, workflowOf("resuming", "resume"))
	run, err := c.Start(ctx, "resuming", nil)
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := end(); err == nil || !strings.Contains(err.Error(), "given back") {
		t.Errorf("got %v", err)
	}
	work(t, c, []*autan.Handler{resume})
	out, err := autan.Result[struct{ Out string }](ctx, run)
	if err != nil || out.Out != "half, attempt 1" {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestLivePoll(t *testing.T) {
	ctx := limited(t)
	c := autantest.StartLocal(t).Dial(t)
	create(ctx, t, c, workflowOf("polled", "script.do"))
	opts := autan.PollOptions{Actions: []string{"script.do"}, MaxTasks: 5}
	take := func() *autan.Task {
		t.Helper()
		for {
			poll, err := c.PollTasks(ctx, opts)
			if err != nil {
				t.Fatal(err)
			}
			if len(poll.Tasks) > 0 {
				return poll.Tasks[0]
			}
		}
	}
	// The server learns of the action by the first poll.
	short := opts
	short.Wait = time.Millisecond
	if _, err := c.PollTasks(ctx, short); err != nil {
		t.Fatal(err)
	}
	run, err := c.Start(ctx, "polled", nil)
	if err != nil {
		t.Fatal(err)
	}
	task := take()
	states, err := c.HeartbeatTasks(ctx, autan.TaskHeartbeat{Token: task.Token, Progress: 1})
	if err != nil || len(states) != 1 || states[0].Status != autan.LeaseHeld {
		t.Errorf("got %+v, %v", states, err)
	}
	if err := c.ReleaseTask(ctx, task.Token); err != nil {
		t.Error(err)
	}
	again := take()
	if again.Delivery != 2 || again.Attempt != 1 || again.Progress.String() != "1" ||
		again.IdempotencyKey != task.IdempotencyKey {
		t.Errorf("got %+v", again)
	}
	if err := c.CompleteTask(ctx, task.Token, "stale"); !autan.IsReason(err,
		autan.ReasonTaskLeaseLost) {
		t.Errorf("got %v", err)
	}
	for range 2 { // the same once more is answered the same
		if err := c.CompleteTask(ctx, again.Token, "done"); err != nil {
			t.Error(err)
		}
	}
	out, err := autan.Result[struct{ Out string }](ctx, run)
	if err != nil || out.Out != "done" {
		t.Errorf("got %+v, %v", out, err)
	}

	if run, err = c.Start(ctx, "polled", nil); err != nil {
		t.Fatal(err)
	}
	if err := c.FailTask(ctx, take().Token, &soldOut{"tea"}); err != nil {
		t.Error(err)
	}
	if info, err := run.Wait(ctx); err != nil || info.State != autan.ExecutionFailed {
		t.Errorf("got %+v, %v", info, err)
	}
}

func TestLiveQueues(t *testing.T) {
	ctx := limited(t)
	c := autantest.StartLocal(t).Dial(t)
	begun := make(chan string, 1)
	w, _ := work(t, c, []*autan.Handler{autan.NewHandler("do",
		func(context.Context, struct{}) (any, error) {
			begun <- ""
			return "done", nil
		})})
	create(ctx, t, c, workflowOf("held", "do"))
	paused, going := true, false
	queue, err := c.Queues().Update(ctx, "default", autan.QueueChange{
		Paused: &paused, Limits: &autan.QueueLimits{Concurrency: 1},
	})
	if err != nil || !queue.Paused || queue.Limits.Concurrency != 1 {
		t.Fatalf("got %+v, %v", queue, err)
	}
	run, err := c.Start(ctx, "held", nil)
	if err != nil {
		t.Fatal(err)
	}
	for queue.Backlog == 0 {
		if queue, err = c.Queues().Get(ctx, "default"); err != nil {
			t.Fatal(err)
		}
	}
	if len(begun) > 0 {
		t.Error("a paused queue hands out work")
	}
	stale := queue.ETag + "x"
	if _, err := c.Queues().Update(ctx, "default", autan.QueueChange{Paused: &going},
		autan.WithETag(stale)); !autan.IsReason(err, autan.ReasonETagMismatch) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Queues().Update(ctx, "default", autan.QueueChange{Paused: &going},
		autan.WithETag(queue.ETag)); err != nil {
		t.Fatal(err)
	}
	if out, err := autan.Result[struct{ Out string }](ctx, run); err != nil || out.Out != "done" {
		t.Errorf("got %+v, %v", out, err)
	}
	if _, err := c.Queues().Get(ctx, "nowhere"); !autan.IsReason(err, autan.ReasonQueueNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Workers().Drain(ctx, w.ID()); err != nil {
		t.Error(err)
	}
	if info, err := c.Workers().Get(ctx, w.ID()); err != nil || !info.Draining {
		t.Errorf("got %+v, %v", info, err)
	}
	_, err = c.Workers().Get(ctx, "00000000-0000-4000-8000-000000000000")
	if !autan.IsReason(err, autan.ReasonWorkerNotFound) {
		t.Errorf("got %v", err)
	}
}

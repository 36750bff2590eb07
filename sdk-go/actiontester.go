package autan

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// ActionTester runs actions without a server, to test them. The zero value runs a first attempt:
//
//	out, err := (&autan.ActionTester{}).Run(ctx, autan.NewHandler("stock.reserve", reserve),
//		map[string]any{"item": "tea"})
type ActionTester struct {
	// Task is what [CurrentTask] gives; what is zero in it is made up. Input and Action are filled
	// in.
	Task Task
	// Progress is what an earlier delivery has said, anything that encodes to JSON; nil = nothing.
	Progress any
	// OnHeartbeat is called with each progress, if not nil. It may cancel the context.
	OnHeartbeat func(*Payload)
	// Logger is what [Logger] gives; nil = [slog.Default].
	Logger *slog.Logger
}

// ActionOutcome is how an action has ended.
type ActionOutcome struct {
	// Output is the result; nil if it failed or was deferred.
	Output *Payload
	// Failure is what the server would be told; nil if it did not fail.
	Failure *Failure
	// NonRetryable says that the `retry` of the task would not be asked.
	NonRetryable bool
	// RetryAfter is how long it asks to wait before the next attempt; 0 = as the task says.
	RetryAfter time.Duration
	// Deferred says that somebody is to complete it later.
	Deferred bool
	// Heartbeats is the progress that it told, in order.
	Heartbeats []*Payload
}

// Run runs the action with this input: anything that encodes to a JSON object. The end of ctx
// cancels the task, with [ErrCancelled], unless ctx ends with a cause of its own, such as
// [ErrLeaseLost].
//
// Errors: what is wrong with the handler, and input that does not encode. That the action fails is
// no error: see the outcome.
func (t *ActionTester) Run(
	ctx context.Context, h *Handler, input any,
) (*ActionOutcome, error) {
	if h.err != nil {
		return nil, h.err
	}
	payload, err := encodeSound(input)
	if err != nil {
		return nil, err
	}
	task, err := t.task(h, payload)
	if err != nil {
		return nil, err
	}
	logger := t.Logger
	if logger == nil {
		logger = slog.Default()
	}
	out := &ActionOutcome{}
	var mu sync.Mutex
	running, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		if errors.Is(cause, context.Canceled) {
			cause = ErrCancelled
		}
		cancel(cause)
	})()
	running = context.WithValue(running, callKey{}, &call{
		task:   task,
		logger: task.logger(logger),
		beat: func(p *pb.Payload) {
			mu.Lock()
			out.Heartbeats = append(out.Heartbeats, payloadFrom(p))
			mu.Unlock()
			if t.OnHeartbeat != nil {
				t.OnHeartbeat(payloadFrom(p))
			}
		},
	})
	if !task.Deadline.IsZero() {
		var stop context.CancelFunc
		running, stop = context.WithDeadline(running, task.Deadline)
		defer stop()
	}
	result := h.run(running, task.Input)
	mu.Lock()
	defer mu.Unlock()
	out.Output = payloadFrom(result.GetResult())
	out.Deferred = result.GetDeferred() != nil
	out.Failure = failureFrom(result.GetFailure().GetFailure())
	out.NonRetryable = result.GetFailure().GetNonRetryable()
	out.RetryAfter = result.GetFailure().GetRetryAfter().AsDuration()
	return out, nil
}

func (t *ActionTester) task(h *Handler, input *pb.Payload) (*Task, error) {
	task := t.Task
	task.Action, task.Input = h.name, payloadFrom(input)
	task.Attempt, task.Delivery = max(task.Attempt, 1), max(task.Delivery, 1)
	now := time.Now()
	for _, field := range []struct {
		to    *string
		value string
	}{
		{&task.Token, "token"},
		{&task.Queue, "default"},
		{&task.Project, "default"},
		{&task.IdempotencyKey, newRequestID()},
		{&task.ExecutionUID, newRequestID()},
		{&task.TaskExecutionID, newRequestID()},
		{&task.ActionExecutionID, newRequestID()},
		{&task.WorkflowName, h.name},
		{&task.TaskName, h.name},
	} {
		if *field.to == "" {
			*field.to = field.value
		}
	}
	if task.ScheduleTime.IsZero() {
		task.ScheduleTime = now
	}
	if task.Deadline.IsZero() && h.timeouts.startToClose > 0 {
		task.Deadline = now.Add(h.timeouts.startToClose)
	}
	if task.HeartbeatTimeout == 0 {
		task.HeartbeatTimeout = h.timeouts.heartbeat
	}
	if t.Progress != nil {
		progress, err := encodeSound(t.Progress)
		if err != nil {
			return nil, fmt.Errorf("autan: the progress of the tester: %w", err)
		}
		task.Progress = payloadFrom(progress)
	}
	return &task, nil
}

package autan

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Task is one call of an action, under a lease. Functions get it with [CurrentTask], scripts with
// [Client.PollTasks].
//
// A task may be handed out more than once, when its worker or the network is lost: give
// IdempotencyKey to other systems where that matters.
type Task struct {
	// Token names the lease.
	Token string
	// Action is the name of the action.
	Action string
	// Input is an object.
	Input *Payload
	// Queue is where it came from.
	Queue string
	// Attempt of the task's `retry`, from 1.
	Attempt int
	// Delivery is how often this attempt was handed out, from 1: more than once if its worker was
	// lost.
	Delivery int
	// IdempotencyKey is the same for all attempts and deliveries of one call, and for no other
	// call.
	IdempotencyKey string
	// Progress is what an earlier attempt or delivery has said last, see [Heartbeat]; nil if
	// nothing.
	Progress *Payload
	// ScheduleTime is when the call was made.
	ScheduleTime time.Time
	// LeaseExpireTime is when the lease ends unless it is renewed, as it was handed out.
	LeaseExpireTime time.Time
	// Deadline is when the attempt fails because it takes too long; zero = never. It is a time of
	// the server's clock; the context of the function ends at the same moment by this machine's.
	Deadline time.Time
	// HeartbeatTimeout is how long it may say nothing of itself; 0 = as long as its worker is
	// alive.
	HeartbeatTimeout time.Duration
	// Project is the tenant.
	Project string
	// ExecutionUID is the uid of the execution.
	ExecutionUID string
	// WorkflowName is the name of the workflow; of an action that was run without one, of the
	// action.
	WorkflowName string
	// TaskName is the name of the task.
	TaskName string
	// TaskExecutionID is the id of the task execution.
	TaskExecutionID string
	// ActionExecutionID is the id by which [Client.CompleteActionExecution] completes a deferred
	// one.
	ActionExecutionID string
	// ItemIndex is the item of a with-items task, from 0.
	ItemIndex int
	// RequiredVersion is the version of the action that its task requires; empty = any.
	RequiredVersion string
	// AffinityKey is what tasks that are best run by the same worker have in common, as the workflow
	// says; empty = nothing.
	AffinityKey string
}

func taskFromWire(t *pb.WorkerTask) *Task {
	return &Task{
		Token:             t.GetToken(),
		Action:            t.GetAction(),
		Input:             payloadFrom(t.GetInput()),
		Queue:             t.GetQueue(),
		Attempt:           int(t.GetAttempt()),
		Delivery:          int(t.GetDelivery()),
		IdempotencyKey:    t.GetIdempotencyKey(),
		Progress:          payloadFrom(t.GetProgress()),
		ScheduleTime:      timeFrom(t.GetScheduleTime()),
		LeaseExpireTime:   timeFrom(t.GetLeaseExpireTime()),
		Deadline:          timeFrom(t.GetDeadline()),
		HeartbeatTimeout:  t.GetHeartbeatTimeout().AsDuration(),
		Project:           t.GetProject(),
		ExecutionUID:      t.GetExecutionUid(),
		WorkflowName:      t.GetWorkflowName(),
		TaskName:          t.GetTaskName(),
		TaskExecutionID:   t.GetTaskExecutionId(),
		ActionExecutionID: t.GetActionExecutionId(),
		ItemIndex:         int(t.GetItemIndex()),
		RequiredVersion:   t.GetRequiredVersion(),
		AffinityKey:       t.GetAffinityKey(),
	}
}

// logger binds the ids of the task.
func (t *Task) logger(base *slog.Logger) *slog.Logger {
	return base.With(
		slog.String("action", t.Action),
		slog.String("execution_uid", t.ExecutionUID),
		slog.String("task", t.TaskName),
		slog.String("task_execution_id", t.TaskExecutionID),
		slog.String("action_execution_id", t.ActionExecutionID),
		slog.Int("attempt", t.Attempt),
		slog.Int("delivery", t.Delivery),
	)
}

// progressMax is how many bytes the progress of a task may have.
const progressMax = 64 << 10

// call is what the context of a running action carries.
type call struct {
	task   *Task
	logger *slog.Logger
	beat   func(*pb.Payload) // never blocks
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// CurrentTask returns the task that the function with this context works on, or nil outside of an
// action. Do not change it.
func CurrentTask(ctx context.Context) *Task {
	if c := callOf(ctx); c != nil {
		return c.task
	}
	return nil
}

// Logger returns the logger of the worker with the ids of the task bound, or [slog.Default] outside
// of an action.
func Logger(ctx context.Context) *slog.Logger {
	if c := callOf(ctx); c != nil {
		return c.logger
	}
	return slog.Default()
}

// Heartbeat says that the action is alive, and how far it is: anything that encodes to JSON, at
// most 64 KiB, for people and for the next attempt, which finds it in [Task.Progress]. A nil
// progress leaves it as it was. Actions with [WithHeartbeatTimeout] must call it more often than
// that; for others it is of use, but not needed: the worker renews leases by itself.
//
// It never waits for the network: what it was told last is sent within a second, and within a third
// of the timeout. It may be called as often as one likes.
//
// Errors: the cause of the end of ctx, such as [ErrCancelled], so that a loop can end by it;
// PAYLOAD_INVALID and PAYLOAD_TOO_LARGE.
func Heartbeat(ctx context.Context, progress any) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c := callOf(ctx)
	if c == nil {
		return errors.New("autan: Heartbeat: the context is not that of an action")
	}
	if progress == nil {
		c.beat(nil)
		return nil
	}
	payload, err := encodeSound(progress)
	if err != nil {
		return &Error{
			Code: codeInvalid, Reason: ReasonPayloadInvalid, Message: err.Error(), cause: err,
		}
	}
	if n := len(payload.GetJson()) + len(payload.GetBinary().GetData()); n > progressMax {
		return &Error{
			Code:    codeInvalid,
			Reason:  ReasonPayloadTooLarge,
			Message: fmt.Sprintf("the progress has %d bytes, at most %d are allowed", n, progressMax),
		}
	}
	c.beat(payload)
	return nil
}

// EarlierProgress returns what an earlier attempt or delivery of the task has said last of its
// progress, as a T, and whether there is any.
//
// Errors: those of [Payload.Decode].
func EarlierProgress[T any](ctx context.Context) (T, bool, error) {
	var zero T
	task := CurrentTask(ctx)
	if task == nil || task.Progress == nil || task.Progress.String() == "null" {
		return zero, false, nil
	}
	out, err := Decode[T](task.Progress)
	return out, err == nil, err
}

var nullPayload = &pb.Payload{Encoding: &pb.Payload_Json{Json: "null"}}

// wireOf is a payload as it came, to be sent again.
func wireOf(p *Payload) *pb.Payload {
	if p == nil {
		return nil
	}
	return p.proto()
}

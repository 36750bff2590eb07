package autan

import (
	"context"
	"iter"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// TaskExecution is one pass through a task of a workflow.
type TaskExecution struct {
	// ID is unique in the server.
	ID string
	// ExecutionUID is the uid of the execution that it belongs to.
	ExecutionUID string
	// Name of the task.
	Name string
	// Type says what it runs.
	Type TaskType
	// State of the task.
	State TaskState
	// StateInfo says why it is in that state, if there is something to say.
	StateInfo string
	// Result of its action, or a list for with-items. Not in brief views.
	Result *Payload
	// Published is the variables for the tasks after it. Not in brief views.
	Published *Payload
	// PublishedGlobal is the variables for the whole execution. Not in brief views.
	PublishedGlobal *Payload
	// Processed says that it was decided what follows from it.
	Processed bool
	// Attempts so far.
	Attempts int
	// NextTasks is the names of the tasks that it led to.
	NextTasks []string
	// TriggeredBy is the tasks that led to it.
	TriggeredBy []string
	// Tags come from the document.
	Tags []string
	// CreateTime is when it was created.
	CreateTime time.Time
	// StartTime is when it began; zero before.
	StartTime time.Time
	// UpdateTime is when it last changed.
	UpdateTime time.Time
	// EndTime is when it reached a final state; zero before.
	EndTime time.Time
	// DueTime is until when it waits: wait-before, wait-after or the next attempt; else zero.
	DueTime time.Time
	// TimeoutTime is when its timeout strikes; zero without one.
	TimeoutTime time.Time
	// ItemCount is the number of items of a with-items task; 0 for others.
	ItemCount int
	// UndoOf is the task execution, of the same name, that it undoes in a rollback; else empty.
	UndoOf string
	// UndoneBy is the task execution that undoes it, once that has begun; else empty.
	UndoneBy string
	// RolledBack is whether it was undone, or passed over because there was nothing to undo.
	RolledBack bool
}

// ActionExecution is one attempt of a task, or of one of its items.
type ActionExecution struct {
	// ID is unique in the server.
	ID string
	// TaskExecutionID is the task execution that it belongs to.
	TaskExecutionID string
	// ExecutionUID is the uid of the execution that it belongs to.
	ExecutionUID string
	// TaskName is the name of the task.
	TaskName string
	// Name is the full name of the action, or of the workflow.
	Name string
	// State of the attempt.
	State ActionState
	// Input of the action. Not in brief views.
	Input *Payload
	// Output is the result or error result. Not in brief views.
	Output *Payload
	// Accepted says that it counts for the result of the task: earlier attempts do not.
	Accepted bool
	// ItemIndex is the item of a with-items task, from 0.
	ItemIndex int
	// Attempt counts from 1.
	Attempt int
	// ChildExecutionID is the uid of the child execution, of a sub-workflow.
	ChildExecutionID string
	// CreateTime is when it was created.
	CreateTime time.Time
	// EndTime is when it reached a final state; zero before.
	EndTime time.Time
	// Lease is what is known of the worker that has it, or had it last; nil before one takes it and
	// for what no worker runs.
	Lease *ActionLease
	// Failure is what went wrong in a worker, if something did. Not in brief views.
	Failure *Failure
}

// ActionLease is the present lease of an action execution, or the last one.
type ActionLease struct {
	// WorkerID is the worker that has it.
	WorkerID string
	// WorkerIdentity is the worker, for people.
	WorkerIdentity string
	// Queue is the queue that it came from.
	Queue string
	// Delivery is how often the action execution was handed out.
	Delivery int
	// StartTime is when it was handed out.
	StartTime time.Time
	// ExpireTime is when it ends unless it is renewed; zero if the action execution has ended.
	ExpireTime time.Time
	// LastHeartbeatTime is when the worker was last heard of, for this action execution.
	LastHeartbeatTime time.Time
	// Progress is what it has said last of its progress. Not in brief views.
	Progress *Payload
}

// Tasks yields the task executions of the execution in order of their creation, page by page.
// Fields of the filter: task_name, state, type. The first error ends it.
//
// Errors: EXECUTION_NOT_FOUND, INVALID_FILTER.
func (e *Execution) Tasks(
	ctx context.Context, opts ListOptions,
) iter.Seq2[*TaskExecution, error] {
	return pages(ctx, opts.PageSize, taskFrom,
		func(ctx context.Context, size int32, token string) ([]*pb.TaskExecution, string, error) {
			r, err := e.client.tasks.ListTaskExecutions(ctx, &pb.ListTaskExecutionsRequest{
				Project:     e.client.project,
				ExecutionId: e.ref(),
				Filter:      opts.Filter,
				PageSize:    size,
				PageToken:   token,
				View:        opts.view(),
			})
			return r.GetTaskExecutions(), r.GetNextPageToken(), err
		})
}

// Actions yields the action executions of the execution in order of their creation, page by page.
// The filter must be empty. The first error ends it.
//
// Errors: EXECUTION_NOT_FOUND.
func (e *Execution) Actions(
	ctx context.Context, opts ListOptions,
) iter.Seq2[*ActionExecution, error] {
	return e.client.attempts(ctx, opts, &pb.ListActionExecutionsRequest{
		Parent: &pb.ListActionExecutionsRequest_ExecutionId{ExecutionId: e.ref()},
	})
}

// ListActionExecutions yields the action executions of one task execution, as [Execution.Actions].
//
// Errors: TASK_EXECUTION_NOT_FOUND.
func (c *Client) ListActionExecutions(
	ctx context.Context, taskExecutionID string, opts ListOptions,
) iter.Seq2[*ActionExecution, error] {
	return c.attempts(ctx, opts, &pb.ListActionExecutionsRequest{
		Parent: &pb.ListActionExecutionsRequest_TaskExecutionId{TaskExecutionId: taskExecutionID},
	})
}

func (c *Client) attempts(
	ctx context.Context, opts ListOptions, of *pb.ListActionExecutionsRequest,
) iter.Seq2[*ActionExecution, error] {
	if opts.Filter != "" {
		return noFilter[*ActionExecution]("action executions")
	}
	return pages(ctx, opts.PageSize, actionFrom,
		func(ctx context.Context, size int32, token string) ([]*pb.ActionExecution, string, error) {
			r, err := c.tasks.ListActionExecutions(ctx, &pb.ListActionExecutionsRequest{
				Project:   c.project,
				Parent:    of.GetParent(),
				PageSize:  size,
				PageToken: token,
				View:      opts.view(),
			})
			return r.GetActionExecutions(), r.GetNextPageToken(), err
		})
}

// GetTaskExecution returns one task execution, with payloads: "result", "published" and
// "published_global", or those chosen by [WithOnly].
//
// Errors: TASK_EXECUTION_NOT_FOUND, LIMIT_EXCEEDED if the payloads are too large together.
func (c *Client) GetTaskExecution(
	ctx context.Context, taskExecutionID string, opts ...GetOption,
) (*TaskExecution, error) {
	r, err := c.tasks.GetTaskExecution(ctx, &pb.GetTaskExecutionRequest{
		Project:         c.project,
		TaskExecutionId: taskExecutionID,
		View:            pb.View_VIEW_FULL,
		ReadMask:        readMask(opts),
	})
	if err != nil {
		return nil, err
	}
	return taskFrom(r.GetTaskExecution()), nil
}

// SkipTask skips a failed task: what would have followed its success, follows. [WithResult] says
// what counts as its result.
//
// Errors: TASK_EXECUTION_NOT_FOUND, EXECUTION_STATE, PAYLOAD_INVALID, PAYLOAD_TOO_LARGE.
func (c *Client) SkipTask(
	ctx context.Context, taskExecutionID string, opts ...SkipOption,
) (*TaskExecution, error) {
	cfg := collect(opts, SkipOption.skip)
	request := &pb.SkipTaskRequest{
		Project:         c.project,
		TaskExecutionId: taskExecutionID,
		Reason:          cfg.reason,
		RequestId:       cfg.requestID,
	}
	if cfg.hasResult {
		payload, err := encodePayload(cfg.result)
		if err != nil {
			return nil, err
		}
		request.Result = payload
	}
	r, err := c.tasks.SkipTask(ctx, request)
	if err != nil {
		return nil, err
	}
	return taskFrom(r.GetTaskExecution()), nil
}

// GetActionExecution returns one action execution, with payloads: "input" and "output", or the one
// chosen by [WithOnly].
//
// Errors: ACTION_EXECUTION_NOT_FOUND, LIMIT_EXCEEDED.
func (c *Client) GetActionExecution(
	ctx context.Context, actionExecutionID string, opts ...GetOption,
) (*ActionExecution, error) {
	r, err := c.tasks.GetActionExecution(ctx, &pb.GetActionExecutionRequest{
		Project:           c.project,
		ActionExecutionId: actionExecutionID,
		View:              pb.View_VIEW_FULL,
		ReadMask:          readMask(opts),
	})
	if err != nil {
		return nil, err
	}
	return actionFrom(r.GetActionExecution()), nil
}

// CompleteActionExecution completes an action execution that runs outside, with its result:
// anything that encodes to JSON; nil is null.
//
// Errors: ACTION_EXECUTION_NOT_FOUND, ACTION_STATE (completed already), PAYLOAD_INVALID,
// PAYLOAD_TOO_LARGE, REQUEST_ID_REUSED.
func (c *Client) CompleteActionExecution(
	ctx context.Context, actionExecutionID string, result any, opts ...Option,
) (*ActionExecution, error) {
	cfg := collect(opts, Option.verb)
	payload, err := encodePayload(result)
	if err != nil {
		return nil, err
	}
	r, err := c.tasks.CompleteActionExecution(ctx, &pb.CompleteActionExecutionRequest{
		Project:           c.project,
		ActionExecutionId: actionExecutionID,
		Result:            payload,
		RequestId:         cfg.requestID,
	})
	if err != nil {
		return nil, err
	}
	return actionFrom(r.GetActionExecution()), nil
}

// FailActionExecution completes an action execution that runs outside, with an error result:
// anything that encodes to JSON, often a text.
//
// Errors: as [Client.CompleteActionExecution].
func (c *Client) FailActionExecution(
	ctx context.Context, actionExecutionID string, failure any, opts ...Option,
) (*ActionExecution, error) {
	cfg := collect(opts, Option.verb)
	// A Go error says nothing in JSON; its text does.
	if e, ok := failure.(error); ok {
		failure = e.Error()
	}
	payload, err := encodePayload(failure)
	if err != nil {
		return nil, err
	}
	r, err := c.tasks.FailActionExecution(ctx, &pb.FailActionExecutionRequest{
		Project:           c.project,
		ActionExecutionId: actionExecutionID,
		Error:             payload,
		RequestId:         cfg.requestID,
	})
	if err != nil {
		return nil, err
	}
	return actionFrom(r.GetActionExecution()), nil
}

// UpdateActionExecution pauses, resumes or cancels an asynchronous action execution:
// [ActionPaused], [ActionRunning] or [ActionCancelled].
//
// Errors: ACTION_EXECUTION_NOT_FOUND, ACTION_STATE, INVALID_FIELD.
func (c *Client) UpdateActionExecution(
	ctx context.Context, actionExecutionID string, state ActionState, opts ...VerbOption,
) (*ActionExecution, error) {
	cfg := collect(opts, VerbOption.verb)
	r, err := c.tasks.UpdateActionExecution(ctx, &pb.UpdateActionExecutionRequest{
		Project:           c.project,
		ActionExecutionId: actionExecutionID,
		State:             pb.ActionState(state),
		Reason:            cfg.reason,
		RequestId:         cfg.requestID,
	})
	if err != nil {
		return nil, err
	}
	return actionFrom(r.GetActionExecution()), nil
}

func taskFrom(t *pb.TaskExecution) *TaskExecution {
	return &TaskExecution{
		ID:              t.GetTaskExecutionId(),
		ExecutionUID:    t.GetExecutionUid(),
		Name:            t.GetTaskName(),
		Type:            TaskType(t.GetType()),
		State:           TaskState(t.GetState()),
		StateInfo:       t.GetStateInfo(),
		Result:          payloadFrom(t.GetResult()),
		Published:       payloadFrom(t.GetPublished()),
		PublishedGlobal: payloadFrom(t.GetPublishedGlobal()),
		Processed:       t.GetProcessed(),
		Attempts:        int(t.GetAttempts()),
		NextTasks:       t.GetNextTasks(),
		TriggeredBy:     t.GetTriggeredBy(),
		Tags:            t.GetTags(),
		CreateTime:      timeFrom(t.GetCreateTime()),
		StartTime:       timeFrom(t.GetStartTime()),
		UpdateTime:      timeFrom(t.GetUpdateTime()),
		EndTime:         timeFrom(t.GetEndTime()),
		DueTime:         timeFrom(t.GetDueTime()),
		TimeoutTime:     timeFrom(t.GetTimeoutTime()),
		ItemCount:       int(t.GetItemCount()),
		UndoOf:          t.GetUndoOf(),
		UndoneBy:        t.GetUndoneBy(),
		RolledBack:      t.GetRolledBack(),
	}
}

func actionFrom(a *pb.ActionExecution) *ActionExecution {
	return &ActionExecution{
		ID:               a.GetActionExecutionId(),
		TaskExecutionID:  a.GetTaskExecutionId(),
		ExecutionUID:     a.GetExecutionUid(),
		TaskName:         a.GetTaskName(),
		Name:             a.GetName(),
		State:            ActionState(a.GetState()),
		Input:            payloadFrom(a.GetInput()),
		Output:           payloadFrom(a.GetOutput()),
		Accepted:         a.GetAccepted(),
		ItemIndex:        int(a.GetItemIndex()),
		Attempt:          int(a.GetAttempt()),
		ChildExecutionID: a.GetChildExecutionId(),
		CreateTime:       timeFrom(a.GetCreateTime()),
		EndTime:          timeFrom(a.GetEndTime()),
		Lease:            actionLeaseFrom(a.GetLease()),
		Failure:          failureFrom(a.GetFailure()),
	}
}

func actionLeaseFrom(l *pb.ActionLease) *ActionLease {
	if l == nil {
		return nil
	}
	return &ActionLease{
		WorkerID:          l.GetWorkerId(),
		WorkerIdentity:    l.GetWorkerIdentity(),
		Queue:             l.GetQueue(),
		Delivery:          int(l.GetDelivery()),
		StartTime:         timeFrom(l.GetStartTime()),
		ExpireTime:        timeFrom(l.GetExpireTime()),
		LastHeartbeatTime: timeFrom(l.GetLastHeartbeatTime()),
		Progress:          payloadFrom(l.GetProgress()),
	}
}

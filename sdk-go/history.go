package autan

import (
	"context"
	"iter"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// HistoryEvent is something that happened to an execution. Events of one execution are numbered
// 1, 2, 3 … without holes, in the order in which they were committed.
type HistoryEvent struct {
	// Sequence is the number within the execution.
	Sequence int64
	// Time is when it happened, by the server's clock.
	Time time.Time
	// Run is the run that it belongs to, see [ExecutionInfo].
	Run int
	// TaskExecutionID is the task execution that it is about, if any.
	TaskExecutionID string
	// TaskName is the name of that task.
	TaskName string
	// Principal is who caused it, for verbs; empty for the engine itself.
	Principal string
	// Identity is what the caller of a verb or a start said of itself, see [WithCallerIdentity].
	Identity string
	// Detail says what happened, for a type switch: a pointer to one of [ExecutionStarted],
	// [ExecutionStateChanged], [TaskCreated], [TaskStateChanged], [ActionStarted],
	// [ActionStateChanged], [VariablesPublished], [TimerStarted], [TimerFired], [ChildStarted],
	// [VerbApplied], [EnvironmentChanged], [ExecutionDrained], [TaskInputChanged],
	// [ActionLeaseLost], [ResultIgnored] or [UnknownEvent].
	Detail EventDetail
}

// Type returns the kind of event as a word, such as "task_state_changed".
func (e *HistoryEvent) Type() string {
	if e.Detail == nil {
		return "unknown"
	}
	return e.Detail.eventType()
}

// EventDetail is what happened in a [HistoryEvent].
type EventDetail interface{ eventType() string }

// ExecutionStarted: the execution was accepted.
type ExecutionStarted struct {
	// WorkflowName is the full name of the workflow.
	WorkflowName string
	// WorkflowRevision is the number of its revision.
	WorkflowRevision int
	// Input with defaults filled in; only if payloads are asked for.
	Input *Payload
	// ParentTaskExecutionID is the task that started it, of a sub-workflow.
	ParentTaskExecutionID string
	// SourceExecutionID is the uid of the execution that it repeats, of a restart.
	SourceExecutionID string
}

// ExecutionStateChanged: the execution changed its state.
type ExecutionStateChanged struct {
	// PreviousState is the state before.
	PreviousState ExecutionState
	// State is the state now.
	State ExecutionState
	// StateInfo says why, if there is something to say.
	StateInfo string
	// Output, in final states; only if payloads are asked for.
	Output *Payload
}

// TaskCreated: a task execution was created.
type TaskCreated struct {
	// State is its first state.
	State TaskState
	// TriggeredBy is the names of the tasks that led here.
	TriggeredBy []string
	// UndoOf is the task execution that it undoes in a rollback; else empty.
	UndoOf string
}

// TaskStateChanged: a task execution changed its state.
type TaskStateChanged struct {
	// PreviousState is the state before.
	PreviousState TaskState
	// State is the state now.
	State TaskState
	// StateInfo says why, if there is something to say.
	StateInfo string
}

// ActionStarted: an action execution began, one attempt.
type ActionStarted struct {
	// ActionExecutionID names the action execution.
	ActionExecutionID string
	// ActionName is the name of the action.
	ActionName string
	// ItemIndex is the item of a with-items task, from 0.
	ItemIndex int
	// Attempt counts from 1.
	Attempt int
	// Input; only if payloads are asked for.
	Input *Payload
}

// ActionStateChanged: an action execution changed its state.
type ActionStateChanged struct {
	// ActionExecutionID names the action execution.
	ActionExecutionID string
	// State is the state now.
	State ActionState
	// Output is the result or error; only if payloads are asked for.
	Output *Payload
}

// VariablesPublished: a task published variables.
type VariablesPublished struct {
	// Branch is the names for the tasks after this one.
	Branch []string
	// Global is the names for the whole execution.
	Global []string
}

// TimerStarted: a task waits for time.
type TimerStarted struct {
	// Kind says what for.
	Kind TimerKind
	// DueTime is until when.
	DueTime time.Time
}

// TimerFired: the time of a task came.
type TimerFired struct {
	// Kind says what for.
	Kind TimerKind
}

// ChildStarted: a sub-workflow was started.
type ChildStarted struct {
	// ChildExecutionID is the uid of the child execution.
	ChildExecutionID string
	// WorkflowName is the full name of its workflow.
	WorkflowName string
	// ItemIndex is the item of a with-items task, from 0.
	ItemIndex int
}

// VerbApplied: a verb was applied.
type VerbApplied struct {
	// Verb is its name, such as "pause".
	Verb string
	// Reason is why, as the caller said.
	Reason string
	// RequestID is the idempotency id of the call, if given.
	RequestID string
}

// EnvironmentChanged: the environment was changed.
type EnvironmentChanged struct {
	// Names of the changed variables.
	Names []string
}

// ResultIgnored: a late or repeated result was refused or only kept for the record.
type ResultIgnored struct {
	// ActionExecutionID names the action execution.
	ActionExecutionID string
	// Reason is why, such as "task is already completed".
	Reason string
}

// ExecutionDrained: nothing runs any more in the paused execution, nor below it.
type ExecutionDrained struct{}

// TaskInputChanged: fields of the input of a task were replaced, for its first attempt of a rerun.
type TaskInputChanged struct {
	// Names of the replaced fields.
	Names []string
}

// ActionLeaseLost: a worker had an action execution, and its lease has ended before the action did.
// It is handed out again, unless the action execution ends in the next event.
type ActionLeaseLost struct {
	// ActionExecutionID names the action execution.
	ActionExecutionID string
	// Worker is the worker, for people; its id if it has no such name.
	Worker string
	// Delivery is how often the action execution was handed out by then.
	Delivery int
	// Reason is why.
	Reason LeaseLoss
}

// UnknownEvent is a kind of event that this package does not know: the server is newer.
type UnknownEvent struct {
	// Field is the number of the kind in the API; 0 if the server said none.
	Field int
	// Raw is the event in the encoding of Protocol Buffers.
	Raw []byte
}

func (*ExecutionStarted) eventType() string      { return "execution_started" }
func (*ExecutionStateChanged) eventType() string { return "execution_state_changed" }
func (*TaskCreated) eventType() string           { return "task_created" }
func (*TaskStateChanged) eventType() string      { return "task_state_changed" }
func (*ActionStarted) eventType() string         { return "action_started" }
func (*ActionStateChanged) eventType() string    { return "action_state_changed" }
func (*VariablesPublished) eventType() string    { return "variables_published" }
func (*TimerStarted) eventType() string          { return "timer_started" }
func (*TimerFired) eventType() string            { return "timer_fired" }
func (*ChildStarted) eventType() string          { return "child_started" }
func (*VerbApplied) eventType() string           { return "verb_applied" }
func (*EnvironmentChanged) eventType() string    { return "environment_changed" }
func (*ResultIgnored) eventType() string         { return "result_ignored" }
func (*ExecutionDrained) eventType() string      { return "execution_drained" }
func (*TaskInputChanged) eventType() string      { return "task_input_changed" }
func (*ActionLeaseLost) eventType() string       { return "action_lease_lost" }
func (*UnknownEvent) eventType() string          { return "unknown" }

// HistoryOptions says which events [Execution.History] yields. The zero value yields all, oldest
// first, without payloads.
type HistoryOptions struct {
	// After leaves out events up to this sequence.
	After int64
	// Before leaves out events from this sequence on; 0 = none.
	Before int64
	// Types are the types of events to yield, see [HistoryEvent.Type]; empty = all.
	Types []string
	// TaskExecutionID is the only task execution to yield events of; empty = all.
	TaskExecutionID string
	// Descending yields the newest first.
	Descending bool
	// Payloads adds inputs, outputs and results.
	Payloads bool
	// PageSize is how many events are fetched at a time, at most 1000; 0 leaves it to the server
	// (50).
	PageSize int
}

// History yields the stored events of the execution, page by page, and ends with the newest. To go
// on with new events as they come, use [Execution.Events]. The first error ends it.
//
// Errors: EXECUTION_NOT_FOUND.
func (e *Execution) History(
	ctx context.Context, opts HistoryOptions,
) iter.Seq2[*HistoryEvent, error] {
	return pages(ctx, opts.PageSize, eventFrom,
		func(ctx context.Context, size int32, token string) ([]*pb.HistoryEvent, string, error) {
			r, err := e.client.executions.ListHistoryEvents(ctx, &pb.ListHistoryEventsRequest{
				Project:         e.client.project,
				ExecutionId:     e.ref(),
				AfterSequence:   opts.After,
				BeforeSequence:  opts.Before,
				EventTypes:      opts.Types,
				TaskExecutionId: opts.TaskExecutionID,
				Descending:      opts.Descending,
				PageSize:        size,
				PageToken:       token,
				IncludePayloads: opts.Payloads,
			})
			return r.GetEvents(), r.GetNextPageToken(), err
		})
}

func eventFrom(e *pb.HistoryEvent) *HistoryEvent {
	return &HistoryEvent{
		Sequence:        e.GetSequence(),
		Time:            timeFrom(e.GetEventTime()),
		Run:             int(e.GetRun()),
		TaskExecutionID: e.GetTaskExecutionId(),
		TaskName:        e.GetTaskName(),
		Principal:       e.GetPrincipal(),
		Identity:        e.GetIdentity(),
		Detail:          detailFrom(e),
	}
}

func detailFrom(e *pb.HistoryEvent) EventDetail {
	switch d := e.GetEvent().(type) {
	case *pb.HistoryEvent_ExecutionStarted:
		return &ExecutionStarted{
			WorkflowName:          d.ExecutionStarted.GetWorkflowName(),
			WorkflowRevision:      int(d.ExecutionStarted.GetWorkflowRevision()),
			Input:                 payloadFrom(d.ExecutionStarted.GetInput()),
			ParentTaskExecutionID: d.ExecutionStarted.GetParentTaskExecutionId(),
			SourceExecutionID:     d.ExecutionStarted.GetSourceExecutionId(),
		}
	case *pb.HistoryEvent_ExecutionStateChanged:
		return &ExecutionStateChanged{
			PreviousState: ExecutionState(d.ExecutionStateChanged.GetPreviousState()),
			State:         ExecutionState(d.ExecutionStateChanged.GetState()),
			StateInfo:     d.ExecutionStateChanged.GetStateInfo(),
			Output:        payloadFrom(d.ExecutionStateChanged.GetOutput()),
		}
	case *pb.HistoryEvent_TaskCreated:
		return &TaskCreated{
			State:       TaskState(d.TaskCreated.GetState()),
			TriggeredBy: d.TaskCreated.GetTriggeredBy(),
			UndoOf:      d.TaskCreated.GetUndoOf(),
		}
	case *pb.HistoryEvent_TaskStateChanged:
		return &TaskStateChanged{
			PreviousState: TaskState(d.TaskStateChanged.GetPreviousState()),
			State:         TaskState(d.TaskStateChanged.GetState()),
			StateInfo:     d.TaskStateChanged.GetStateInfo(),
		}
	case *pb.HistoryEvent_VariablesPublished:
		return &VariablesPublished{
			Branch: d.VariablesPublished.GetBranch(),
			Global: d.VariablesPublished.GetGlobal(),
		}
	case *pb.HistoryEvent_TimerStarted:
		return &TimerStarted{
			Kind:    TimerKind(d.TimerStarted.GetKind()),
			DueTime: timeFrom(d.TimerStarted.GetDueTime()),
		}
	case *pb.HistoryEvent_TimerFired:
		return &TimerFired{Kind: TimerKind(d.TimerFired.GetKind())}
	case *pb.HistoryEvent_VerbApplied:
		return &VerbApplied{
			Verb:      d.VerbApplied.GetVerb(),
			Reason:    d.VerbApplied.GetReason(),
			RequestID: d.VerbApplied.GetRequestId(),
		}
	case *pb.HistoryEvent_ExecutionDrained:
		return &ExecutionDrained{}
	case *pb.HistoryEvent_TaskInputChanged:
		return &TaskInputChanged{Names: d.TaskInputChanged.GetNames()}
	case *pb.HistoryEvent_EnvironmentChanged:
		return &EnvironmentChanged{Names: d.EnvironmentChanged.GetNames()}
	}
	return attemptDetailFrom(e)
}

// attemptDetailFrom converts the events about attempts: actions and children.
func attemptDetailFrom(e *pb.HistoryEvent) EventDetail {
	switch d := e.GetEvent().(type) {
	case *pb.HistoryEvent_ActionStarted:
		return &ActionStarted{
			ActionExecutionID: d.ActionStarted.GetActionExecutionId(),
			ActionName:        d.ActionStarted.GetActionName(),
			ItemIndex:         int(d.ActionStarted.GetItemIndex()),
			Attempt:           int(d.ActionStarted.GetAttempt()),
			Input:             payloadFrom(d.ActionStarted.GetInput()),
		}
	case *pb.HistoryEvent_ActionStateChanged:
		return &ActionStateChanged{
			ActionExecutionID: d.ActionStateChanged.GetActionExecutionId(),
			State:             ActionState(d.ActionStateChanged.GetState()),
			Output:            payloadFrom(d.ActionStateChanged.GetOutput()),
		}
	case *pb.HistoryEvent_ChildStarted:
		return &ChildStarted{
			ChildExecutionID: d.ChildStarted.GetChildExecutionId(),
			WorkflowName:     d.ChildStarted.GetWorkflowName(),
			ItemIndex:        int(d.ChildStarted.GetItemIndex()),
		}
	case *pb.HistoryEvent_ActionLeaseLost:
		return &ActionLeaseLost{
			ActionExecutionID: d.ActionLeaseLost.GetActionExecutionId(),
			Worker:            d.ActionLeaseLost.GetWorker(),
			Delivery:          int(d.ActionLeaseLost.GetDelivery()),
			Reason:            LeaseLoss(d.ActionLeaseLost.GetReason()),
		}
	case *pb.HistoryEvent_ResultIgnored:
		return &ResultIgnored{
			ActionExecutionID: d.ResultIgnored.GetActionExecutionId(),
			Reason:            d.ResultIgnored.GetReason(),
		}
	}
	return unknownEventFrom(e)
}

// firstEventField is the lowest number of the kinds of events in the contract; those below are
// fields of every event.
const firstEventField = 16

func unknownEventFrom(e *pb.HistoryEvent) *UnknownEvent {
	raw := e.ProtoReflect().GetUnknown()
	for rest := []byte(raw); len(rest) > 0; {
		number, kind, tag := protowire.ConsumeTag(rest)
		if tag < 0 {
			break
		}
		size := protowire.ConsumeFieldValue(number, kind, rest[tag:])
		if size < 0 {
			break
		}
		if number >= firstEventField && kind == protowire.BytesType {
			body, _ := protowire.ConsumeBytes(rest[tag:])
			return &UnknownEvent{Field: int(number), Raw: body}
		}
		rest = rest[tag+size:]
	}
	return &UnknownEvent{Raw: raw}
}

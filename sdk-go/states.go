package autan

import (
	"strconv"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// ExecutionState is the state of an execution. Newer servers may send states that this package
// does not know; they keep their number.
type ExecutionState int32

// States of an execution.
const (
	// ExecutionIdle is accepted, not begun.
	ExecutionIdle ExecutionState = 1
	// ExecutionRunning is under way.
	ExecutionRunning ExecutionState = 2
	// ExecutionPaused starts nothing new until it is resumed.
	ExecutionPaused ExecutionState = 3
	// ExecutionSuccess finished well. Final.
	ExecutionSuccess ExecutionState = 4
	// ExecutionFailed failed (ERROR). Final, unless rerun.
	ExecutionFailed ExecutionState = 5
	// ExecutionCancelled was cancelled. Final, unless rerun.
	ExecutionCancelled ExecutionState = 6
	// ExecutionRollingBack is undoing what its tasks have done.
	ExecutionRollingBack ExecutionState = 7
	// ExecutionRolledBack has undone what its tasks had done. Final.
	ExecutionRolledBack ExecutionState = 8
)

// String returns the word of the server without prefix, such as "SUCCESS", or "STATE_42" for a
// state that this package does not know.
func (s ExecutionState) String() string {
	return word(pb.ExecutionState_name, int32(s), "EXECUTION_STATE_", "STATE_")
}

// MarshalText implements [encoding.TextMarshaler] with [ExecutionState.String].
func (s ExecutionState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Final reports whether the state is one of SUCCESS, ERROR, CANCELLED and ROLLED_BACK.
func (s ExecutionState) Final() bool {
	switch s {
	case ExecutionSuccess, ExecutionFailed, ExecutionCancelled, ExecutionRolledBack:
		return true
	}
	return false
}

// TaskState is the state of a task execution. Newer servers may send states that this package does
// not know; they keep their number.
type TaskState int32

// States of a task execution.
const (
	// TaskIdle is held back by `pause-before` or by a paused execution.
	TaskIdle TaskState = 1
	// TaskWaiting is a join that waits for its inbound tasks.
	TaskWaiting TaskState = 2
	// TaskRunning is under way.
	TaskRunning TaskState = 3
	// TaskDelayed waits for time: wait-before, wait-after or the next attempt.
	TaskDelayed TaskState = 4
	// TaskPaused has a paused action or sub-workflow.
	TaskPaused TaskState = 5
	// TaskSuccess is done. Final.
	TaskSuccess TaskState = 6
	// TaskFailed failed (ERROR). Final, unless rerun or skipped.
	TaskFailed TaskState = 7
	// TaskCancelled was cancelled. Final.
	TaskCancelled TaskState = 8
	// TaskSkipped failed and was skipped by an operator. Final.
	TaskSkipped TaskState = 9
)

// String returns the word of the server without prefix, such as "DELAYED", or "STATE_42" for a
// state that this package does not know.
func (s TaskState) String() string {
	return word(pb.TaskState_name, int32(s), "TASK_STATE_", "STATE_")
}

// MarshalText implements [encoding.TextMarshaler] with [TaskState.String].
func (s TaskState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Final reports whether the state is one of SUCCESS, ERROR, CANCELLED and SKIPPED.
func (s TaskState) Final() bool { return s >= TaskSuccess && s <= TaskSkipped }

// ActionState is the state of an action execution. Newer servers may send states that this package
// does not know; they keep their number.
type ActionState int32

// States of an action execution.
const (
	// ActionRunning is under way.
	ActionRunning ActionState = 1
	// ActionPaused is asynchronous, and paused from outside.
	ActionPaused ActionState = 2
	// ActionSuccess is done. Final.
	ActionSuccess ActionState = 3
	// ActionFailed failed (ERROR). Final.
	ActionFailed ActionState = 4
	// ActionCancelled was cancelled. Final.
	ActionCancelled ActionState = 5
)

// String returns the word of the server without prefix, such as "RUNNING", or "STATE_42" for a
// state that this package does not know.
func (s ActionState) String() string {
	return word(pb.ActionState_name, int32(s), "ACTION_STATE_", "STATE_")
}

// MarshalText implements [encoding.TextMarshaler] with [ActionState.String].
func (s ActionState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Final reports whether the state is one of SUCCESS, ERROR and CANCELLED.
func (s ActionState) Final() bool { return s >= ActionSuccess && s <= ActionCancelled }

// TaskType says what a task runs.
type TaskType int32

// Types of tasks.
const (
	// TaskTypeAction runs an action.
	TaskTypeAction TaskType = 1
	// TaskTypeWorkflow runs a sub-workflow.
	TaskTypeWorkflow TaskType = 2
)

// String returns "ACTION", "WORKFLOW", or "TYPE_42" for a type that this package does not know.
func (t TaskType) String() string {
	return word(pb.TaskType_name, int32(t), "TASK_TYPE_", "TYPE_")
}

// MarshalText implements [encoding.TextMarshaler] with [TaskType.String].
func (t TaskType) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// ExecutionKind says what an execution runs.
type ExecutionKind int32

// Kinds of executions.
const (
	// ExecutionOfWorkflow runs a workflow.
	ExecutionOfWorkflow ExecutionKind = 1
	// ExecutionOfAction runs one action by itself.
	ExecutionOfAction ExecutionKind = 2
)

// String returns "WORKFLOW", "ACTION", or "KIND_42" for a kind that this package does not know.
func (k ExecutionKind) String() string {
	return word(pb.ExecutionKind_name, int32(k), "EXECUTION_KIND_", "KIND_")
}

// MarshalText implements [encoding.TextMarshaler] with [ExecutionKind.String].
func (k ExecutionKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// ActionKind says where an action comes from.
type ActionKind int32

// Kinds of actions.
const (
	// ActionSystem is built into the server.
	ActionSystem ActionKind = 1
	// ActionAdhoc is defined by a document, over another action.
	ActionAdhoc ActionKind = 2
	// ActionWorker is provided by workers.
	ActionWorker ActionKind = 3
)

// String returns a word such as "ADHOC", or "KIND_42" for a kind that this package does not know.
func (k ActionKind) String() string {
	return word(pb.ActionKind_name, int32(k), "ACTION_KIND_", "KIND_")
}

// MarshalText implements [encoding.TextMarshaler] with [ActionKind.String].
func (k ActionKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// TimerKind says what a timer is for.
type TimerKind int32

// Kinds of timers.
const (
	// TimerWaitBefore is wait-before.
	TimerWaitBefore TimerKind = 1
	// TimerWaitAfter is wait-after.
	TimerWaitAfter TimerKind = 2
	// TimerRetry waits for the next attempt.
	TimerRetry TimerKind = 3
	// TimerTimeout is timeout.
	TimerTimeout TimerKind = 4
)

// String returns a word such as "RETRY", or "KIND_42" for a kind that this package does not know.
func (k TimerKind) String() string {
	return word(pb.TimerKind_name, int32(k), "TIMER_KIND_", "KIND_")
}

// MarshalText implements [encoding.TextMarshaler] with [TimerKind.String].
func (k TimerKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LeaseLoss says why a lease has ended before its action.
type LeaseLoss int32

// Why leases end early.
const (
	// LeaseExpired: its worker did not renew it.
	LeaseExpired LeaseLoss = 1
	// LeaseSilent: the action has said nothing of itself for longer than it may.
	LeaseSilent LeaseLoss = 2
	// LeaseReleased: its worker gave it back.
	LeaseReleased LeaseLoss = 3
)

// String returns a word such as "EXPIRED", or "LOSS_42" for one that this package does not know.
func (l LeaseLoss) String() string {
	return word(pb.LeaseLoss_name, int32(l), "LEASE_LOSS_", "LOSS_")
}

// MarshalText implements [encoding.TextMarshaler] with [LeaseLoss.String].
func (l LeaseLoss) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Severity says how serious a diagnostic is.
type Severity int32

// Severities.
const (
	// SeverityError means that the document is refused.
	SeverityError Severity = 1
	// SeverityWarning means that the document is accepted, but probably does not do what its author
	// thinks.
	SeverityWarning Severity = 2
)

// String returns "ERROR", "WARNING", or "SEVERITY_42" for one that this package does not know.
func (s Severity) String() string {
	return word(pb.Severity_name, int32(s), "SEVERITY_", "SEVERITY_")
}

// MarshalText implements [encoding.TextMarshaler] with [Severity.String].
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// word cuts the prefix off the name of an enum value, or makes a word of an unknown number.
func word(names map[int32]string, n int32, prefix, unknown string) string {
	if name, ok := names[n]; ok {
		return name[len(prefix):]
	}
	return unknown + strconv.Itoa(int(n))
}

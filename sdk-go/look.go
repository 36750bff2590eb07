package autan

import (
	"context"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Explanation says why an execution is not finished.
type Explanation struct {
	// UID of the execution.
	UID string
	// State of the execution.
	State ExecutionState
	// StateInfo says why it is in that state, if there is something to say.
	StateInfo string
	// Causes are what it waits for; none if it is finished.
	Causes []Cause
	// Truncated says whether causes were left out.
	Truncated bool
}

// Cause is something that an execution waits for.
type Cause struct {
	// Kind is the kind as a word: "action", "timer", "join", "child", "items", "paused", "held",
	// "steps" or "unknown"; empty for a kind that this package does not know.
	Kind string
	// Text is the cause in one sentence.
	Text string
	// TaskExecutionID is the task that waits; empty if the execution does as a whole.
	TaskExecutionID string
	// TaskName is the name of that task.
	TaskName string
	// Undo says whether it undoes another task execution of its name, in a rollback.
	Undo bool
	// Since is since when.
	Since time.Time
	// Until is until when; zero if that is not known.
	Until time.Time
	// ActionExecutionID, of kind "action", is the action execution that is not final.
	ActionExecutionID string
	// ChildExecutionID, of kind "child", is the uid of the sub-workflow that is not finished.
	ChildExecutionID string
	// Missing, of kind "join", is the names of the inbound tasks that may still come.
	Missing []string
	// Reason, of kind "paused", is why the execution was paused.
	Reason string
	// Identity, of kind "paused", is what who paused it said of itself, see [WithCallerIdentity].
	Identity string
	// Causes, of kind "child", is what the sub-workflow waits for.
	Causes []Cause
}

// ExplainOptions says what [Execution.Explain] tells. The zero value tells all tasks.
type ExplainOptions struct {
	// TaskExecutionID is the only task to explain.
	TaskExecutionID string
	// MaxDepth is how many levels of sub-workflows are followed, at most 10; 0 = 5.
	MaxDepth int
	// MaxCauses is how many causes are told, at most 1000; 0 = 100.
	MaxCauses int
}

// Explain says why the execution is not finished: what each of its tasks waits for, down to its
// sub-workflows.
//
// Errors: EXECUTION_NOT_FOUND, TASK_EXECUTION_NOT_FOUND.
func (e *Execution) Explain(ctx context.Context, opts ExplainOptions) (*Explanation, error) {
	r, err := e.client.executions.ExplainExecution(ctx, &pb.ExplainExecutionRequest{
		Project:         e.client.project,
		ExecutionId:     e.ref(),
		TaskExecutionId: opts.TaskExecutionID,
		MaxDepth:        int32(opts.MaxDepth),
		MaxCauses:       int32(opts.MaxCauses),
	})
	if err != nil {
		return nil, errorFrom(err)
	}
	return &Explanation{
		UID:       r.GetUid(),
		State:     ExecutionState(r.GetState()),
		StateInfo: r.GetStateInfo(),
		Causes:    causesFrom(r.GetCauses()),
		Truncated: r.GetTruncated(),
	}, nil
}

func causesFrom(all []*pb.Cause) []Cause {
	causes := make([]Cause, 0, len(all))
	for _, c := range all {
		causes = append(causes, causeFrom(c))
	}
	return causes
}

func causeFrom(c *pb.Cause) Cause {
	cause := Cause{
		Text:            c.GetText(),
		TaskExecutionID: c.GetTaskExecutionId(),
		TaskName:        c.GetTaskName(),
		Undo:            c.GetUndo(),
		Since:           timeFrom(c.GetSinceTime()),
		Until:           timeFrom(c.GetUntilTime()),
	}
	switch kind := c.GetKind().(type) {
	case *pb.Cause_Action:
		cause.Kind = "action"
		cause.ActionExecutionID = kind.Action.GetActionExecutionId()
	case *pb.Cause_Timer:
		cause.Kind = "timer"
	case *pb.Cause_Join:
		cause.Kind = "join"
		for _, task := range kind.Join.GetMissing() {
			cause.Missing = append(cause.Missing, task.GetTaskName())
		}
	case *pb.Cause_Child:
		cause.Kind = "child"
		cause.ChildExecutionID = kind.Child.GetExecutionId()
		cause.Causes = causesFrom(kind.Child.GetCauses())
	case *pb.Cause_Items:
		cause.Kind = "items"
	case *pb.Cause_Paused:
		cause.Kind = "paused"
		cause.Reason = kind.Paused.GetReason()
		cause.Identity = kind.Paused.GetIdentity()
	case *pb.Cause_Held:
		cause.Kind = "held"
	case *pb.Cause_Steps:
		cause.Kind = "steps"
	case *pb.Cause_Unknown:
		cause.Kind = "unknown"
	}
	return cause
}

// Graph is the tree of an execution, with counts.
type Graph struct {
	// Root is the execution with its tasks; nil if only the counts were asked for.
	Root *ExecutionNode
	// Executions and Tasks count the whole tree; the others count tasks by state.
	Executions, Tasks, Active, Success, Error, Cancelled, Skipped int64
	// Truncated says whether something was left out.
	Truncated bool
}

// ExecutionNode is an execution in a [Graph].
type ExecutionNode struct {
	// ID was chosen by the caller, or is the UID.
	ID string
	// UID was given by the server.
	UID string
	// WorkflowName is the full name of its workflow.
	WorkflowName string
	// State of the execution.
	State ExecutionState
	// StateInfo says why it is in that state, if there is something to say.
	StateInfo string
	// Tasks are its task executions in the order of their creation.
	Tasks []*TaskNode
	// Truncated says whether tasks were left out.
	Truncated bool
}

// TaskNode is a task execution in a [Graph].
type TaskNode struct {
	// ID is the id of the task execution.
	ID string
	// Name of the task.
	Name string
	// State of the task execution.
	State TaskState
	// StateInfo says why it is in that state, if there is something to say.
	StateInfo string
	// TriggeredBy is the ids of the task executions that led to it.
	TriggeredBy []string
	// Attempts so far.
	Attempts int
	// Actions are its action executions in the order of their creation.
	Actions []*ActionNode
	// Children are its sub-workflow executions.
	Children []*ExecutionNode
	// UndoOf is, of what undoes a task in a rollback, the task execution that it undoes; else empty.
	UndoOf string
	// RolledBack says whether it was rolled back: undone, or passed over because there was nothing
	// to undo.
	RolledBack bool
}

// ActionNode is an action execution in a [Graph].
type ActionNode struct {
	// ID is the id of the action execution.
	ID string
	// Name of the action, or of the workflow.
	Name string
	// State of the action execution.
	State ActionState
	// Attempt counts from 1.
	Attempt int
	// ItemIndex is the item of a with-items task, from 0.
	ItemIndex int
}

// GraphOptions says how much [Execution.Graph] returns.
type GraphOptions struct {
	// MaxDepth is how many levels of executions are shown, 1 = only this one, at most 10; 0 = 3.
	MaxDepth int
	// MaxNodes is how many executions, tasks and actions are shown, at most 10000; 0 = 1000.
	MaxNodes int
	// ErrorsOnly leaves out tasks that are not in ERROR.
	ErrorsOnly bool
	// StatisticsOnly leaves out the tree.
	StatisticsOnly bool
}

// Graph returns the tree of the execution: tasks, the edges between them, their actions and
// sub-workflows, with counts.
//
// Errors: EXECUTION_NOT_FOUND.
func (e *Execution) Graph(ctx context.Context, opts GraphOptions) (*Graph, error) {
	r, err := e.client.executions.GetExecutionGraph(ctx, &pb.GetExecutionGraphRequest{
		Project:        e.client.project,
		ExecutionId:    e.ref(),
		MaxDepth:       int32(opts.MaxDepth),
		MaxNodes:       int32(opts.MaxNodes),
		ErrorsOnly:     opts.ErrorsOnly,
		StatisticsOnly: opts.StatisticsOnly,
	})
	if err != nil {
		return nil, errorFrom(err)
	}
	counts := r.GetStatistics()
	graph := &Graph{
		Executions: counts.GetExecutions(),
		Tasks:      counts.GetTasks(),
		Active:     counts.GetActive(),
		Success:    counts.GetSuccess(),
		Error:      counts.GetError(),
		Cancelled:  counts.GetCancelled(),
		Skipped:    counts.GetSkipped(),
		Truncated:  r.GetTruncated(),
	}
	if r.GetRoot() != nil {
		graph.Root = executionNodeFrom(r.GetRoot())
	}
	return graph, nil
}

func executionNodeFrom(n *pb.ExecutionNode) *ExecutionNode {
	node := &ExecutionNode{
		ID:           n.GetExecutionId(),
		UID:          n.GetUid(),
		WorkflowName: n.GetWorkflowName(),
		State:        ExecutionState(n.GetState()),
		StateInfo:    n.GetStateInfo(),
		Truncated:    n.GetTruncated(),
	}
	for _, task := range n.GetTasks() {
		node.Tasks = append(node.Tasks, taskNodeFrom(task))
	}
	return node
}

func taskNodeFrom(n *pb.TaskNode) *TaskNode {
	node := &TaskNode{
		ID:        n.GetTaskExecutionId(),
		Name:      n.GetTaskName(),
		State:     TaskState(n.GetState()),
		StateInfo: n.GetStateInfo(),
		Attempts:  int(n.GetAttempts()),

		UndoOf:     n.GetUndoOf(),
		RolledBack: n.GetRolledBack(),
	}
	for _, edge := range n.GetTriggeredBy() {
		node.TriggeredBy = append(node.TriggeredBy, edge.GetTaskExecutionId())
	}
	for _, action := range n.GetActions() {
		node.Actions = append(node.Actions, &ActionNode{
			ID:        action.GetActionExecutionId(),
			Name:      action.GetActionName(),
			State:     ActionState(action.GetState()),
			Attempt:   int(action.GetAttempt()),
			ItemIndex: int(action.GetItemIndex()),
		})
	}
	for _, child := range n.GetChildren() {
		node.Children = append(node.Children, executionNodeFrom(child))
	}
	return node
}

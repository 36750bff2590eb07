package autan

import (
	"context"
	"iter"
	"maps"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Execution is a handle of one run of a workflow. It holds no state; its methods ask the server.
// Get one from [Client.Start] or [Client.Execution].
type Execution struct {
	client  *Client
	id      string
	uid     string
	started bool
}

// Execution returns a handle of an execution by id or uid, without asking the server.
func (c *Client) Execution(id string) *Execution { return &Execution{client: c, id: id} }

// ID returns the id of the execution.
func (e *Execution) ID() string { return e.id }

// UID returns the server's own id of the execution; empty unless the handle comes from
// [Client.Start].
func (e *Execution) UID() string { return e.uid }

// Started reports whether [Client.Start] began this execution; false if it existed before.
func (e *Execution) Started() bool { return e.started }

// ref names the execution in calls. The uid is better: an id may be used again after deletion.
func (e *Execution) ref() string {
	if e.uid != "" {
		return e.uid
	}
	return e.id
}

// ExecutionInfo is an execution, of a workflow or of one action by itself, as it was at one moment.
type ExecutionInfo struct {
	// Project is the tenant.
	Project string
	// ID was chosen by the caller, or is the UID; unique in the project.
	ID string
	// UID was given by the server; another one if an id is used again.
	UID string
	// Kind says what it runs.
	Kind ExecutionKind
	// WorkflowName is the full name of the workflow; of kind ACTION, the name of the action.
	WorkflowName string
	// WorkflowNamespace is where the workflow was found.
	WorkflowNamespace string
	// WorkflowRevision is the number of the revision that it runs; 0 of kind ACTION.
	WorkflowRevision int
	// State of the execution.
	State ExecutionState
	// StateInfo says why it is in that state, if there is something to say.
	StateInfo string
	// Run is 1, and one more for each rerun in place.
	Run int
	// LastSequence is the sequence of the last event in this snapshot.
	LastSequence int64
	// Input as given, with defaults filled in. Not in brief views.
	Input *Payload
	// Output, when finished. Not in brief views.
	Output *Payload
	// Params is the start parameters. Not in brief views.
	Params *Payload
	// PublishedGlobal is the variables of the whole execution. Not in brief views.
	PublishedGlobal *Payload
	// Failure says what went wrong, in state ERROR; in CANCELLED if it was terminated.
	Failure *Failure
	// Labels for filtering.
	Labels map[string]string
	// Description is free text.
	Description string
	// CreateTime is when it was accepted.
	CreateTime time.Time
	// UpdateTime is when it last changed.
	UpdateTime time.Time
	// EndTime is when it reached a final state; zero before.
	EndTime time.Time
	// ExpireTime is when retention deletes it, unless it is run again before; zero while it is not
	// finished, where nothing is deleted by itself, and of a sub-workflow.
	ExpireTime time.Time
	// ETag changes with labels and description, and with nothing else: see [ExecutionUpdate].
	ETag string
	// ParentTaskExecutionID is the task that started it, of a sub-workflow.
	ParentTaskExecutionID string
	// RootExecutionID is the uid of the execution that was started from outside; its own uid
	// unless it is a sub-workflow.
	RootExecutionID string
	// SourceExecutionID is the uid of the execution that this one repeats, of a restart.
	SourceExecutionID string
	// ItemIndex is which item it runs, from 0, of a sub-workflow of a with-items task.
	ItemIndex int
	// Progress counts its tasks by state.
	Progress Progress
}

// Progress counts task executions by state.
type Progress struct {
	// Total is all task executions so far.
	Total int
	// Active is IDLE, WAITING, RUNNING, DELAYED or PAUSED.
	Active int
	// Success, Error, Cancelled and Skipped count those states.
	Success, Error, Cancelled, Skipped int
	// RolledBack counts what was rolled back: it counts in Total and in no other field.
	RolledBack int
	// Undoing counts what undoes tasks and is under way, UndoFailed what has failed at that or was
	// cancelled. Neither counts in any other field, also not in Total.
	Undoing, UndoFailed int
	// RunningActions counts action executions that run; sub-workflows count as one each.
	RunningActions int
}

// GetExecution returns an execution by id or uid, as [Execution.Get].
//
// Errors: EXECUTION_NOT_FOUND, LIMIT_EXCEEDED.
func (c *Client) GetExecution(
	ctx context.Context, id string, opts ...GetOption,
) (*ExecutionInfo, error) {
	return c.Execution(id).Get(ctx, opts...)
}

// Get returns the execution as it is now, with payloads: "input", "output", "params",
// "published_global" and "error.details", or those chosen by [WithOnly].
//
// Errors: EXECUTION_NOT_FOUND, LIMIT_EXCEEDED if the payloads are too large together.
func (e *Execution) Get(ctx context.Context, opts ...GetOption) (*ExecutionInfo, error) {
	return e.get(ctx, pb.View_VIEW_FULL, opts...)
}

func (e *Execution) get(
	ctx context.Context, view pb.View, opts ...GetOption,
) (*ExecutionInfo, error) {
	r, err := e.client.executions.GetExecution(ctx, &pb.GetExecutionRequest{
		Project:     e.client.project,
		ExecutionId: e.ref(),
		View:        view,
		ReadMask:    readMask(opts),
	})
	if err != nil {
		return nil, err
	}
	return executionFrom(r.GetExecution()), nil
}

// List yields executions, newest first, page by page as they are needed. It may lag behind other
// calls by up to a second. Fields of the filter: execution_id, uid, state, workflow_name,
// workflow_namespace, create_time, update_time, start_time, end_time, description,
// root_execution_id, parent_task_execution_id, labels.KEY. The first error ends it.
//
// Errors: INVALID_FILTER.
func (c *Client) List(ctx context.Context, opts ListOptions) iter.Seq2[*ExecutionInfo, error] {
	return pages(ctx, opts.PageSize, executionFrom,
		func(ctx context.Context, size int32, token string) ([]*pb.Execution, string, error) {
			r, err := c.executions.ListExecutions(ctx, &pb.ListExecutionsRequest{
				Project:   c.project,
				Filter:    opts.Filter,
				PageSize:  size,
				PageToken: token,
				View:      opts.view(),
			})
			return r.GetExecutions(), r.GetNextPageToken(), err
		})
}

// Count returns how many executions match a filter, see [Client.List]; empty counts all.
//
// Errors: INVALID_FILTER.
func (c *Client) Count(ctx context.Context, filter string) (int64, error) {
	r, err := c.count(ctx, filter, pb.CountGroup_COUNT_GROUP_UNSPECIFIED)
	return r.GetTotal(), err
}

// CountByState returns how many executions match a filter, by state words such as "SUCCESS".
//
// Errors: INVALID_FILTER.
func (c *Client) CountByState(ctx context.Context, filter string) (map[string]int64, error) {
	r, err := c.count(ctx, filter, pb.CountGroup_COUNT_GROUP_STATE)
	return r.GetGroups(), err
}

// CountByWorkflow returns how many executions match a filter, by the name of the workflow; at most
// 1000 of them.
//
// Errors: INVALID_FILTER.
func (c *Client) CountByWorkflow(ctx context.Context, filter string) (map[string]int64, error) {
	r, err := c.count(ctx, filter, pb.CountGroup_COUNT_GROUP_WORKFLOW_NAME)
	return r.GetGroups(), err
}

func (c *Client) count(
	ctx context.Context, filter string, group pb.CountGroup,
) (*pb.CountExecutionsResponse, error) {
	return c.executions.CountExecutions(ctx, &pb.CountExecutionsRequest{
		Project: c.project,
		Filter:  filter,
		GroupBy: group,
	})
}

// Pause pauses the execution and its sub-workflows: running actions go on, nothing new starts.
// Pausing a paused one changes nothing. [Execution.WaitDrained] waits until nothing runs any more.
//
// Errors: EXECUTION_NOT_FOUND, EXECUTION_STATE.
func (e *Execution) Pause(ctx context.Context, opts ...PauseOption) (*ExecutionInfo, error) {
	cfg := collect(opts, PauseOption.pause)
	r, err := e.client.executions.PauseExecution(ctx, &pb.PauseExecutionRequest{
		Project:     e.client.project,
		ExecutionId: e.ref(),
		Reason:      cfg.reason,
		RequestId:   cfg.requestID,
		TimeoutsRun: cfg.timeoutsRun,
	})
	return changed(r.GetExecution(), err)
}

// Resume resumes the execution and its sub-workflows; [WithEnv] changes the environment first.
// Resuming a running one changes nothing.
//
// Errors: EXECUTION_NOT_FOUND, EXECUTION_STATE.
func (e *Execution) Resume(ctx context.Context, opts ...ResumeOption) (*ExecutionInfo, error) {
	cfg := collect(opts, ResumeOption.resume)
	env, err := encodePayload(cfg.env)
	if err != nil {
		return nil, err
	}
	r, err := e.client.executions.ResumeExecution(ctx, &pb.ResumeExecutionRequest{
		Project:     e.client.project,
		ExecutionId: e.ref(),
		Env:         env,
		Reason:      cfg.reason,
		RequestId:   cfg.requestID,
	})
	return changed(r.GetExecution(), err)
}

// Cancel cancels the execution, its running actions and its sub-workflows. Cancelling a cancelled
// one changes nothing.
//
// Errors: EXECUTION_NOT_FOUND, EXECUTION_STATE.
func (e *Execution) Cancel(ctx context.Context, opts ...VerbOption) (*ExecutionInfo, error) {
	cfg := collect(opts, VerbOption.verb)
	r, err := e.client.executions.CancelExecution(ctx, &pb.CancelExecutionRequest{
		Project:     e.client.project,
		ExecutionId: e.ref(),
		Reason:      cfg.reason,
		RequestId:   cfg.requestID,
	})
	return changed(r.GetExecution(), err)
}

// Stop ends the execution now with a declared outcome: [ExecutionSuccess], which evaluates the
// output of the workflow, [ExecutionFailed] or [ExecutionCancelled].
//
// Errors: EXECUTION_NOT_FOUND, EXECUTION_STATE, INVALID_FIELD.
func (e *Execution) Stop(
	ctx context.Context, outcome ExecutionState, opts ...VerbOption,
) (*ExecutionInfo, error) {
	cfg := collect(opts, VerbOption.verb)
	r, err := e.client.executions.StopExecution(ctx, &pb.StopExecutionRequest{
		Project:     e.client.project,
		ExecutionId: e.ref(),
		Outcome:     pb.ExecutionState(outcome),
		Reason:      cfg.reason,
		RequestId:   cfg.requestID,
	})
	return changed(r.GetExecution(), err)
}

// Rerun runs again, in place, what has failed or was cancelled; what follows from it follows.
// [WithTask] names the only task, [WithReset] runs all items of with-items tasks, [WithEnv] changes
// the environment first, [WithTaskInput] the input of the task.
//
// Errors: EXECUTION_NOT_FOUND, TASK_EXECUTION_NOT_FOUND, EXECUTION_STATE, INVALID_FIELD.
func (e *Execution) Rerun(ctx context.Context, opts ...RerunOption) (*ExecutionInfo, error) {
	cfg := collect(opts, RerunOption.rerun)
	env, err := encodePayload(cfg.env)
	if err != nil {
		return nil, err
	}
	input, err := encodePayload(cfg.input)
	if err != nil {
		return nil, err
	}
	r, err := e.client.executions.RerunExecution(ctx, &pb.RerunExecutionRequest{
		Project:         e.client.project,
		ExecutionId:     e.ref(),
		TaskExecutionId: cfg.taskID,
		Reset_:          cfg.reset,
		Input:           input,
		Env:             env,
		Reason:          cfg.reason,
		RequestId:       cfg.requestID,
	})
	return changed(r.GetExecution(), err)
}

// Rollback undoes what the tasks have done, in the reverse of the order in which it has happened.
// [WithToTask] names a task execution to go back to.
//
// Errors: EXECUTION_NOT_FOUND, TASK_EXECUTION_NOT_FOUND, EXECUTION_STATE, INVALID_FIELD.
func (e *Execution) Rollback(
	ctx context.Context,
	opts ...RollbackOption,
) (*ExecutionInfo, error) {
	cfg := collect(opts, RollbackOption.rollback)
	r, err := e.client.executions.RollbackExecution(ctx, &pb.RollbackExecutionRequest{
		Project:           e.client.project,
		ExecutionId:       e.ref(),
		ToTaskExecutionId: cfg.taskID,
		Reason:            cfg.reason,
		RequestId:         cfg.requestID,
	})
	return changed(r.GetExecution(), err)
}

// Delete deletes the finished execution with its tasks, actions, sub-workflow executions and
// history.
//
// Errors: EXECUTION_NOT_FOUND (see [WithAllowMissing]), EXECUTION_STATE (see [WithForce]).
func (e *Execution) Delete(ctx context.Context, opts ...DeleteOption) error {
	cfg := collect(opts, DeleteOption.delete)
	_, err := e.client.executions.DeleteExecution(ctx, &pb.DeleteExecutionRequest{
		Project:      e.client.project,
		ExecutionId:  e.ref(),
		Force:        cfg.force,
		AllowMissing: cfg.allowMissing,
		Reason:       cfg.reason,
		RequestId:    cfg.requestID,
	})
	return err
}

func changed(e *pb.Execution, err error) (*ExecutionInfo, error) {
	if err != nil {
		return nil, err
	}
	return executionFrom(e), nil
}

func executionFrom(e *pb.Execution) *ExecutionInfo {
	p := e.GetProgress()
	return &ExecutionInfo{
		Project:               e.GetProject(),
		ID:                    e.GetExecutionId(),
		UID:                   e.GetUid(),
		Kind:                  ExecutionKind(e.GetKind()),
		WorkflowName:          e.GetWorkflowName(),
		WorkflowNamespace:     e.GetWorkflowNamespace(),
		WorkflowRevision:      int(e.GetWorkflowRevision()),
		State:                 ExecutionState(e.GetState()),
		StateInfo:             e.GetStateInfo(),
		Run:                   int(e.GetRun()),
		LastSequence:          e.GetLastSequence(),
		Input:                 payloadFrom(e.GetInput()),
		Output:                payloadFrom(e.GetOutput()),
		Params:                payloadFrom(e.GetParams()),
		PublishedGlobal:       payloadFrom(e.GetPublishedGlobal()),
		Failure:               failureFrom(e.GetError()),
		Labels:                maps.Clone(e.GetLabels()),
		Description:           e.GetDescription(),
		CreateTime:            timeFrom(e.GetCreateTime()),
		UpdateTime:            timeFrom(e.GetUpdateTime()),
		EndTime:               timeFrom(e.GetEndTime()),
		ExpireTime:            timeFrom(e.GetExpireTime()),
		ETag:                  e.GetEtag(),
		ParentTaskExecutionID: e.GetParentTaskExecutionId(),
		RootExecutionID:       e.GetRootExecutionId(),
		SourceExecutionID:     e.GetSourceExecutionId(),
		ItemIndex:             int(e.GetItemIndex()),
		Progress: Progress{
			Total:          int(p.GetTotal()),
			Active:         int(p.GetActive()),
			Success:        int(p.GetSuccess()),
			Error:          int(p.GetError()),
			Cancelled:      int(p.GetCancelled()),
			Skipped:        int(p.GetSkipped()),
			RolledBack:     int(p.GetRolledBack()),
			Undoing:        int(p.GetUndoing()),
			UndoFailed:     int(p.GetUndoFailed()),
			RunningActions: int(p.GetRunningActions()),
		},
	}
}

func failureFrom(f *pb.Failure) *Failure {
	if f == nil {
		return nil
	}
	failure := &Failure{
		Type:    f.GetType(),
		Message: f.GetMessage(),
		Details: payloadFrom(f.GetDetails()),
		Stack:   f.GetStack(),
		Cause:   failureFrom(f.GetCause()),
	}
	if limit := f.GetLimit(); limit != nil {
		failure.Limit = &LimitHit{Name: limit.GetName(), Allowed: limit.GetAllowed()}
	}
	return failure
}

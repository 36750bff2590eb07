package autan

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// drainedWait is how long the server holds one call that waits until nothing runs any more.
const drainedWait = 10 * time.Second

// Terminate ends the execution and its sub-workflows at once: no handler runs, nothing is
// evaluated, and there is no output. The state is CANCELLED, and the type of
// [ExecutionInfo.Failure] "terminated". Terminating a cancelled one changes nothing.
//
// Errors: EXECUTION_NOT_FOUND, EXECUTION_STATE.
func (e *Execution) Terminate(ctx context.Context, opts ...VerbOption) (*ExecutionInfo, error) {
	cfg := collect(opts, VerbOption.verb)
	r, err := e.client.executions.TerminateExecution(ctx, &pb.TerminateExecutionRequest{
		Project:     e.client.project,
		ExecutionId: e.ref(),
		Reason:      cfg.reason,
		RequestId:   cfg.requestID,
	})
	return changed(r.GetExecution(), err)
}

// WaitDrained waits until the execution is paused and nothing runs any more, in it or below, or
// until it is finished; ctx bounds the wait.
//
// Errors: EXECUTION_NOT_FOUND.
func (e *Execution) WaitDrained(ctx context.Context) (*ExecutionInfo, error) {
	for {
		r, err := e.client.executions.WaitExecution(ctx, &pb.WaitExecutionRequest{
			Project:     e.client.project,
			ExecutionId: e.ref(),
			Timeout:     durationpb.New(drainedWait),
			View:        pb.View_VIEW_FULL,
			Until:       pb.WaitUntil_WAIT_UNTIL_DRAINED,
		})
		if err != nil {
			return nil, err
		}
		if r.GetFinished() || r.GetDrained() {
			return executionFrom(r.GetExecution()), nil
		}
	}
}

// RestartOptions says how the new execution of [Execution.Restart] differs from its source. The
// zero value changes nothing.
type RestartOptions struct {
	// ID of the new execution; the server gives one if it is empty.
	ID string
	// LatestRevision runs the latest revision of the workflow instead of the same one.
	LatestRevision bool
	// Input is all inputs, if not nil; it must encode to a JSON object.
	Input any
	// Params is all start parameters but the environment, if not nil.
	Params map[string]any
	// Environment names a stored environment, if not empty. It excludes Env.
	Environment string
	// Env is the variables of the environment, if not nil; it must encode to a JSON object.
	Env any
	// Labels is all labels, if not nil.
	Labels map[string]string
	// Description is free text, if not empty.
	Description string
	// Reason says why, for the record; at most 4 KiB.
	Reason string
	// RequestID makes the call idempotent, see [WithRequestID]; one is made if it is empty.
	RequestID string
}

// Restart starts another execution with the same workflow, input, parameters, environment, labels
// and description, but for what the options say; this one stays as it is.
//
// Errors: EXECUTION_NOT_FOUND, EXECUTION_ALREADY_EXISTS, WORKFLOW_NOT_FOUND, ENVIRONMENT_NOT_FOUND,
// INPUT_MISMATCH, PAYLOAD_INVALID, PAYLOAD_TOO_LARGE.
func (e *Execution) Restart(ctx context.Context, opts RestartOptions) (*Execution, error) {
	if opts.Environment != "" && opts.Env != nil {
		return nil, invalidArg("environment", "is given by name and as variables")
	}
	request := &pb.RestartExecutionRequest{
		Project:        e.client.project,
		ExecutionId:    e.ref(),
		NewExecutionId: opts.ID,
		LatestRevision: opts.LatestRevision,
		Labels:         opts.Labels,
		ClearLabels:    opts.Labels != nil,
		Description:    opts.Description,
		Reason:         opts.Reason,
		RequestId:      requestID(opts.RequestID),
	}
	var err error
	if request.Input, err = encodePayload(opts.Input); err != nil {
		return nil, err
	}
	if opts.Params != nil {
		if request.Params, err = encodePayload(opts.Params); err != nil {
			return nil, err
		}
	}
	switch {
	case opts.Environment != "":
		request.Environment = &pb.RestartExecutionRequest_EnvironmentName{
			EnvironmentName: opts.Environment,
		}
	case opts.Env != nil:
		env, err := encodePayload(opts.Env)
		if err != nil {
			return nil, err
		}
		request.Environment = &pb.RestartExecutionRequest_EnvironmentVariables{
			EnvironmentVariables: env,
		}
	}
	r, err := e.client.executions.RestartExecution(ctx, request)
	if err != nil {
		return nil, err
	}
	return &Execution{
		client:  e.client,
		id:      r.GetExecution().GetExecutionId(),
		uid:     r.GetExecution().GetUid(),
		started: true,
	}, nil
}

// ExecutionUpdate says what [Execution.Update] changes. What is nil stays as it is.
type ExecutionUpdate struct {
	// Labels is all labels from now on; an empty map takes all away.
	Labels map[string]string
	// Description is free text.
	Description *string
	// Env is variables to change in the environment of a paused execution; it must encode to a JSON
	// object.
	Env any
	// ETag makes the update fail with ETAG_MISMATCH if labels or description were changed since it
	// was read.
	ETag string
	// Reason says why, for the record; at most 4 KiB.
	Reason string
	// RequestID makes the call idempotent, see [WithRequestID]; one is made if it is empty.
	RequestID string
}

// Update changes labels and description, or while the execution is paused its environment.
//
// Errors: EXECUTION_NOT_FOUND, EXECUTION_STATE, ETAG_MISMATCH, INVALID_FIELD, PAYLOAD_INVALID.
func (e *Execution) Update(ctx context.Context, update ExecutionUpdate) (*ExecutionInfo, error) {
	env, err := encodePayload(update.Env)
	if err != nil {
		return nil, err
	}
	request := &pb.UpdateExecutionRequest{
		Project:     e.client.project,
		ExecutionId: e.ref(),
		Labels:      update.Labels,
		Environment: env,
		UpdateMask:  &fieldmaskpb.FieldMask{},
		Etag:        update.ETag,
		Reason:      update.Reason,
		RequestId:   requestID(update.RequestID),
	}
	if update.Labels != nil {
		request.UpdateMask.Paths = append(request.UpdateMask.Paths, "labels")
	}
	if update.Description != nil {
		request.Description = *update.Description
		request.UpdateMask.Paths = append(request.UpdateMask.Paths, "description")
	}
	if env != nil {
		request.UpdateMask.Paths = append(request.UpdateMask.Paths, "environment")
	}
	r, err := e.client.executions.UpdateExecution(ctx, request)
	return changed(r.GetExecution(), err)
}

// RetryTask lets a task go on now that waits for its next attempt, or for another time.
//
// Errors: TASK_EXECUTION_NOT_FOUND, EXECUTION_STATE.
func (c *Client) RetryTask(
	ctx context.Context, taskExecutionID string, opts ...VerbOption,
) (*TaskExecution, error) {
	cfg := collect(opts, VerbOption.verb)
	r, err := c.tasks.RetryTask(ctx, &pb.RetryTaskRequest{
		Project:         c.project,
		TaskExecutionId: taskExecutionID,
		Reason:          cfg.reason,
		RequestId:       cfg.requestID,
	})
	if err != nil {
		return nil, err
	}
	return taskFrom(r.GetTaskExecution()), nil
}

// requestID is the given id, or a new one.
func requestID(given string) string {
	if given != "" {
		return given
	}
	return newRequestID()
}

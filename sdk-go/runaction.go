package autan

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// WithWait lets the server answer only with the result of the action, or after this time, of at
// most 10 s. Without it the server answers as soon as the start is durable.
func WithWait(d time.Duration) RunOption {
	return runFunc(func(c *launchConfig) { c.wait = durationpb.New(d) })
}

// WithTimeout limits how long the action may take, in whole seconds (rounded up); the run then ends
// in ERROR. Without it the limit of the server holds, which also bounds the given one.
func WithTimeout(d time.Duration) RunOption {
	return runFunc(func(c *launchConfig) { c.timeout = durationpb.New(d) })
}

// WithTarget names the queue of the worker that is to run the action. Without it any worker that
// provides the action does.
func WithTarget(queue string) RunOption {
	return runFunc(func(c *launchConfig) { c.target = queue })
}

// WithSynchronous refuses an action whose result comes from outside.
func WithSynchronous() RunOption {
	return runFunc(func(c *launchConfig) { c.isSynchronous = true })
}

// WithDiscard deletes the execution with its history once its result was answered by the call, for
// which the server waits 10 s unless [WithWait] is given. It is kept if it is not finished by then.
func WithDiscard() RunOption {
	return runFunc(func(c *launchConfig) { c.isDiscarded = true })
}

// ActionRun is one run of an action: the handle of the execution behind it, which has one task. Get
// its result with [ActionResult].
type ActionRun struct {
	*Execution
	// Action is the attempt as the call answered it, with payloads; nil with [WithValidateOnly].
	Action *ActionExecution
	// Finished says that it was finished when the call answered.
	Finished bool

	info *ExecutionInfo
}

// RunAction runs one action without a workflow, built-in or ad-hoc. It returns after the start is
// durable: the run is an execution with one task, to be watched, cancelled and waited for like any
// other.
//
// The input must encode to a JSON object; nil is {}. No part of it is an expression. The call is
// safe to repeat as [Client.Start] is. An action that fails is no error of the call.
//
// Errors: ACTION_NOT_FOUND, INPUT_MISMATCH, ENVIRONMENT_NOT_FOUND, EXECUTION_ALREADY_EXISTS,
// INVALID_FIELD, PAYLOAD_INVALID, PAYLOAD_TOO_LARGE, REQUEST_ID_REUSED, STORE_UNAVAILABLE.
func (c *Client) RunAction(
	ctx context.Context, action string, input any, opts ...RunOption,
) (*ActionRun, error) {
	cfg, env, err := launch(opts, RunOption.run)
	if err != nil {
		return nil, err
	}
	isKept := !cfg.isDiscarded
	request := &pb.RunActionRequest{
		Project:          c.project,
		Namespace:        cfg.namespace,
		ActionName:       action,
		ExecutionId:      cfg.id,
		IdConflictPolicy: cfg.conflict,
		Labels:           cfg.labels,
		Description:      cfg.description,
		WaitTimeout:      cfg.wait,
		Timeout:          cfg.timeout,
		Target:           cfg.target,
		Synchronous:      cfg.isSynchronous,
		Save:             &isKept,
		RequestId:        cfg.requestID,
		ValidateOnly:     cfg.validateOnly,
	}
	if cfg.wait == nil && isKept {
		request.WaitTimeout = durationpb.New(0)
	}
	if request.Input, err = encodePayload(input); err != nil {
		return nil, err
	}
	switch {
	case cfg.environment != "":
		request.Environment = &pb.RunActionRequest_EnvironmentName{
			EnvironmentName: cfg.environment,
		}
	case env != nil:
		request.Environment = &pb.RunActionRequest_EnvironmentVariables{
			EnvironmentVariables: env,
		}
	}
	r, err := c.actions.RunAction(ctx, request)
	if err != nil {
		return nil, err
	}
	run := &ActionRun{
		Execution: &Execution{
			client:  c,
			id:      r.GetExecution().GetExecutionId(),
			uid:     r.GetExecution().GetUid(),
			started: r.GetStarted(),
		},
		Finished: r.GetFinished(),
		info:     executionFrom(r.GetExecution()),
	}
	if r.GetActionExecution() != nil {
		run.Action = actionFrom(r.GetActionExecution())
	}
	return run, nil
}

// ActionResult waits until the action is finished and returns its result as a T.
//
// Errors: an [*ExecutionError] if it ended in ERROR or CANCELLED, with the error result as output,
// otherwise those of [Execution.Wait] and [Payload.Decode].
func ActionResult[T any](ctx context.Context, run *ActionRun) (T, error) {
	// The only way for one that is not kept: there is nothing left to ask for.
	info, action := run.info, run.Action
	if !run.Finished || action == nil {
		var zero T
		var err error
		if info, action, err = run.ended(ctx); err != nil {
			return zero, err
		}
	}
	return outputOf[T](info, action.Output)
}

// ended waits for the end and reads the last attempt.
func (r *ActionRun) ended(ctx context.Context) (*ExecutionInfo, *ActionExecution, error) {
	info, err := r.Wait(ctx)
	if err != nil {
		return nil, nil, err
	}
	var last string
	for action, err := range r.Actions(ctx, ListOptions{}) {
		if err != nil {
			return nil, nil, err
		}
		last = action.ID
	}
	if last == "" {
		return nil, nil, errors.New("autan: the execution " + r.ID() + " has no action")
	}
	action, err := r.client.GetActionExecution(ctx, last)
	return info, action, err
}

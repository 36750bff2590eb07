package main

import (
	"context"
	"errors"
	"fmt"
	"sort"

	autan "github.com/autan-dev/autan/sdk-go"
)

// run holds the executions of one case, by the names that its steps give them.
type run struct {
	client     *autan.Client
	source     string
	executions map[string]*autan.Execution
	token      string // where the last watch of many ended
}

func named(name string) string {
	if name == "" {
		return "run"
	}
	return name
}

// perform makes one call and returns what is worth comparing of its answer.
func (r *run) perform(ctx context.Context, s step) (any, error) {
	answer, err := r.call(ctx, s)
	var refused *autan.Error
	if errors.As(err, &refused) && refused.Reason != "" {
		return object{"refused": refused.Reason}, nil
	}
	return answer, err
}

func (r *run) call(ctx context.Context, s step) (any, error) {
	switch s.Do {
	case "create":
		return nil, r.create(ctx, s)
	case "start":
		return r.start(ctx, s)
	case "list":
		return r.list(ctx, s)
	case "create_environment", "update_environment", "delete_environment":
		return r.environment(ctx, s)
	case "run_action":
		return r.runAction(ctx, s)
	case "evaluate":
		return r.evaluate(ctx, s)
	case "batch", "preview", "batches":
		return batch(ctx, r.client.Batches(), s)
	case "watch_all":
		return r.watchAll(ctx, s)
	case "watch_events":
		return r.watchEvents(ctx, s)
	}
	e, ok := r.executions[named(s.Of)]
	if !ok {
		return nil, fmt.Errorf("no execution is called %q", named(s.Of))
	}
	switch s.Do {
	case "complete", "fail", "cancel_action":
		return nil, r.act(ctx, e, s)
	case "bytes":
		return r.bytes(ctx, e, s)
	case "child":
		return nil, r.child(ctx, e, s)
	case "explain", "graph", "history", "callers":
		return r.inside(ctx, e, s)
	case "await":
		_, err := find(ctx, e, s.awaits)
		return nil, err
	case "result":
		return result(ctx, e)
	case "skip", "retry":
		return r.task(ctx, e, s)
	case "terminate", "drained", "restart", "update":
		return r.control(ctx, e, s)
	case "delete":
		options := []autan.DeleteOption{autan.WithReason(s.Reason)}
		if s.Force {
			options = append(options, autan.WithForce())
		}
		err := e.Delete(ctx, options...)
		if err == nil {
			delete(r.executions, named(s.Of))
		}
		return nil, err
	}
	return change(ctx, e, s)
}

// change applies a verb, or waits; both answer with the execution.
func change(ctx context.Context, e *autan.Execution, s step) (any, error) {
	var info *autan.ExecutionInfo
	var err error
	switch s.Do {
	case "pause":
		info, err = e.Pause(ctx)
	case "resume":
		if s.Env == nil {
			info, err = e.Resume(ctx)
		} else {
			info, err = e.Resume(ctx, autan.WithEnv(s.Env))
		}
	case "rerun":
		info, err = rerun(ctx, e, s)
	case "rollback":
		info, err = rollback(ctx, e, s)
	case "cancel":
		info, err = e.Cancel(ctx)
	case "stop":
		var outcome autan.ExecutionState
		if outcome, err = finalState(s.Outcome); err == nil {
			info, err = e.Stop(ctx, outcome)
		}
	case "wait":
		info, err = e.Wait(ctx)
	default:
		err = errors.New("there is no such step")
	}
	if err != nil {
		return nil, err
	}
	return object{"state": info.State}, nil
}

func finalState(word string) (autan.ExecutionState, error) {
	for _, s := range []autan.ExecutionState{
		autan.ExecutionSuccess, autan.ExecutionFailed, autan.ExecutionCancelled,
	} {
		if s.String() == word {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%q is not a final state", word)
}

func (r *run) create(ctx context.Context, s step) error {
	source := r.source
	if s.Source != "" {
		source = s.Source
	}
	var err error
	switch s.Kind {
	case "workbook":
		_, _, err = r.client.Workbooks().Create(ctx, source)
	case "actions":
		_, err = r.client.Actions().Create(ctx, source)
	default:
		_, err = r.client.Workflows().Create(ctx, source)
	}
	return err
}

func (r *run) start(ctx context.Context, s step) (any, error) {
	options := []autan.StartOption{autan.WithParams(s.Params)}
	if s.ID != "" {
		options = append(options, autan.WithID(s.ID))
	}
	if s.Environment != "" {
		options = append(options, autan.WithEnvironment(s.Environment))
	}
	for key, value := range s.Labels {
		options = append(options, autan.WithLabel(key, value))
	}
	var input any
	if s.Input != nil {
		input = s.Input
	}
	e, err := r.client.Start(ctx, s.Workflow, input, options...)
	if err != nil {
		return nil, err
	}
	r.executions[named(s.As)] = e
	return object{"started": e.Started()}, nil
}

func (r *run) list(ctx context.Context, s step) (any, error) {
	ids := []string{}
	for info, err := range r.client.List(ctx, autan.ListOptions{Filter: s.Filter}) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, info.ID)
	}
	sort.Strings(ids)
	return ids, nil
}

// act completes the action of a task that runs outside.
func (r *run) act(ctx context.Context, e *autan.Execution, s step) error {
	event, err := find(ctx, e, s.acts)
	if err != nil {
		return err
	}
	id := event.Detail.(*autan.ActionStarted).ActionExecutionID
	switch s.Do {
	case "complete":
		result := s.Result
		if s.Bytes != nil {
			result = autan.Binary{
				ContentType: s.ContentType, Data: []byte(*s.Bytes), Metadata: s.Metadata,
			}
		}
		_, err = r.client.CompleteActionExecution(ctx, id, result)
	case "fail":
		_, err = r.client.FailActionExecution(ctx, id, s.Error)
	default:
		_, err = r.client.UpdateActionExecution(ctx, id, autan.ActionCancelled)
	}
	return err
}

// bytes answers with the binary output of an action.
func (r *run) bytes(ctx context.Context, e *autan.Execution, s step) (any, error) {
	event, err := find(ctx, e, s.acts)
	if err != nil {
		return nil, err
	}
	id := event.Detail.(*autan.ActionStarted).ActionExecutionID
	action, err := r.client.GetActionExecution(ctx, id)
	if err != nil {
		return nil, err
	}
	found, err := autan.Decode[autan.Binary](action.Output)
	if err != nil {
		return nil, err
	}
	return object{
		"bytes":        string(found.Data),
		"content_type": found.ContentType,
		"metadata":     found.Metadata,
	}, nil
}

func rerun(ctx context.Context, e *autan.Execution, s step) (*autan.ExecutionInfo, error) {
	var options []autan.RerunOption
	if s.Task != "" {
		id, err := taskID(ctx, e, s.Task)
		if err != nil {
			return nil, err
		}
		options = append(options, autan.WithTask(id))
	}
	if s.Reset {
		options = append(options, autan.WithReset())
	}
	if s.Env != nil {
		options = append(options, autan.WithEnv(s.Env))
	}
	if s.Input != nil {
		options = append(options, autan.WithTaskInput(s.Input))
	}
	return e.Rerun(ctx, options...)
}

func rollback(
	ctx context.Context, e *autan.Execution, s step,
) (*autan.ExecutionInfo, error) {
	if s.Task == "" {
		return e.Rollback(ctx)
	}
	id, err := taskID(ctx, e, s.Task)
	if err != nil {
		return nil, err
	}
	return e.Rollback(ctx, autan.WithToTask(id))
}

// task skips a task, or lets it go on now.
func (r *run) task(ctx context.Context, e *autan.Execution, s step) (any, error) {
	id, err := taskID(ctx, e, s.Task)
	if err != nil {
		return nil, err
	}
	if s.Do == "retry" {
		task, err := r.client.RetryTask(ctx, id)
		if err != nil {
			return nil, err
		}
		return object{"state": task.State}, nil
	}
	var options []autan.SkipOption
	if s.Result != nil {
		options = append(options, autan.WithResult(s.Result))
	}
	task, err := r.client.SkipTask(ctx, id, options...)
	if err != nil {
		return nil, err
	}
	return object{"state": task.State}, nil
}

// taskID finds the latest execution of a task.
func taskID(ctx context.Context, e *autan.Execution, name string) (string, error) {
	var id string
	for task, err := range e.Tasks(ctx, autan.ListOptions{}) {
		if err != nil {
			return "", err
		}
		if task.Name == name {
			id = task.ID
		}
	}
	if id == "" {
		return "", fmt.Errorf("there is no task %q", name)
	}
	return id, nil
}

// child gives a name to the sub-workflow that a task started.
func (r *run) child(ctx context.Context, e *autan.Execution, s step) error {
	event, err := find(ctx, e, func(event *autan.HistoryEvent) bool {
		_, ok := event.Detail.(*autan.ChildStarted)
		return ok && event.TaskName == s.Task
	})
	if err != nil {
		return err
	}
	id := event.Detail.(*autan.ChildStarted).ChildExecutionID
	r.executions[s.As] = r.client.Execution(id)
	return nil
}

func result(ctx context.Context, e *autan.Execution) (any, error) {
	return ending(autan.Result[any](ctx, e))
}

// ending says how an execution, or a single action, ended.
func ending(output any, err error) (any, error) {
	var ended *autan.ExecutionError
	if !errors.As(err, &ended) {
		return object{"result": output}, err
	}
	if output, err = autan.Decode[any](ended.Output); err != nil {
		return nil, err
	}
	if ended.State == autan.ExecutionCancelled {
		return object{"cancelled": output}, nil
	}
	return object{"failed": output}, nil
}

// acts tells the start of the action that the step is about.
func (s step) acts(event *autan.HistoryEvent) bool {
	started, ok := event.Detail.(*autan.ActionStarted)
	return ok && event.TaskName == s.Task && started.ItemIndex == s.Item &&
		started.Attempt == max(s.Attempt, 1) &&
		(s.Action == "" || started.ActionName == s.Action)
}

// awaits tells the change of state that the step waits for.
func (s step) awaits(event *autan.HistoryEvent) bool {
	if event.TaskName != s.Task {
		return false
	}
	switch d := event.Detail.(type) {
	case *autan.TaskCreated:
		return d.State.String() == s.State
	case *autan.TaskStateChanged:
		return d.State.String() == s.State
	case *autan.ExecutionStateChanged:
		return d.State.String() == s.State
	}
	return false
}

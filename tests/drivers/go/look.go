package main

import (
	"context"
	"errors"
	"fmt"
	"sort"

	autan "github.com/autan-dev/autan/sdk-go"
)

// defaultRate is the rate of a batch that says nothing.
const defaultRate = 1000

var verbs = map[string]autan.BatchVerb{
	"pause":     autan.BatchPause{},
	"resume":    autan.BatchResume{},
	"cancel":    autan.BatchCancel{},
	"terminate": autan.BatchTerminate{},
	"rerun":     autan.BatchRerun{Reset: true},
	"rollback":  autan.BatchRollback{},
	"delete":    autan.BatchDelete{Force: true},
}

// batch performs a batch operation to its end, previews one, or lists them.
func batch(ctx context.Context, batches *autan.Batches, s step) (any, error) {
	if s.Do == "batches" {
		found := []string{}
		for one, err := range batches.List(ctx, autan.ListOptions{}) {
			if err != nil {
				return nil, err
			}
			found = append(found, one.Verb)
		}
		return found, nil
	}
	options := autan.BatchOptions{Filter: s.Filter, IDs: s.IDs, Rate: s.Rate}
	if options.Rate == 0 {
		options.Rate = defaultRate
	}
	if s.Do == "preview" {
		found, err := batches.Preview(ctx, verbs[s.Verb], options)
		if err != nil {
			return nil, err
		}
		sort.Strings(found.Sample)
		return object{"matched": found.Matched, "sample": found.Sample}, nil
	}
	begun, err := batches.Start(ctx, verbs[s.Verb], options)
	if err != nil {
		return nil, err
	}
	found, err := batches.Wait(ctx, begun.ID)
	if err != nil {
		return nil, err
	}
	cancelled, err := batches.Cancel(ctx, begun.ID)
	if err != nil {
		return nil, err
	}
	if cancelled.State != found.State {
		return nil, errors.New("a finished operation was cancelled")
	}
	return object{
		"verb": found.Verb, "state": found.State,
		"done": found.Done, "skipped": found.Skipped, "failed": found.Failed,
	}, nil
}

// watchAll watches all executions until one is in a state, and remembers where that was.
func (r *run) watchAll(ctx context.Context, s step) (any, error) {
	options := autan.WatchOptions{Filter: s.Filter, Retained: true}
	if s.Resume {
		options.ResumeToken = r.token
	}
	for change, err := range r.client.Watch(ctx, options) {
		if err != nil {
			return nil, err
		}
		id, state, answer := "", "DELETED", object{"seen": s.ID}
		if change.Execution != nil {
			id, state = change.Execution.ID, change.Execution.State.String()
		} else {
			id, answer["reason"] = change.Deleted.ID, change.Deleted.Reason
		}
		if id == s.ID && state == s.State {
			r.token = change.ResumeToken
			return answer, nil
		}
	}
	return nil, errors.New("the watch has ended")
}

// watchEvents watches what happens to all executions until one comes into a state, and tells what
// happened to that one.
func (r *run) watchEvents(ctx context.Context, s step) (any, error) {
	options := autan.WatchOptions{
		Filter: s.Filter, Retained: true, Events: true, EventTypes: s.Types,
	}
	if s.Resume {
		options.ResumeToken = r.token
	}
	var told []*autan.HistoryEvent
	for change, err := range r.client.Watch(ctx, options) {
		if err != nil {
			return nil, err
		}
		if change.Event == nil || change.Execution.ID != s.ID {
			continue
		}
		told = append(told, change.Event)
		detail, ok := change.Event.Detail.(*autan.ExecutionStateChanged)
		if ok && detail.State.String() == s.State {
			r.token = change.ResumeToken
			return lines(func(yield func(*autan.HistoryEvent, error) bool) {
				for _, event := range told {
					if !yield(event, nil) {
						return
					}
				}
			})
		}
	}
	return nil, errors.New("the watch has ended")
}

// inside looks into one execution.
func (r *run) inside(ctx context.Context, e *autan.Execution, s step) (any, error) {
	task := ""
	if s.Task != "" {
		var err error
		if task, err = taskID(ctx, e, s.Task); err != nil {
			return nil, err
		}
	}
	switch s.Do {
	case "explain":
		found, err := e.Explain(ctx, autan.ExplainOptions{TaskExecutionID: task})
		if err != nil {
			return nil, err
		}
		return object{"state": found.State, "causes": causes(found.Causes, "", []string{})}, nil
	case "callers":
		return callers(ctx, e)
	case "graph":
		found, err := e.Graph(ctx, autan.GraphOptions{ErrorsOnly: s.Errors})
		if err != nil {
			return nil, err
		}
		return object{
			"nodes":      nodes(found.Root, "", []string{}),
			"executions": found.Executions,
			"tasks":      found.Tasks,
		}, nil
	}
	options := autan.HistoryOptions{
		After: s.After, Before: s.Before, Types: s.Types,
		TaskExecutionID: task, Descending: s.Newest,
	}
	return lines(e.History(ctx, options))
}

// callers tells who has called what, and who has paused the execution, in words.
func callers(ctx context.Context, e *autan.Execution) (any, error) {
	history, paused := []string{}, []string{}
	for event, err := range e.History(ctx, autan.HistoryOptions{}) {
		if err != nil {
			return nil, err
		}
		if event.Identity != "" {
			history = append(history, event.Type()+" "+event.Identity)
		}
	}
	found, err := e.Explain(ctx, autan.ExplainOptions{})
	if err != nil {
		return nil, err
	}
	for _, cause := range found.Causes {
		if cause.Kind == "paused" {
			paused = append(paused, cause.Text)
		}
	}
	return object{"history": history, "paused": paused}, nil
}

// causes writes one line for each cause: the task, and the kind of the cause.
func causes(all []autan.Cause, indent string, found []string) []string {
	for _, c := range all {
		task := c.TaskName
		if task == "" {
			task = "."
		}
		found = append(found, fmt.Sprintf("%s%s%s %s", indent, undo(c.Undo), task, c.Kind))
		found = causes(c.Causes, indent+"  ", found)
	}
	return found
}

// nodes writes one line for each task: its name, state and the number of its actions.
func nodes(e *autan.ExecutionNode, indent string, found []string) []string {
	for _, t := range e.Tasks {
		found = append(found, fmt.Sprintf(
			"%s%s%s %s %d", indent, undo(t.UndoOf != ""), t.Name, t.State, len(t.Actions),
		))
		for _, child := range t.Children {
			found = nodes(child, indent+"  ", found)
		}
	}
	return found
}

func undo(is bool) string {
	if is {
		return "undo "
	}
	return ""
}

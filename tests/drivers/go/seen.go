package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	autan "github.com/autan-dev/autan/sdk-go"
)

// find follows the execution until something happens.
func find(
	ctx context.Context, e *autan.Execution, wanted func(*autan.HistoryEvent) bool,
) (*autan.HistoryEvent, error) {
	for event, err := range e.Events(ctx) {
		if err != nil {
			return nil, err
		}
		if wanted(event) {
			return event, nil
		}
	}
	return nil, errors.New("the execution ended before it happened")
}

// outcome tells what became of the execution that the case is about.
func (r *run) outcome(ctx context.Context) (object, error) {
	e, ok := r.executions["run"]
	if !ok {
		return object{}, nil
	}
	info, err := e.Wait(ctx)
	if err != nil {
		return nil, err
	}
	output, err := autan.Decode[any](info.Output)
	if err != nil {
		return nil, err
	}
	tasks := []any{}
	for task, err := range e.Tasks(ctx, autan.ListOptions{Full: true}) {
		if err != nil {
			return nil, err
		}
		published, err := autan.Decode[any](task.Published)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, object{
			"name": task.Name, "state": task.State, "published": published,
		})
	}
	history, err := lines(e.History(ctx, autan.HistoryOptions{}))
	if err != nil {
		return nil, err
	}
	watch, err := lines(e.Events(ctx))
	if err != nil {
		return nil, err
	}
	return object{
		"state": info.State, "output": output, "tasks": tasks,
		"history": history, "watch": watch,
	}, nil
}

// lines renders events as "task event detail", without what differs from run to run.
func lines(events iter.Seq2[*autan.HistoryEvent, error]) ([]string, error) {
	all := []string{}
	for event, err := range events {
		if err != nil {
			return nil, err
		}
		task := event.TaskName
		if task == "" {
			task = "."
		}
		line := task + " " + event.Type() + " " + detail(event.Detail)
		all = append(all, strings.TrimRight(line, " "))
	}
	return all, nil
}

func detail(d autan.EventDetail) string {
	switch d := d.(type) {
	case *autan.ExecutionStarted:
		return d.WorkflowName
	case *autan.ExecutionStateChanged:
		return fmt.Sprintf("%s -> %s", d.PreviousState, d.State)
	case *autan.TaskCreated:
		words := []string{d.State.String()}
		if d.UndoOf != "" {
			words = append(words, "undo")
		}
		return strings.Join(append(words, d.TriggeredBy...), " ")
	case *autan.TaskStateChanged:
		return fmt.Sprintf("%s -> %s", d.PreviousState, d.State)
	case *autan.ActionStarted:
		return fmt.Sprintf("%s item %d attempt %d", d.ActionName, d.ItemIndex, d.Attempt)
	case *autan.ActionStateChanged:
		return d.State.String()
	case *autan.VariablesPublished:
		names := append([]string{}, d.Branch...)
		for _, name := range d.Global {
			names = append(names, "global:"+name)
		}
		return strings.Join(names, " ")
	case *autan.TimerStarted:
		return d.Kind.String()
	case *autan.TimerFired:
		return d.Kind.String()
	case *autan.ChildStarted:
		return fmt.Sprintf("%s item %d", d.WorkflowName, d.ItemIndex)
	case *autan.VerbApplied:
		return d.Verb
	case *autan.TaskInputChanged:
		return strings.Join(d.Names, " ")
	case *autan.EnvironmentChanged:
		return strings.Join(d.Names, " ")
	}
	return ""
}

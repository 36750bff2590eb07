package main

import (
	"context"
	"errors"

	autan "github.com/autan-dev/autan/sdk-go"
)

// control makes the calls that end, repeat or change an execution.
func (r *run) control(ctx context.Context, e *autan.Execution, s step) (any, error) {
	switch s.Do {
	case "terminate":
		info, err := e.Terminate(ctx, autan.WithReason(s.Reason))
		if err != nil {
			return nil, err
		}
		if info.Failure == nil {
			return nil, errors.New("it does not say that it was terminated")
		}
		return object{"state": info.State, "info": info.StateInfo, "type": info.Failure.Type}, nil
	case "drained":
		info, err := e.WaitDrained(ctx)
		if err != nil {
			return nil, err
		}
		return object{"state": info.State, "running": info.Progress.RunningActions}, nil
	case "restart":
		return r.restart(ctx, e, s)
	}
	update := autan.ExecutionUpdate{Labels: s.Labels, Description: s.Description, ETag: s.ETag}
	if s.ETag == "current" {
		info, err := e.Get(ctx)
		if err != nil {
			return nil, err
		}
		update.ETag = info.ETag
	}
	if s.Env != nil {
		update.Env = s.Env
	}
	info, err := e.Update(ctx, update)
	if err != nil {
		return nil, err
	}
	return object{"labels": labels(info), "description": info.Description}, nil
}

func (r *run) restart(ctx context.Context, source *autan.Execution, s step) (any, error) {
	options := autan.RestartOptions{ID: s.ID, Labels: s.Labels}
	if s.Input != nil {
		options.Input = s.Input
	}
	e, err := source.Restart(ctx, options)
	if err != nil {
		return nil, err
	}
	r.executions[named(s.As)] = e
	of, err := source.Get(ctx)
	if err != nil {
		return nil, err
	}
	info, err := e.Get(ctx)
	if err != nil {
		return nil, err
	}
	var input any
	if err := info.Input.Decode(&input); err != nil {
		return nil, err
	}
	repeats := info.SourceExecutionID == of.UID
	return object{"repeats": repeats, "input": input, "labels": labels(info)}, nil
}

// labels of an execution; an empty object if there are none.
func labels(info *autan.ExecutionInfo) map[string]string {
	if info.Labels == nil {
		return map[string]string{}
	}
	return info.Labels
}

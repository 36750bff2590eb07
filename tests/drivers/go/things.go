package main

import (
	"context"
	"errors"

	autan "github.com/autan-dev/autan/sdk-go"
)

// environment creates, changes or deletes an environment.
func (r *run) environment(ctx context.Context, s step) (any, error) {
	environments := r.client.Environments()
	var found *autan.Environment
	var err error
	switch s.Do {
	case "create_environment":
		found, err = environments.Create(ctx, s.Environment, "", s.Variables)
	case "update_environment":
		change := autan.EnvironmentChange{Set: s.Set, Remove: s.Remove}
		found, err = environments.Update(ctx, s.Environment, change)
	default:
		return nil, environments.Delete(ctx, s.Environment)
	}
	if err != nil {
		return nil, err
	}
	return autan.Decode[any](found.Variables)
}

// runAction runs one action without a workflow.
func (r *run) runAction(ctx context.Context, s step) (any, error) {
	var options []autan.RunOption
	if s.Environment != "" {
		options = append(options, autan.WithEnvironment(s.Environment))
	}
	var input any
	if s.Input != nil {
		input = s.Input
	}
	run, err := r.client.RunAction(ctx, s.Action, input, options...)
	if err != nil {
		return nil, err
	}
	return ending(autan.ActionResult[any](ctx, run))
}

func (r *run) evaluate(ctx context.Context, s step) (any, error) {
	value, err := r.client.Evaluate(ctx, s.Expression, s.Context)
	var fault *autan.ExpressionError
	switch {
	case errors.As(err, &fault):
		return object{"error": object{
			"syntax": fault.Syntax, "offset": fault.Offset, "length": fault.Length,
			"line": fault.Line, "column": fault.Column,
		}}, nil
	case err != nil:
		return nil, err
	}
	decoded, err := autan.Decode[any](value)
	return object{"value": decoded}, err
}

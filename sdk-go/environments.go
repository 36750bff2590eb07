package autan

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/fieldmaskpb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Environments is the access to environments: named sets of variables, which expressions read as
// env().NAME. See [Client.Environments].
type Environments struct{ client *Client }

// Environment is a named set of variables. An execution that names one at its start gets a copy:
// later changes do not reach it.
type Environment struct {
	// Project is the tenant.
	Project string
	// Name is unique in the project.
	Name string
	// Description is free text.
	Description string
	// Variables is a JSON object; nil in lists that do not ask for it.
	Variables *Payload
	// CreateTime is when it was created.
	CreateTime time.Time
	// UpdateTime is when it last changed.
	UpdateTime time.Time
	// ETag changes with every update, see [WithETag].
	ETag string
}

// EnvironmentChange says what of an environment changes; what is not set stays.
type EnvironmentChange struct {
	// Description is new free text; at most 4 KiB.
	Description *string
	// Variables takes the place of all variables; it must encode to a JSON object. It excludes Set
	// and Remove.
	Variables any
	// Set holds new values of single variables; the others stay.
	Set map[string]any
	// Remove names single variables to remove, if they are there.
	Remove []string
}

// Create creates an environment. The variables must encode to a JSON object; texts in it may hold
// expressions, which are evaluated when an execution starts with it.
//
// Errors: ENVIRONMENT_ALREADY_EXISTS (see [WithAllowExisting]), INVALID_FIELD, PAYLOAD_INVALID,
// PAYLOAD_TOO_LARGE, REQUEST_ID_REUSED.
func (e *Environments) Create(
	ctx context.Context, name, description string, variables any, opts ...CreateOption,
) (*Environment, error) {
	cfg := collect(opts, CreateOption.create)
	payload, err := encodePayload(variables)
	if err != nil {
		return nil, err
	}
	r, err := e.client.environments.CreateEnvironment(ctx, &pb.CreateEnvironmentRequest{
		Project:       e.client.project,
		Name:          name,
		Description:   description,
		Variables:     payload,
		RequestId:     cfg.requestID,
		ValidateOnly:  cfg.validateOnly,
		AllowExisting: cfg.allowExisting,
	})
	if err != nil {
		return nil, err
	}
	return environmentFrom(r.GetEnvironment()), nil
}

// Update changes an environment; [WithETag] guards against lost updates.
//
// Errors: ENVIRONMENT_NOT_FOUND, ETAG_MISMATCH, INVALID_FIELD, PAYLOAD_INVALID, PAYLOAD_TOO_LARGE,
// REQUEST_ID_REUSED.
func (e *Environments) Update(
	ctx context.Context, name string, change EnvironmentChange, opts ...UpdateOption,
) (*Environment, error) {
	cfg := collect(opts, UpdateOption.update)
	request := &pb.UpdateEnvironmentRequest{
		Project:   e.client.project,
		Name:      name,
		Etag:      cfg.etag,
		RequestId: cfg.requestID,
	}
	if err := change.fill(request); err != nil {
		return nil, err
	}
	r, err := e.client.environments.UpdateEnvironment(ctx, request)
	if err != nil {
		return nil, err
	}
	return environmentFrom(r.GetEnvironment()), nil
}

func (c EnvironmentChange) fill(request *pb.UpdateEnvironmentRequest) error {
	// Always there: without a mask an empty description would not be a change.
	mask := &fieldmaskpb.FieldMask{}
	request.UpdateMask = mask
	if c.Description != nil {
		request.Description = *c.Description
		mask.Paths = append(mask.Paths, "description")
	}
	variables := c.Variables
	single := len(c.Set)+len(c.Remove) > 0
	switch {
	case variables != nil && single:
		return invalidArg("variables", "are either all replaced, or changed one by one")
	case variables != nil:
		mask.Paths = append(mask.Paths, "variables")
	case single:
		variables = c.Set
		if c.Set == nil {
			variables = map[string]any{}
		}
		names := slices.AppendSeq(slices.Clone(c.Remove), maps.Keys(c.Set))
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			mask.Paths = append(mask.Paths, "variables."+name)
		}
	}
	var err error
	request.Variables, err = encodePayload(variables)
	return err
}

// Get returns an environment, with its variables.
//
// Errors: ENVIRONMENT_NOT_FOUND.
func (e *Environments) Get(ctx context.Context, name string) (*Environment, error) {
	r, err := e.client.environments.GetEnvironment(ctx, &pb.GetEnvironmentRequest{
		Project: e.client.project,
		Name:    name,
		View:    pb.View_VIEW_FULL,
	})
	if err != nil {
		return nil, err
	}
	return environmentFrom(r.GetEnvironment()), nil
}

// List yields environments by name, page by page as they are needed. Fields of the filter: name,
// create_time, update_time. The first error ends it.
//
// Errors: INVALID_FILTER.
func (e *Environments) List(
	ctx context.Context, opts ListOptions,
) iter.Seq2[*Environment, error] {
	return pages(ctx, opts.PageSize, environmentFrom,
		func(ctx context.Context, size int32, token string) ([]*pb.Environment, string, error) {
			r, err := e.client.environments.ListEnvironments(ctx, &pb.ListEnvironmentsRequest{
				Project:   e.client.project,
				PageSize:  size,
				PageToken: token,
				Filter:    opts.Filter,
				View:      opts.view(),
			})
			return r.GetEnvironments(), r.GetNextPageToken(), err
		})
}

// Delete deletes an environment. Executions keep their copies.
//
// Errors: ENVIRONMENT_NOT_FOUND (see [WithAllowMissing]), ETAG_MISMATCH.
func (e *Environments) Delete(ctx context.Context, name string, opts ...RemoveOption) error {
	cfg := collect(opts, RemoveOption.remove)
	_, err := e.client.environments.DeleteEnvironment(ctx, &pb.DeleteEnvironmentRequest{
		Project:      e.client.project,
		Name:         name,
		Etag:         cfg.etag,
		AllowMissing: cfg.allowMissing,
		RequestId:    cfg.requestID,
	})
	return err
}

func environmentFrom(e *pb.Environment) *Environment {
	return &Environment{
		Project:     e.GetProject(),
		Name:        e.GetName(),
		Description: e.GetDescription(),
		Variables:   payloadFrom(e.GetVariables()),
		CreateTime:  timeFrom(e.GetCreateTime()),
		UpdateTime:  timeFrom(e.GetUpdateTime()),
		ETag:        e.GetEtag(),
	}
}

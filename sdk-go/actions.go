package autan

import (
	"context"
	"iter"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Actions is the access to actions, built-in and ad-hoc, in one namespace. See [Client.Actions].
type Actions struct {
	client    *Client
	namespace *string // nil: the default namespace, and all of them for List
}

// In returns the access to another namespace; "" is the default namespace.
func (a *Actions) In(namespace string) *Actions {
	return &Actions{client: a.client, namespace: &namespace}
}

func (a *Actions) scope() string {
	if a.namespace == nil {
		return ""
	}
	return *a.namespace
}

// Action is what a task does; of an ad-hoc action, one revision.
type Action struct {
	// Project is the tenant; empty for built-in ones.
	Project string
	// Namespace is the scope of the name inside the project; empty for built-in ones.
	Namespace string
	// Name is unique in the namespace; members of a workbook are called "workbook.member".
	Name string
	// Kind says where it comes from.
	Kind ActionKind
	// Revision counts from 1; 0 of built-in ones.
	Revision int
	// RevisionHash is the hash of the revision's text, hexadecimal.
	RevisionHash string
	// Source is the document that holds it; empty in lists that do not ask for it.
	Source string
	// Description is free text.
	Description string
	// Tags come from the document.
	Tags []string
	// Input is the declared inputs in order.
	Input []InputParameter
	// Base is the name of the action that an ad-hoc one wraps, as the document has it.
	Base string
	// Asynchronous says that it ends only when somebody completes it from outside; of an ad-hoc
	// action unknown.
	Asynchronous bool
	// Workbook is the workbook that it came with, if any.
	Workbook string
	// CreateTime is when the first revision was created.
	CreateTime time.Time
	// UpdateTime is when this revision was created.
	UpdateTime time.Time
	// ETag changes with every revision, see [WithETag].
	ETag string
}

// ActionDefinitions is the outcome of creating or updating ad-hoc actions.
type ActionDefinitions struct {
	// Actions is the latest revisions, in document order, with source.
	Actions []*Action
	// Warnings about the document.
	Warnings []Diagnostic
}

// Create creates every ad-hoc action of a YAML document of at most 1 MiB, all or none.
//
// Errors: INVALID_DEFINITION, DEFINITION_TOO_LARGE, ACTION_ALREADY_EXISTS (see
// [WithAllowExisting]), ACTION_IS_SYSTEM, REQUEST_ID_REUSED.
func (a *Actions) Create(
	ctx context.Context, source string, opts ...CreateOption,
) (*ActionDefinitions, error) {
	cfg := collect(opts, CreateOption.create)
	r, err := a.client.actions.CreateAction(ctx, &pb.CreateActionRequest{
		Project:       a.client.project,
		Namespace:     a.scope(),
		Source:        source,
		ValidateOnly:  cfg.validateOnly,
		Strict:        cfg.strict,
		RequestId:     cfg.requestID,
		AllowExisting: cfg.allowExisting,
	})
	if err != nil {
		return nil, err
	}
	return actionDefinitionsFrom(r.GetActions(), r.GetWarnings()), nil
}

// Update adds a revision to every ad-hoc action of a YAML document of at most 1 MiB, all or none.
// Actions under way keep their revision. A text equal to the latest revision adds none.
//
// Errors: INVALID_DEFINITION, DEFINITION_TOO_LARGE, ACTION_NOT_FOUND, ETAG_MISMATCH,
// REQUEST_ID_REUSED.
func (a *Actions) Update(
	ctx context.Context, source string, opts ...UpdateOption,
) (*ActionDefinitions, error) {
	cfg := collect(opts, UpdateOption.update)
	r, err := a.client.actions.UpdateAction(ctx, &pb.UpdateActionRequest{
		Project:      a.client.project,
		Namespace:    a.scope(),
		Source:       source,
		ValidateOnly: cfg.validateOnly,
		Strict:       cfg.strict,
		RequestId:    cfg.requestID,
		Etag:         cfg.etag,
	})
	if err != nil {
		return nil, err
	}
	return actionDefinitionsFrom(r.GetActions(), r.GetWarnings()), nil
}

// Get returns an action of any kind; of an ad-hoc one the latest revision, with source.
//
// Errors: ACTION_NOT_FOUND.
func (a *Actions) Get(ctx context.Context, name string) (*Action, error) {
	return a.GetRevision(ctx, name, 0)
}

// GetRevision returns one revision of an ad-hoc action, with source; 0 is the latest.
//
// Errors: ACTION_NOT_FOUND.
func (a *Actions) GetRevision(
	ctx context.Context, name string, revision int,
) (*Action, error) {
	number, err := int32Arg("revision", revision)
	if err != nil {
		return nil, err
	}
	r, err := a.client.actions.GetAction(ctx, &pb.GetActionRequest{
		Project:   a.client.project,
		Namespace: a.scope(),
		Name:      name,
		Revision:  number,
		View:      pb.View_VIEW_FULL,
	})
	if err != nil {
		return nil, err
	}
	return actionInfoFrom(r.GetAction()), nil
}

// List yields the built-in actions and then the ad-hoc ones, each by name, page by page as they are
// needed: of the namespace chosen by [Actions.In], or of all; of one kind, or 0 for all. Fields of
// the filter: name, namespace, workbook, tag, create_time, update_time. The first error ends it.
//
// Errors: INVALID_FILTER.
func (a *Actions) List(
	ctx context.Context, kind ActionKind, opts ListOptions,
) iter.Seq2[*Action, error] {
	return pages(ctx, opts.PageSize, actionInfoFrom,
		func(ctx context.Context, size int32, token string) ([]*pb.Action, string, error) {
			r, err := a.client.actions.ListActions(ctx, &pb.ListActionsRequest{
				Project:   a.client.project,
				Namespace: a.namespace,
				Kind:      pb.ActionKind(kind),
				PageSize:  size,
				PageToken: token,
				Filter:    opts.Filter,
				View:      opts.view(),
			})
			return r.GetActions(), r.GetNextPageToken(), err
		})
}

// ListRevisions yields the revisions of one ad-hoc action, newest first, without source unless
// opts.Full. The filter must be empty. The first error ends it.
//
// Errors: ACTION_NOT_FOUND.
func (a *Actions) ListRevisions(
	ctx context.Context, name string, opts ListOptions,
) iter.Seq2[*Action, error] {
	if opts.Filter != "" {
		return noFilter[*Action]("revisions")
	}
	return pages(ctx, opts.PageSize, actionInfoFrom,
		func(ctx context.Context, size int32, token string) ([]*pb.Action, string, error) {
			r, err := a.client.actions.ListActionRevisions(ctx,
				&pb.ListActionRevisionsRequest{
					Project:   a.client.project,
					Namespace: a.scope(),
					Name:      name,
					PageSize:  size,
					PageToken: token,
					View:      opts.view(),
				})
			return r.GetActions(), r.GetNextPageToken(), err
		})
}

// Delete deletes an ad-hoc action with all its revisions. Actions under way go on with theirs; a
// task that calls it later fails.
//
// Errors: ACTION_NOT_FOUND (see [WithAllowMissing]), ACTION_IS_SYSTEM,
// ETAG_MISMATCH.
func (a *Actions) Delete(ctx context.Context, name string, opts ...RemoveOption) error {
	cfg := collect(opts, RemoveOption.remove)
	_, err := a.client.actions.DeleteAction(ctx, &pb.DeleteActionRequest{
		Project:      a.client.project,
		Namespace:    a.scope(),
		Name:         name,
		Etag:         cfg.etag,
		AllowMissing: cfg.allowMissing,
		RequestId:    cfg.requestID,
	})
	return err
}

// Validate checks a document and stores nothing. Faults of the document are in the result, never in
// the error. strict treats warnings as errors.
func (a *Actions) Validate(
	ctx context.Context, source string, strict bool,
) (*Validation, error) {
	r, err := a.client.actions.ValidateAction(ctx, &pb.ValidateActionRequest{
		Project: a.client.project,
		Source:  source,
		Strict:  strict,
	})
	if err != nil {
		return nil, err
	}
	return &Validation{
		Valid:       r.GetValid(),
		Diagnostics: mapSlice(r.GetDiagnostics(), diagnosticFrom),
	}, nil
}

func actionDefinitionsFrom(actions []*pb.Action, warnings []*pb.Diagnostic) *ActionDefinitions {
	return &ActionDefinitions{
		Actions:  mapSlice(actions, actionInfoFrom),
		Warnings: mapSlice(warnings, diagnosticFrom),
	}
}

func actionInfoFrom(a *pb.Action) *Action {
	return &Action{
		Project:      a.GetProject(),
		Namespace:    a.GetNamespace(),
		Name:         a.GetName(),
		Kind:         ActionKind(a.GetKind()),
		Revision:     int(a.GetRevision()),
		RevisionHash: a.GetRevisionHash(),
		Source:       a.GetSource(),
		Description:  a.GetDescription(),
		Tags:         a.GetTags(),
		Input:        mapSlice(a.GetInput(), inputFrom),
		Base:         a.GetBase(),
		Asynchronous: a.GetAsynchronous(),
		Workbook:     a.GetWorkbook(),
		CreateTime:   timeFrom(a.GetCreateTime()),
		UpdateTime:   timeFrom(a.GetUpdateTime()),
		ETag:         a.GetEtag(),
	}
}

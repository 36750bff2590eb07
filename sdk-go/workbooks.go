package autan

import (
	"context"
	"iter"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Workbooks is the access to workbooks, in one namespace. See [Client.Workbooks].
type Workbooks struct {
	client    *Client
	namespace *string // nil: the default namespace, and all of them for List
}

// In returns the access to another namespace; "" is the default namespace.
func (w *Workbooks) In(namespace string) *Workbooks {
	return &Workbooks{client: w.client, namespace: &namespace}
}

func (w *Workbooks) scope() string {
	if w.namespace == nil {
		return ""
	}
	return *w.namespace
}

// Workbook is a bundle of workflows and ad-hoc actions that are applied as one.
type Workbook struct {
	// Project is the tenant.
	Project string
	// Namespace is the scope of the name inside the project.
	Namespace string
	// Name is unique in the namespace.
	Name string
	// Source is the document; empty in lists that do not ask for it.
	Source string
	// Description is free text from the document.
	Description string
	// Tags come from the document.
	Tags []string
	// WorkflowNames is the full names of its workflows.
	WorkflowNames []string
	// ActionNames is the full names of its ad-hoc actions.
	ActionNames []string
	// CreateTime is when it was created.
	CreateTime time.Time
	// UpdateTime is when it was last replaced.
	UpdateTime time.Time
	// ETag changes with every update, see [WithETag].
	ETag string
}

// Create creates a workbook and its members "name.member" from a YAML document of at most 1 MiB,
// all or none. The diagnostics are warnings.
//
// Errors: INVALID_DEFINITION, DEFINITION_TOO_LARGE, WORKBOOK_ALREADY_EXISTS,
// WORKFLOW_ALREADY_EXISTS, REQUEST_ID_REUSED.
func (w *Workbooks) Create(
	ctx context.Context, source string, opts ...DefineOption,
) (*Workbook, []Diagnostic, error) {
	cfg := collect(opts, DefineOption.define)
	r, err := w.client.workbooks.CreateWorkbook(ctx, &pb.CreateWorkbookRequest{
		Project:      w.client.project,
		Namespace:    w.scope(),
		Source:       source,
		ValidateOnly: cfg.validateOnly,
		Strict:       cfg.strict,
		RequestId:    cfg.requestID,
	})
	if err != nil {
		return nil, nil, err
	}
	return workbookFrom(r.GetWorkbook()), mapSlice(r.GetWarnings(), diagnosticFrom), nil
}

// Update replaces a workbook: its members get new revisions, new ones are created, members that the
// document no longer has stay as they are. The diagnostics are warnings.
//
// Errors: INVALID_DEFINITION, DEFINITION_TOO_LARGE, WORKBOOK_NOT_FOUND, ETAG_MISMATCH,
// REQUEST_ID_REUSED.
func (w *Workbooks) Update(
	ctx context.Context, source string, opts ...UpdateOption,
) (*Workbook, []Diagnostic, error) {
	cfg := collect(opts, UpdateOption.update)
	r, err := w.client.workbooks.UpdateWorkbook(ctx, &pb.UpdateWorkbookRequest{
		Project:      w.client.project,
		Namespace:    w.scope(),
		Source:       source,
		ValidateOnly: cfg.validateOnly,
		Strict:       cfg.strict,
		RequestId:    cfg.requestID,
		Etag:         cfg.etag,
	})
	if err != nil {
		return nil, nil, err
	}
	return workbookFrom(r.GetWorkbook()), mapSlice(r.GetWarnings(), diagnosticFrom), nil
}

// Get returns a workbook, with source.
//
// Errors: WORKBOOK_NOT_FOUND.
func (w *Workbooks) Get(ctx context.Context, name string) (*Workbook, error) {
	r, err := w.client.workbooks.GetWorkbook(ctx, &pb.GetWorkbookRequest{
		Project:   w.client.project,
		Namespace: w.scope(),
		Name:      name,
		View:      pb.View_VIEW_FULL,
	})
	if err != nil {
		return nil, err
	}
	return workbookFrom(r.GetWorkbook()), nil
}

// List yields workbooks by name, page by page as they are needed: of the namespace chosen by
// [Workbooks.In], or of all. The filter must be empty. The first error ends it.
func (w *Workbooks) List(ctx context.Context, opts ListOptions) iter.Seq2[*Workbook, error] {
	if opts.Filter != "" {
		return noFilter[*Workbook]("workbooks")
	}
	return pages(ctx, opts.PageSize, workbookFrom,
		func(ctx context.Context, size int32, token string) ([]*pb.Workbook, string, error) {
			r, err := w.client.workbooks.ListWorkbooks(ctx, &pb.ListWorkbooksRequest{
				Project:   w.client.project,
				Namespace: w.namespace,
				PageSize:  size,
				PageToken: token,
				View:      opts.view(),
			})
			return r.GetWorkbooks(), r.GetNextPageToken(), err
		})
}

// Delete deletes a workbook; its members stay, as in Mistral.
//
// Errors: WORKBOOK_NOT_FOUND (see [WithAllowMissing]), ETAG_MISMATCH.
func (w *Workbooks) Delete(ctx context.Context, name string, opts ...RemoveOption) error {
	cfg := collect(opts, RemoveOption.remove)
	_, err := w.client.workbooks.DeleteWorkbook(ctx, &pb.DeleteWorkbookRequest{
		Project:      w.client.project,
		Namespace:    w.scope(),
		Name:         name,
		Etag:         cfg.etag,
		AllowMissing: cfg.allowMissing,
		RequestId:    cfg.requestID,
	})
	return err
}

func workbookFrom(w *pb.Workbook) *Workbook {
	return &Workbook{
		Project:       w.GetProject(),
		Namespace:     w.GetNamespace(),
		Name:          w.GetName(),
		Source:        w.GetSource(),
		Description:   w.GetDescription(),
		Tags:          w.GetTags(),
		WorkflowNames: w.GetWorkflowNames(),
		ActionNames:   w.GetActionNames(),
		CreateTime:    timeFrom(w.GetCreateTime()),
		UpdateTime:    timeFrom(w.GetUpdateTime()),
		ETag:          w.GetEtag(),
	}
}

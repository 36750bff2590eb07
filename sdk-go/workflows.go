package autan

import (
	"context"
	"fmt"
	"iter"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Workflows is the access to definitions of workflows, in one namespace. See [Client.Workflows].
type Workflows struct {
	client    *Client
	namespace *string // nil: the default namespace, and all of them for List
}

// In returns the access to another namespace; "" is the default namespace. Executions look for
// sub-workflows in their namespace first, then in the default one.
func (w *Workflows) In(namespace string) *Workflows {
	return &Workflows{client: w.client, namespace: &namespace}
}

func (w *Workflows) scope() string {
	if w.namespace == nil {
		return ""
	}
	return *w.namespace
}

// Workflow is one revision of a workflow.
type Workflow struct {
	// Project is the tenant.
	Project string
	// Namespace is the scope of the name inside the project.
	Namespace string
	// Name is unique in the namespace; members of a workbook are called "workbook.member".
	Name string
	// Revision counts from 1.
	Revision int
	// RevisionHash is the hash of the revision's text, hexadecimal.
	RevisionHash string
	// Source is the document that holds it; empty in lists that do not ask for it.
	Source string
	// Description is free text from the document.
	Description string
	// Tags come from the document.
	Tags []string
	// Type is "direct" or "reverse".
	Type string
	// Input is the declared inputs in order.
	Input []InputParameter
	// OutputKeys is the keys of the declared output.
	OutputKeys []string
	// TaskNames is the names of the tasks in document order.
	TaskNames []string
	// Workbook is the workbook that it came with, if any.
	Workbook string
	// CreateTime is when the first revision was created.
	CreateTime time.Time
	// UpdateTime is when this revision was created.
	UpdateTime time.Time
	// ETag changes with every revision, see [WithETag].
	ETag string
}

// InputParameter is one declared input.
type InputParameter struct {
	// Name of the input.
	Name string
	// Required says that the caller must give it.
	Required bool
	// Default is the value when the caller gives none; nil if Required.
	Default *Payload
}

// Diagnostic is one fault of a document.
type Diagnostic struct {
	// Severity says whether the document is refused for it.
	Severity Severity
	// Rule is the stable id of the broken rule, such as "unknown-key".
	Rule string
	// Message is for people.
	Message string
	// Path is where in the structure, such as "wf.tasks.t1.on-success[0]".
	Path string
	// Line and Column count from 1, columns in characters; 0 if unknown.
	Line, Column int
	// EndLine and EndColumn are the end; the column is exclusive.
	EndLine, EndColumn int
	// Suggestion is what was probably meant, if something near is known.
	Suggestion string
	// Excerpt is the source line with carets below, several lines of text.
	Excerpt string
}

// String returns line, column, severity, message and rule in one line.
func (d Diagnostic) String() string {
	return fmt.Sprintf("%d:%d: %s: %s [%s]", d.Line, d.Column, d.Severity, d.Message, d.Rule)
}

// Definitions is the outcome of creating or updating workflows.
type Definitions struct {
	// Workflows is the latest revisions, in document order, with source.
	Workflows []*Workflow
	// Warnings about the document.
	Warnings []Diagnostic
}

// DocumentKind says which of the documents of the language a text is.
type DocumentKind int32

// Kinds of documents.
const (
	// KindWorkflows has `version` and one or more workflows at the top level.
	KindWorkflows DocumentKind = 1
	// KindWorkbook has `version`, `name`, `workflows` and `actions`.
	KindWorkbook DocumentKind = 2
	// KindActions has `version` and one or more ad-hoc actions at the top level.
	KindActions DocumentKind = 3
)

// Validation is the outcome of checking a document.
type Validation struct {
	// Valid says that the document would be accepted.
	Valid bool
	// Diagnostics is everything found, in document order; at most 1000.
	Diagnostics []Diagnostic
}

// Create creates every workflow of a YAML document of at most 1 MiB, all or none.
//
// Errors: INVALID_DEFINITION, DEFINITION_TOO_LARGE, WORKFLOW_ALREADY_EXISTS (see
// [WithAllowExisting]), REQUEST_ID_REUSED.
func (w *Workflows) Create(
	ctx context.Context, source string, opts ...CreateOption,
) (*Definitions, error) {
	cfg := collect(opts, CreateOption.create)
	r, err := w.client.workflows.CreateWorkflow(ctx, &pb.CreateWorkflowRequest{
		Project:       w.client.project,
		Namespace:     w.scope(),
		Source:        source,
		ValidateOnly:  cfg.validateOnly,
		Strict:        cfg.strict,
		RequestId:     cfg.requestID,
		AllowExisting: cfg.allowExisting,
	})
	if err != nil {
		return nil, err
	}
	return definitionsFrom(r.GetWorkflows(), r.GetWarnings()), nil
}

// Update adds a revision to every workflow of a YAML document of at most 1 MiB, all or none.
// Running executions keep their revision. A text equal to the latest revision adds none.
//
// Errors: INVALID_DEFINITION, DEFINITION_TOO_LARGE, WORKFLOW_NOT_FOUND, ETAG_MISMATCH,
// REQUEST_ID_REUSED.
func (w *Workflows) Update(
	ctx context.Context, source string, opts ...UpdateOption,
) (*Definitions, error) {
	cfg := collect(opts, UpdateOption.update)
	r, err := w.client.workflows.UpdateWorkflow(ctx, &pb.UpdateWorkflowRequest{
		Project:      w.client.project,
		Namespace:    w.scope(),
		Source:       source,
		ValidateOnly: cfg.validateOnly,
		Strict:       cfg.strict,
		RequestId:    cfg.requestID,
		Etag:         cfg.etag,
	})
	if err != nil {
		return nil, err
	}
	return definitionsFrom(r.GetWorkflows(), r.GetWarnings()), nil
}

// Get returns the latest revision of a workflow, with source.
//
// Errors: WORKFLOW_NOT_FOUND.
func (w *Workflows) Get(ctx context.Context, name string) (*Workflow, error) {
	return w.GetRevision(ctx, name, 0)
}

// GetRevision returns one revision of a workflow, with source; 0 is the latest.
//
// Errors: WORKFLOW_NOT_FOUND.
func (w *Workflows) GetRevision(
	ctx context.Context, name string, revision int,
) (*Workflow, error) {
	number, err := int32Arg("revision", revision)
	if err != nil {
		return nil, err
	}
	r, err := w.client.workflows.GetWorkflow(ctx, &pb.GetWorkflowRequest{
		Project:   w.client.project,
		Namespace: w.scope(),
		Name:      name,
		Revision:  number,
		View:      pb.View_VIEW_FULL,
	})
	if err != nil {
		return nil, err
	}
	return workflowFrom(r.GetWorkflow()), nil
}

// List yields the latest revisions by name, page by page as they are needed: of the namespace
// chosen by [Workflows.In], or of all. Fields of the filter: name, namespace, workbook, tag,
// create_time, update_time. The first error ends it.
//
// Errors: INVALID_FILTER.
func (w *Workflows) List(ctx context.Context, opts ListOptions) iter.Seq2[*Workflow, error] {
	return pages(ctx, opts.PageSize, workflowFrom,
		func(ctx context.Context, size int32, token string) ([]*pb.Workflow, string, error) {
			r, err := w.client.workflows.ListWorkflows(ctx, &pb.ListWorkflowsRequest{
				Project:   w.client.project,
				Namespace: w.namespace,
				PageSize:  size,
				PageToken: token,
				Filter:    opts.Filter,
				View:      opts.view(),
			})
			return r.GetWorkflows(), r.GetNextPageToken(), err
		})
}

// ListRevisions yields the revisions of one workflow, newest first, without source unless
// opts.Full. The filter must be empty. The first error ends it.
//
// Errors: WORKFLOW_NOT_FOUND.
func (w *Workflows) ListRevisions(
	ctx context.Context, name string, opts ListOptions,
) iter.Seq2[*Workflow, error] {
	if opts.Filter != "" {
		return noFilter[*Workflow]("revisions")
	}
	return pages(ctx, opts.PageSize, workflowFrom,
		func(ctx context.Context, size int32, token string) ([]*pb.Workflow, string, error) {
			r, err := w.client.workflows.ListWorkflowRevisions(ctx,
				&pb.ListWorkflowRevisionsRequest{
					Project:   w.client.project,
					Namespace: w.scope(),
					Name:      name,
					PageSize:  size,
					PageToken: token,
					View:      opts.view(),
				})
			return r.GetWorkflows(), r.GetNextPageToken(), err
		})
}

// Delete deletes a workflow with all its revisions. Executions go on with their revision.
//
// Errors: WORKFLOW_NOT_FOUND (see [WithAllowMissing]), DEFINITION_IN_USE (see [WithForce]),
// ETAG_MISMATCH.
func (w *Workflows) Delete(ctx context.Context, name string, opts ...RemoveOption) error {
	cfg := collect(opts, RemoveOption.remove)
	_, err := w.client.workflows.DeleteWorkflow(ctx, &pb.DeleteWorkflowRequest{
		Project:      w.client.project,
		Namespace:    w.scope(),
		Name:         name,
		Etag:         cfg.etag,
		Force:        cfg.force,
		AllowMissing: cfg.allowMissing,
		RequestId:    cfg.requestID,
	})
	return err
}

// Validate checks a document and stores nothing. Faults of the document are in the result, never in
// the error. strict treats warnings as errors.
func (w *Workflows) Validate(
	ctx context.Context, source string, kind DocumentKind, strict bool,
) (*Validation, error) {
	r, err := w.client.workflows.ValidateWorkflow(ctx, &pb.ValidateWorkflowRequest{
		Project: w.client.project,
		Source:  source,
		Kind:    pb.DocumentKind(kind),
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

func definitionsFrom(workflows []*pb.Workflow, warnings []*pb.Diagnostic) *Definitions {
	return &Definitions{
		Workflows: mapSlice(workflows, workflowFrom),
		Warnings:  mapSlice(warnings, diagnosticFrom),
	}
}

func workflowFrom(w *pb.Workflow) *Workflow {
	return &Workflow{
		Project:      w.GetProject(),
		Namespace:    w.GetNamespace(),
		Name:         w.GetName(),
		Revision:     int(w.GetRevision()),
		RevisionHash: w.GetRevisionHash(),
		Source:       w.GetSource(),
		Description:  w.GetDescription(),
		Tags:         w.GetTags(),
		Type:         w.GetType(),
		Input:        mapSlice(w.GetInput(), inputFrom),
		OutputKeys:   w.GetOutputKeys(),
		TaskNames:    w.GetTaskNames(),
		Workbook:     w.GetWorkbook(),
		CreateTime:   timeFrom(w.GetCreateTime()),
		UpdateTime:   timeFrom(w.GetUpdateTime()),
		ETag:         w.GetEtag(),
	}
}

func inputFrom(p *pb.InputParameter) InputParameter {
	return InputParameter{
		Name:     p.GetName(),
		Required: p.GetRequired(),
		Default:  payloadFrom(p.GetDefaultValue()),
	}
}

func diagnosticFrom(d *pb.Diagnostic) Diagnostic {
	return Diagnostic{
		Severity:   Severity(d.GetSeverity()),
		Rule:       d.GetRule(),
		Message:    d.GetMessage(),
		Path:       d.GetPath(),
		Line:       int(d.GetLine()),
		Column:     int(d.GetColumn()),
		EndLine:    int(d.GetEndLine()),
		EndColumn:  int(d.GetEndColumn()),
		Suggestion: d.GetSuggestion(),
		Excerpt:    d.GetExcerpt(),
	}
}

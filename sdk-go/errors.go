package autan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Reason is the stable cause of a failed call. Key on it, never on the text of the error.
type Reason string

// The reasons that this package knows. Servers may have more.
const (
	// ReasonInvalidField: a field is missing, malformed or out of range; see Violations.
	ReasonInvalidField Reason = "INVALID_FIELD"
	// ReasonInvalidDefinition: the document has errors; Violations has the first 20.
	ReasonInvalidDefinition Reason = "INVALID_DEFINITION"
	// ReasonInvalidFilter: the filter does not parse or names an unknown field.
	ReasonInvalidFilter Reason = "INVALID_FILTER"
	// ReasonInvalidPageToken: the page token is malformed or belongs to another request.
	ReasonInvalidPageToken Reason = "INVALID_PAGE_TOKEN"
	// ReasonPayloadInvalid: a payload is not JSON, has duplicate keys or is nested too deep.
	ReasonPayloadInvalid Reason = "PAYLOAD_INVALID"
	// ReasonPayloadTooLarge: a payload is over the limit; metadata "limit" and "actual" in bytes.
	ReasonPayloadTooLarge Reason = "PAYLOAD_TOO_LARGE"
	// ReasonDefinitionTooLarge: the document is over the limit; metadata "limit" and "actual".
	ReasonDefinitionTooLarge Reason = "DEFINITION_TOO_LARGE"
	// ReasonRequestIDReused: the request id was used with another request.
	ReasonRequestIDReused Reason = "REQUEST_ID_REUSED"
	// ReasonInputMismatch: the input does not fit the workflow; metadata "missing", "unexpected".
	ReasonInputMismatch Reason = "INPUT_MISMATCH"
	// ReasonExpressionFailed: an expression that is evaluated at the start fails with this input;
	// metadata "field", "kind", "expression", "start", "end".
	ReasonExpressionFailed Reason = "EXPRESSION_FAILED"
	// ReasonWorkflowNotFound: no such workflow or revision.
	ReasonWorkflowNotFound Reason = "WORKFLOW_NOT_FOUND"
	// ReasonWorkbookNotFound: no such workbook.
	ReasonWorkbookNotFound Reason = "WORKBOOK_NOT_FOUND"
	// ReasonExecutionNotFound: no such execution.
	ReasonExecutionNotFound Reason = "EXECUTION_NOT_FOUND"
	// ReasonTaskExecutionNotFound: no such task execution.
	ReasonTaskExecutionNotFound Reason = "TASK_EXECUTION_NOT_FOUND"
	// ReasonActionExecutionNotFound: no such action execution.
	ReasonActionExecutionNotFound Reason = "ACTION_EXECUTION_NOT_FOUND"
	// ReasonWorkflowAlreadyExists: a workflow of that name exists in the namespace.
	ReasonWorkflowAlreadyExists Reason = "WORKFLOW_ALREADY_EXISTS"
	// ReasonWorkbookAlreadyExists: a workbook of that name exists in the namespace.
	ReasonWorkbookAlreadyExists Reason = "WORKBOOK_ALREADY_EXISTS"
	// ReasonExecutionAlreadyExists: an execution of that id exists; metadata "state" and "uid".
	ReasonExecutionAlreadyExists Reason = "EXECUTION_ALREADY_EXISTS"
	// ReasonExecutionState: the state forbids the verb; metadata "state" and "verb".
	ReasonExecutionState Reason = "EXECUTION_STATE"
	// ReasonActionState: the action execution is completed or not asynchronous; metadata "state".
	ReasonActionState Reason = "ACTION_STATE"
	// ReasonDefinitionInUse: executions of the definition run; metadata "executions".
	ReasonDefinitionInUse Reason = "DEFINITION_IN_USE"
	// ReasonETagMismatch: somebody changed it; read again and decide again.
	ReasonETagMismatch Reason = "ETAG_MISMATCH"
	// ReasonHistoryTrimmed: the history before metadata "earliest_sequence" is gone.
	ReasonHistoryTrimmed Reason = "HISTORY_TRIMMED"
	// ReasonOverloaded: the server sheds load.
	ReasonOverloaded Reason = "OVERLOADED"
	// ReasonStoreUnavailable: the store cannot be written; nothing was changed.
	ReasonStoreUnavailable Reason = "STORE_UNAVAILABLE"
	// ReasonShuttingDown: the server is shutting down.
	ReasonShuttingDown Reason = "SHUTTING_DOWN"
	// ReasonOwnerUnavailable: of several servers, the one that has the execution has just gone.
	ReasonOwnerUnavailable Reason = "OWNER_UNAVAILABLE"
	// ReasonDeadline: the time was up and the outcome is unknown; the same request id resolves it.
	ReasonDeadline Reason = "DEADLINE"
	// ReasonNotSupported: a known part of the API that this server does not have.
	ReasonNotSupported Reason = "NOT_SUPPORTED"
	// ReasonInternal: a fault of the server.
	ReasonInternal Reason = "INTERNAL"
	// ReasonLimitExceeded: the execution would pass a limit of its size; metadata "limit".
	ReasonLimitExceeded Reason = "LIMIT_EXCEEDED"
	// ReasonActionNotFound: no such action or revision.
	ReasonActionNotFound Reason = "ACTION_NOT_FOUND"
	// ReasonActionAlreadyExists: an ad-hoc action of that name exists in the namespace.
	ReasonActionAlreadyExists Reason = "ACTION_ALREADY_EXISTS"
	// ReasonActionIsSystem: no document may define, change or delete a built-in action.
	ReasonActionIsSystem Reason = "ACTION_IS_SYSTEM"
	// ReasonEnvironmentNotFound: no such environment.
	ReasonEnvironmentNotFound Reason = "ENVIRONMENT_NOT_FOUND"
	// ReasonEnvironmentAlreadyExists: an environment of that name exists in the project.
	ReasonEnvironmentAlreadyExists Reason = "ENVIRONMENT_ALREADY_EXISTS"
	// ReasonBatchNotFound: no such batch operation.
	ReasonBatchNotFound Reason = "BATCH_NOT_FOUND"
	// ReasonTaskLeaseLost: the lease of the task has ended, and nothing was changed; metadata "why".
	ReasonTaskLeaseLost Reason = "TASK_LEASE_LOST"
	// ReasonWorkerNotFound: no such worker, or it was not heard of for long.
	ReasonWorkerNotFound Reason = "WORKER_NOT_FOUND"
	// ReasonQueueNotFound: no such queue.
	ReasonQueueNotFound Reason = "QUEUE_NOT_FOUND"
)

// Error is a failed call.
type Error struct {
	// Code is the class of the error, one of gRPC's.
	Code codes.Code
	// Reason is the stable cause; empty if the error does not come from an Autan server, as when
	// there is no connection.
	Reason Reason
	// Message is for people and may change.
	Message string
	// Metadata holds the changing parts of the message by name.
	Metadata map[string]string
	// Violations names the faulty fields, or the faults of the document; the first 20.
	Violations []Violation
	// Retryable says that the same call may succeed later as it is. The client has tried a few
	// times already when it returns such an error.
	Retryable bool
	// RetryDelay is how long the server asks to wait before the next try; 0 if it does not say.
	RetryDelay time.Duration
	// RequestID names the call in the logs of the server; empty if it does not say.
	RequestID string

	cause error
}

// Violation is one faulty field of a request, or one fault of a document.
type Violation struct {
	// Field is the path of the field, or of the place in the document.
	Field string
	// Description says what is wrong.
	Description string
	// Reason is the id of the broken rule, if it has one.
	Reason string
}

// Error returns code, reason, message and violations in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("autan: ")
	if e.Reason != "" {
		b.WriteString(string(e.Reason))
	} else {
		b.WriteString(e.Code.String())
	}
	b.WriteString(": ")
	b.WriteString(e.Message)
	for i, v := range e.Violations {
		sep := "; "
		if i == 0 {
			sep = " ("
		}
		b.WriteString(sep)
		if v.Field != "" {
			b.WriteString(v.Field + ": ")
		}
		b.WriteString(v.Description)
	}
	if len(e.Violations) > 0 {
		b.WriteString(")")
	}
	return b.String()
}

// Unwrap returns what gRPC returned.
func (e *Error) Unwrap() error { return e.cause }

// Is makes errors.Is(err, context.DeadlineExceeded) and errors.Is(err, context.Canceled) hold for
// calls that ended that way.
func (e *Error) Is(target error) bool {
	return target == context.DeadlineExceeded && e.Code == codes.DeadlineExceeded ||
		target == context.Canceled && e.Code == codes.Canceled
}

// GRPCStatus makes status.FromError and status.Code of gRPC understand the error.
func (e *Error) GRPCStatus() *status.Status {
	if s, ok := status.FromError(e.cause); ok && e.cause != nil {
		return s
	}
	return status.New(e.Code, e.Message)
}

// errorFrom turns what gRPC returns into an *Error. Errors that are one already pass through.
func errorFrom(err error) error {
	if err == nil {
		return nil
	}
	var own *Error
	if errors.As(err, &own) {
		return err
	}
	return rpcError(err)
}

func rpcError(err error) *Error {
	s, ok := status.FromError(err)
	if !ok {
		s = status.FromContextError(err) // Unknown, unless a context ended
	}
	out := &Error{Code: s.Code(), Message: s.Message(), cause: err}
	var retryInfo bool
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			if d.GetDomain() == errorDomain {
				out.Reason = Reason(d.GetReason())
			}
			out.Metadata = maps.Clone(d.GetMetadata())
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				out.Violations = append(out.Violations, Violation{
					Field:       v.GetField(),
					Description: v.GetDescription(),
					Reason:      v.GetReason(),
				})
			}
		case *errdetails.RetryInfo:
			retryInfo = true
			out.RetryDelay = d.GetRetryDelay().AsDuration()
		case *errdetails.RequestInfo:
			out.RequestID = d.GetRequestId()
		}
	}
	out.Retryable = out.Code == codes.Unavailable ||
		out.Code == codes.ResourceExhausted && retryInfo
	return out
}

// errorDomain is the domain of the reasons in the API.
const errorDomain = "autan"

// IsReason reports whether err is, or wraps, an [*Error] with one of the reasons.
func IsReason(err error, reasons ...Reason) bool {
	var e *Error
	return errors.As(err, &e) && slices.Contains(reasons, e.Reason)
}

// IsNotFound reports whether err says that the named thing does not exist.
func IsNotFound(err error) bool { return isCode(err, codes.NotFound) }

// IsAlreadyExists reports whether err says that the name or id is taken.
func IsAlreadyExists(err error) bool { return isCode(err, codes.AlreadyExists) }

// IsInvalid reports whether err says that the request, its document or its payload is wrong.
func IsInvalid(err error) bool { return isCode(err, codes.InvalidArgument) }

// IsWrongState reports whether err says that the state of the thing forbids the call.
func IsWrongState(err error) bool { return isCode(err, codes.FailedPrecondition) }

// IsUnavailable reports whether err says that no server could take the call.
func IsUnavailable(err error) bool { return isCode(err, codes.Unavailable) }

// IsRetryable reports whether err is an [*Error] that may pass by itself.
func IsRetryable(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Retryable
}

func isCode(err error, code codes.Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// ExecutionError says that a workflow ended other than well. It comes from [Result] only.
type ExecutionError struct {
	// ExecutionID names the execution.
	ExecutionID string
	// WorkflowName is the full name of the workflow.
	WorkflowName string
	// State is ERROR or CANCELLED.
	State ExecutionState
	// StateInfo says why, if there is something to say.
	StateInfo string
	// Failure is what went wrong, in state ERROR.
	Failure *Failure
	// Output is the output, which may hold what `output-on-error` says.
	Output *Payload
}

// Failure says why an execution, or an action in a worker, ended in ERROR.
type Failure struct {
	// Type is the kind of failure, such as "task_error" or "expression_error"; of an action in a
	// worker, what the worker calls it, such as the name of a type of errors.
	Type string
	// Message is for people; at most 4 KiB.
	Message string
	// Details is the error result of the action or workflow, if any.
	Details *Payload
	// Stack is where in its program a worker has failed; at most 16 KiB.
	Stack string
	// Cause is what it was caused by, if a worker says so; at most 8 deep.
	Cause *Failure
	// Limit is the limit that was hit, if the type is "limit_exceeded".
	Limit *LimitHit
}

// LimitHit is a limit that was hit.
type LimitHit struct {
	// Name tells which one, such as "tasks_per_execution_max".
	Name string
	// Allowed is what it allows, in the unit of the limit.
	Allowed int64
}

// Error returns workflow, id, state and cause in one line.
func (e *ExecutionError) Error() string {
	text := fmt.Sprintf("autan: workflow %s (execution %s) ended in %s", e.WorkflowName,
		e.ExecutionID, e.State)
	switch {
	case e.Failure != nil && e.Failure.Message != "":
		return text + ": " + e.Failure.Message
	case e.StateInfo != "":
		return text + ": " + e.StateInfo
	}
	return text
}

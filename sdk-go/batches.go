package autan

import (
	"context"
	"iter"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// batchWaitInterval is how often [Batches.Wait] asks.
const batchWaitInterval = 250 * time.Millisecond

// Batches is the access to verbs for many executions. See [Client.Batches].
type Batches struct{ client *Client }

// BatchState is the state of a batch operation. Newer servers may send states that this package
// does not know; they keep their number.
type BatchState int32

// States of a batch operation.
const (
	// BatchPending is accepted, and waits for its turn.
	BatchPending BatchState = 1
	// BatchRunning is under way.
	BatchRunning BatchState = 2
	// BatchDone has come to all executions. Final.
	BatchDone BatchState = 3
	// BatchCancelled was cancelled; what was done stays. Final.
	BatchCancelled BatchState = 4
)

// String returns the word of the server without prefix, such as "DONE", or "STATE_42" for a state
// that this package does not know.
func (s BatchState) String() string {
	return word(pb.BatchState_name, int32(s), "BATCH_STATE_", "STATE_")
}

// MarshalText implements [encoding.TextMarshaler] with [BatchState.String].
func (s BatchState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Final reports whether the state is DONE or CANCELLED.
func (s BatchState) Final() bool { return s == BatchDone || s == BatchCancelled }

// BatchVerb is what a batch does to each execution: [BatchPause], [BatchResume], [BatchCancel],
// [BatchTerminate], [BatchRerun], [BatchRollback] or [BatchDelete].
type BatchVerb interface {
	message() (*pb.BatchVerb, error)
}

// BatchPause pauses executions.
type BatchPause struct {
	// TimeoutsRun lets timeouts of tasks go on meanwhile.
	TimeoutsRun bool
}

// BatchResume resumes executions.
type BatchResume struct {
	// Env changes variables of the environment, if not nil; it must encode to a JSON object.
	Env any
}

// BatchCancel cancels executions, with their actions and sub-workflows.
type BatchCancel struct{}

// BatchTerminate ends executions and all below them at once.
type BatchTerminate struct{}

// BatchRerun runs again what has ended executions.
type BatchRerun struct {
	// Reset runs all items of with-items tasks, not only those that failed or never began.
	Reset bool
	// Env changes variables of the environment, if not nil; it must encode to a JSON object.
	Env any
}

// BatchRollback undoes what the tasks of executions have done.
type BatchRollback struct{}

// BatchDelete deletes executions.
type BatchDelete struct {
	// Force deletes in any state; what is not finished is terminated first.
	Force bool
}

func (v BatchPause) message() (*pb.BatchVerb, error) {
	pause := &pb.BatchPause{TimeoutsRun: v.TimeoutsRun}
	return &pb.BatchVerb{Verb: &pb.BatchVerb_Pause{Pause: pause}}, nil
}

func (v BatchResume) message() (*pb.BatchVerb, error) {
	env, err := encodePayload(v.Env)
	resume := &pb.BatchResume{Env: env}
	return &pb.BatchVerb{Verb: &pb.BatchVerb_Resume{Resume: resume}}, err
}

func (BatchCancel) message() (*pb.BatchVerb, error) {
	return &pb.BatchVerb{Verb: &pb.BatchVerb_Cancel{Cancel: &pb.BatchCancel{}}}, nil
}

func (BatchTerminate) message() (*pb.BatchVerb, error) {
	return &pb.BatchVerb{Verb: &pb.BatchVerb_Terminate{Terminate: &pb.BatchTerminate{}}}, nil
}

func (v BatchRerun) message() (*pb.BatchVerb, error) {
	env, err := encodePayload(v.Env)
	rerun := &pb.BatchRerun{Reset_: v.Reset, Env: env}
	return &pb.BatchVerb{Verb: &pb.BatchVerb_Rerun{Rerun: rerun}}, err
}

func (BatchRollback) message() (*pb.BatchVerb, error) {
	return &pb.BatchVerb{Verb: &pb.BatchVerb_Rollback{Rollback: &pb.BatchRollback{}}}, nil
}

func (v BatchDelete) message() (*pb.BatchVerb, error) {
	return &pb.BatchVerb{Verb: &pb.BatchVerb_Delete{Delete: &pb.BatchDelete{Force: v.Force}}}, nil
}

// BatchOptions says which executions a batch is about, either by Filter or by IDs, and how.
type BatchOptions struct {
	// Filter is as in [Client.List]. Executions are found as the batch goes on: those that were
	// started before and match when their turn comes; sub-workflows, too, unless it says otherwise.
	Filter string
	// IDs are ids or uids, at most 1000.
	IDs []string
	// Rate is the most executions a second, 1 to 1000; 0 = 50.
	Rate int
	// Reason says why, for the record of each execution; at most 4 KiB.
	Reason string
	// RequestID makes the call idempotent, see [WithRequestID]; one is made if it is empty.
	RequestID string
}

// BatchOperation is one verb for many executions, under way or finished.
type BatchOperation struct {
	// Project is the tenant.
	Project string
	// ID is given by the server.
	ID string
	// State is how far it is.
	State BatchState
	// Verb is what it does, such as "pause"; empty for a verb that this package does not know.
	Verb string
	// Filter says which executions, if they were chosen by one.
	Filter string
	// Rate is the most executions a second.
	Rate int
	// Matched counts executions that it is about: of a filter, those that matched when it was
	// accepted.
	Matched int64
	// Done counts those that the verb was applied to.
	Done int64
	// Skipped counts those that it changed nothing for: they are so already, their state refuses
	// it, or they are gone.
	Skipped int64
	// Failed counts those that it failed for.
	Failed int64
	// Errors are the first failures, at most 20.
	Errors []BatchError
	// Reason is why, as the caller said.
	Reason string
	// Identity is what its caller said of itself, see [WithCallerIdentity].
	Identity string
	// CancelledBy is what who cancelled it said of itself; empty if nobody did.
	CancelledBy string
	// CreateTime is when it was accepted.
	CreateTime time.Time
	// UpdateTime is when it last went on.
	UpdateTime time.Time
	// EndTime is when it reached a final state; zero before.
	EndTime time.Time
}

// BatchError says why the verb of a batch failed for one execution.
type BatchError struct {
	// ExecutionID is the uid of the execution.
	ExecutionID string
	// Reason is as in errors of single calls.
	Reason Reason
	// Message is what is wrong.
	Message string
}

// BatchPreview is what a batch would come to.
type BatchPreview struct {
	// Matched counts the executions that match now.
	Matched int64
	// Sample holds ids of some of them, at most 20.
	Sample []string
}

// Start begins to apply a verb to many executions; it goes on at the server, also if that is
// restarted. Each execution is recorded as by a call of its own.
//
// Errors: INVALID_FIELD, INVALID_FILTER, PAYLOAD_INVALID, REQUEST_ID_REUSED.
func (b *Batches) Start(
	ctx context.Context, verb BatchVerb, opts BatchOptions,
) (*BatchOperation, error) {
	request, err := b.request(verb, opts)
	if err != nil {
		return nil, err
	}
	r, err := b.client.executions.BatchUpdateExecutions(ctx, request)
	if err != nil {
		return nil, err
	}
	return batchFrom(r.GetBatch()), nil
}

// Preview says how many executions a batch would come to, and names some; it changes nothing.
//
// Errors: INVALID_FIELD, INVALID_FILTER.
func (b *Batches) Preview(
	ctx context.Context, verb BatchVerb, opts BatchOptions,
) (*BatchPreview, error) {
	request, err := b.request(verb, opts)
	if err != nil {
		return nil, err
	}
	request.ValidateOnly = true
	r, err := b.client.executions.BatchUpdateExecutions(ctx, request)
	if err != nil {
		return nil, err
	}
	return &BatchPreview{
		Matched: r.GetBatch().GetMatched(), Sample: r.GetSampleExecutionIds(),
	}, nil
}

func (b *Batches) request(
	verb BatchVerb, opts BatchOptions,
) (*pb.BatchUpdateExecutionsRequest, error) {
	if verb == nil {
		return nil, invalidArg("verb", "is required")
	}
	message, err := verb.message()
	if err != nil {
		return nil, err
	}
	rate, err := int32Arg("Rate", opts.Rate)
	if err != nil {
		return nil, err
	}
	return &pb.BatchUpdateExecutionsRequest{
		Project:      b.client.project,
		ExecutionIds: opts.IDs,
		Filter:       opts.Filter,
		Verb:         message,
		Rate:         rate,
		Reason:       opts.Reason,
		RequestId:    requestID(opts.RequestID),
	}, nil
}

// Get returns how far a batch operation is. They are kept for 30 days after their end.
//
// Errors: BATCH_NOT_FOUND.
func (b *Batches) Get(ctx context.Context, id string) (*BatchOperation, error) {
	r, err := b.client.executions.GetBatchOperation(ctx, &pb.GetBatchOperationRequest{
		Project: b.client.project, BatchId: id,
	})
	if err != nil {
		return nil, err
	}
	return batchFrom(r.GetBatch()), nil
}

// List yields batch operations, newest first, page by page as they are needed. Lists of batch
// operations take no filter. The first error ends it.
func (b *Batches) List(ctx context.Context, opts ListOptions) iter.Seq2[*BatchOperation, error] {
	if opts.Filter != "" {
		return noFilter[*BatchOperation]("batch operations")
	}
	return pages(ctx, opts.PageSize, batchFrom,
		func(
			ctx context.Context, size int32, token string,
		) ([]*pb.BatchOperation, string, error) {
			r, err := b.client.executions.ListBatchOperations(ctx, &pb.ListBatchOperationsRequest{
				Project: b.client.project, PageSize: size, PageToken: token,
			})
			return r.GetBatches(), r.GetNextPageToken(), err
		})
}

// Cancel ends a batch operation after the executions under way; what was done stays. Cancelling a
// finished one changes nothing.
//
// Errors: BATCH_NOT_FOUND.
func (b *Batches) Cancel(ctx context.Context, id string) (*BatchOperation, error) {
	r, err := b.client.executions.CancelBatchOperation(ctx, &pb.CancelBatchOperationRequest{
		Project: b.client.project, BatchId: id, RequestId: requestID(""),
	})
	if err != nil {
		return nil, err
	}
	return batchFrom(r.GetBatch()), nil
}

// Wait waits until a batch operation is finished; ctx bounds the wait.
//
// Errors: BATCH_NOT_FOUND.
func (b *Batches) Wait(ctx context.Context, id string) (*BatchOperation, error) {
	for {
		batch, err := b.Get(ctx, id)
		if err != nil || batch.State.Final() {
			return batch, err
		}
		if err := sleep(ctx, batchWaitInterval); err != nil {
			return nil, rpcError(err)
		}
	}
}

func batchFrom(b *pb.BatchOperation) *BatchOperation {
	return &BatchOperation{
		Project: b.GetProject(),
		ID:      b.GetBatchId(),
		State:   BatchState(b.GetState()),
		Verb:    batchWord(b.GetVerb()),
		Filter:  b.GetFilter(),
		Rate:    int(b.GetRate()),
		Matched: b.GetMatched(),
		Done:    b.GetDone(),
		Skipped: b.GetSkipped(),
		Failed:  b.GetFailed(),
		Errors: mapSlice(b.GetErrors(), func(e *pb.BatchError) BatchError {
			return BatchError{
				ExecutionID: e.GetExecutionId(),
				Reason:      Reason(e.GetReason()),
				Message:     e.GetMessage(),
			}
		}),
		Reason:      b.GetReason(),
		Identity:    b.GetIdentity(),
		CancelledBy: b.GetCancelledBy(),
		CreateTime:  timeFrom(b.GetCreateTime()),
		UpdateTime:  timeFrom(b.GetUpdateTime()),
		EndTime:     timeFrom(b.GetEndTime()),
	}
}

func batchWord(verb *pb.BatchVerb) string {
	switch verb.GetVerb().(type) {
	case *pb.BatchVerb_Pause:
		return "pause"
	case *pb.BatchVerb_Resume:
		return "resume"
	case *pb.BatchVerb_Cancel:
		return "cancel"
	case *pb.BatchVerb_Terminate:
		return "terminate"
	case *pb.BatchVerb_Rerun:
		return "rerun"
	case *pb.BatchVerb_Rollback:
		return "rollback"
	case *pb.BatchVerb_Delete:
		return "delete"
	default:
		return ""
	}
}

package autan

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

const (
	batchUpdate = "ExecutionService/BatchUpdateExecutions"
	batchGet    = "ExecutionService/GetBatchOperation"
	batchList   = "ExecutionService/ListBatchOperations"
	batchCancel = "ExecutionService/CancelBatchOperation"
)

func batchOperation(state pb.BatchState) *pb.BatchOperation {
	return &pb.BatchOperation{
		Project: "default", BatchId: "b1", State: state, Filter: "x", Rate: 7, Reason: "lunch",
		Verb:    &pb.BatchVerb{Verb: &pb.BatchVerb_Pause{Pause: &pb.BatchPause{}}},
		Matched: 5, Done: 3, Skipped: 1, Failed: 1,
		Errors: []*pb.BatchError{
			{ExecutionId: "u1", Reason: "STORE_UNAVAILABLE", Message: "away"},
		},
		CreateTime: timestamppb.New(time.Unix(60, 0)),
	}
}

func TestBatchesSendTheirVerbs(t *testing.T) {
	f := newFake()
	on(f, batchUpdate, func(
		context.Context, *pb.BatchUpdateExecutionsRequest,
	) (*pb.BatchUpdateExecutionsResponse, error) {
		return &pb.BatchUpdateExecutionsResponse{
			Batch: &pb.BatchOperation{Matched: 2}, SampleExecutionIds: []string{"e1", "e2"},
		}, nil
	})
	batches := dialFake(t, f).Batches()
	options := BatchOptions{Filter: "x", Rate: 7, Reason: "lunch"}
	for _, tc := range []struct {
		verb BatchVerb
		want string
	}{
		{BatchPause{}, `{"pause":{}}`},
		{BatchPause{TimeoutsRun: true}, `{"pause":{"timeoutsRun":true}}`},
		{BatchResume{}, `{"resume":{}}`},
		{
			BatchResume{Env: map[string]any{"a": 1}},
			`{"resume":{"env":{"json":"{\"a\":1}"}}}`,
		},
		{BatchCancel{}, `{"cancel":{}}`},
		{BatchTerminate{}, `{"terminate":{}}`},
		{
			BatchRerun{Reset: true, Env: map[string]any{"a": 1}},
			`{"rerun":{"env":{"json":"{\"a\":1}"},"reset":true}}`,
		},
		{BatchRollback{}, `{"rollback":{}}`},
		{BatchDelete{Force: true}, `{"delete":{"force":true}}`},
	} {
		if _, err := batches.Start(t.Context(), tc.verb, options); err != nil {
			t.Fatalf("%T: %v", tc.verb, err)
		}
		want := `{"filter":"x","rate":7,"reason":"lunch","verb":` + tc.want + `}`
		if got := sentText(t, f); got != want {
			t.Errorf("%T: sent %s, want %s", tc.verb, got, want)
		}
	}
	named := BatchOptions{IDs: []string{"e1", "e2"}}
	found, err := batches.Preview(t.Context(), BatchDelete{}, named)
	if err != nil || found.Matched != 2 || !slices.Equal(found.Sample, []string{"e1", "e2"}) {
		t.Errorf("got %+v, %v", found, err)
	}
	want := `{"executionIds":["e1","e2"],"validateOnly":true,"verb":{"delete":{}}}`
	if got := sentText(t, f); got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	for _, request := range requests[*pb.BatchUpdateExecutionsRequest](f) {
		if request.GetRequestId() == "" {
			t.Error("a batch has no request id")
		}
	}
	if _, err := batches.Start(t.Context(), nil, options); err == nil {
		t.Error("a batch without a verb is sent")
	}
}

func TestBatchesReadTheirProgress(t *testing.T) {
	f := newFake()
	states := []pb.BatchState{pb.BatchState_BATCH_STATE_RUNNING, pb.BatchState_BATCH_STATE_DONE}
	asked := 0
	on(f, batchGet, func(
		context.Context, *pb.GetBatchOperationRequest,
	) (*pb.GetBatchOperationResponse, error) {
		state := states[min(asked, 1)]
		asked++
		return &pb.GetBatchOperationResponse{Batch: batchOperation(state)}, nil
	})
	on(f, batchCancel, func(
		context.Context, *pb.CancelBatchOperationRequest,
	) (*pb.CancelBatchOperationResponse, error) {
		batch := batchOperation(pb.BatchState_BATCH_STATE_CANCELLED)
		return &pb.CancelBatchOperationResponse{Batch: batch}, nil
	})
	on(f, batchList, func(
		_ context.Context, r *pb.ListBatchOperationsRequest,
	) (*pb.ListBatchOperationsResponse, error) {
		next := map[string]string{"": "more"}[r.GetPageToken()]
		batch := batchOperation(pb.BatchState_BATCH_STATE_DONE)
		return &pb.ListBatchOperationsResponse{
			Batches: []*pb.BatchOperation{batch}, NextPageToken: next,
		}, nil
	})
	batches := dialFake(t, f).Batches()
	done, err := batches.Wait(t.Context(), "b1")
	if err != nil || asked != 2 {
		t.Fatalf("asked %d times, %v", asked, err)
	}
	want := &BatchOperation{
		Project: "default", ID: "b1", State: BatchDone, Verb: "pause", Filter: "x", Rate: 7,
		Matched: 5, Done: 3, Skipped: 1, Failed: 1, Reason: "lunch",
		Errors: []BatchError{
			{ExecutionID: "u1", Reason: ReasonStoreUnavailable, Message: "away"},
		},
		CreateTime: time.Unix(60, 0).UTC(),
	}
	if !reflect.DeepEqual(done, want) {
		t.Errorf("got %+v, want %+v", done, want)
	}
	cancelled, err := batches.Cancel(t.Context(), "b1")
	if err != nil || cancelled.State != BatchCancelled || !cancelled.State.Final() {
		t.Errorf("got %+v, %v", cancelled, err)
	}
	count := 0
	for batch, err := range batches.List(t.Context(), ListOptions{PageSize: 1}) {
		if err != nil || batch.ID != "b1" {
			t.Fatalf("got %+v, %v", batch, err)
		}
		count++
	}
	if count != 2 {
		t.Errorf("listed %d", count)
	}
}

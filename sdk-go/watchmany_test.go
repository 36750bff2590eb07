package autan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// changes is a message of a watch of many: executions, and after a dash what was deleted.
func changes(token string, ids ...string) *pb.WatchExecutionsResponse {
	batch := &pb.ExecutionChanges{ResumeToken: token}
	for _, id := range ids {
		if gone, ok := strings.CutPrefix(id, "-"); ok {
			batch.Deleted = append(batch.Deleted, &pb.DeletedExecution{ExecutionId: gone})
			continue
		}
		batch.Executions = append(batch.Executions, &pb.Execution{ExecutionId: id})
	}
	return &pb.WatchExecutionsResponse{
		Message: &pb.WatchExecutionsResponse_Changes{Changes: batch},
	}
}

func TestWatchManyResumesByToken(t *testing.T) {
	f := newFake()
	bookmark := &pb.WatchExecutionsResponse{Message: &pb.WatchExecutionsResponse_Heartbeat{
		Heartbeat: &pb.WatchExecutionsHeartbeat{ResumeToken: "t2"},
	}}
	goodbye := &pb.WatchExecutionsResponse{Message: &pb.WatchExecutionsResponse_End{
		End: &pb.WatchExecutionsEnd{
			Reason: pb.WatchEndReason_WATCH_END_REASON_GOING_AWAY, ResumeToken: "t4",
		},
	}}
	cut := status.Error(codes.Unavailable, "cut")
	f.many = func(r *pb.WatchExecutionsRequest, stream manyStream) error {
		var messages []*pb.WatchExecutionsResponse
		switch r.GetResumeToken() {
		case "":
			messages = append(messages, changes("t1", "a", "b"))
		case "t1":
			messages = append(messages, bookmark)
		case "t2":
			messages = append(messages, changes("t3", "c", "-a"), goodbye)
		default:
			messages = append(messages, changes("t5", "d"))
		}
		for _, message := range messages {
			if err := stream.Send(message); err != nil {
				return err
			}
		}
		return cut
	}
	client := dialFake(t, f)
	var got []string
	for change, err := range client.Watch(t.Context(), WatchOptions{Filter: "x = 1"}) {
		if err != nil {
			t.Fatal(err)
		}
		id := ""
		if change.Execution != nil {
			id = change.Execution.ID
		} else {
			id = "-" + change.Deleted.ID
		}
		got = append(got, fmt.Sprintf("%s/%s", id, change.ResumeToken))
		if id == "d" {
			break
		}
	}
	want := []string{"a/", "b/t1", "c/t2", "-a/t3", "d/t5"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	var asked []string
	for _, r := range requests[*pb.WatchExecutionsRequest](f) {
		asked = append(asked, r.GetResumeToken())
	}
	if want := []string{"", "t1", "t2", "t4"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
}

func TestWatchManyTellsEvents(t *testing.T) {
	told := func(id string, earliest int64, sequences ...int64) *pb.ExecutionEvents {
		e := &pb.ExecutionEvents{
			Execution: &pb.Execution{ExecutionId: id}, EarliestSequence: earliest,
		}
		for _, sequence := range sequences {
			e.Events = append(e.Events, &pb.HistoryEvent{Sequence: sequence})
		}
		return e
	}
	f := newFake()
	f.many = func(_ *pb.WatchExecutionsRequest, stream manyStream) error {
		for i, events := range [][]*pb.ExecutionEvents{
			{told("a", 0, 1, 2), told("b", 0, 1)},
			{told("a", 9), told("b", 5, 5, 6)},
		} {
			batch := &pb.ExecutionChanges{ResumeToken: fmt.Sprint("t", i+1), Events: events}
			message := &pb.WatchExecutionsResponse_Changes{Changes: batch}
			if err := stream.Send(&pb.WatchExecutionsResponse{Message: message}); err != nil {
				return err
			}
		}
		<-stream.Context().Done()
		return nil
	}
	options := WatchOptions{Events: true, EventTypes: []string{"task_created"}, Payloads: true}
	var got []string
	for change, err := range dialFake(t, f).Watch(t.Context(), options) {
		if err != nil {
			t.Fatal(err)
		}
		var sequence int64
		if change.Event != nil {
			sequence = change.Event.Sequence
		}
		got = append(got, fmt.Sprintf("%s%d/%d/%s",
			change.Execution.ID, sequence, change.EarliestSequence, change.ResumeToken))
		if change.ResumeToken == "t2" {
			break
		}
	}
	want := []string{"a1/0/", "a2/0/", "b1/0/t1", "a0/9/t1", "b5/5/t1", "b6/0/t2"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	r := requests[*pb.WatchExecutionsRequest](f)[0]
	if r.GetMode() != pb.WatchExecutionsMode_WATCH_EXECUTIONS_MODE_EVENTS ||
		!slices.Equal(r.GetEventTypes(), options.EventTypes) || !r.GetIncludePayloads() {
		t.Errorf("asked %v", r)
	}
}

func TestWatchManyFailsIfRefused(t *testing.T) {
	f := newFake()
	f.many = func(*pb.WatchExecutionsRequest, manyStream) error {
		return fail(codes.InvalidArgument, ReasonInvalidFilter)
	}
	for _, err := range dialFake(t, f).Watch(t.Context(), WatchOptions{}) {
		if !IsReason(err, ReasonInvalidFilter) {
			t.Errorf("got %v", err)
		}
	}
}

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

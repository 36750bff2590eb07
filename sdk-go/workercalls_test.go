package autan

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// reply answers a method with a message, whatever is asked.
func reply[R proto.Message](f *fake, method string, r R) {
	on(f, method, func(context.Context, proto.Message) (R, error) { return r, nil })
}

// asked checks the last request of its type.
func asked[Q proto.Message](t *testing.T, f *fake, want Q) {
	t.Helper()
	all := requests[Q](f)
	if len(all) == 0 || !proto.Equal(all[len(all)-1], want) {
		t.Errorf("asked %v, want %s", all, prototext.Format(want))
	}
}

func TestPollTasks(t *testing.T) {
	f := newFake()
	c := dialFake(t, f, WithLazyDial())
	at := time.Unix(1000, 0).UTC()
	reply(f, "WorkerService/PollTasks", &pb.PollTasksResponse{
		Tasks: []*pb.WorkerTask{{
			Token: "t", Action: "a", Queue: "q", Attempt: 2, Delivery: 3, IdempotencyKey: "k",
			Input:        &pb.Payload{Encoding: &pb.Payload_Json{Json: `{"n":1}`}},
			Progress:     &pb.Payload{Encoding: &pb.Payload_Json{Json: `5`}},
			ScheduleTime: timestamppb.New(at), LeaseExpireTime: timestamppb.New(at),
			Deadline: timestamppb.New(at), HeartbeatTimeout: durationpb.New(time.Second),
			Project: "p", ExecutionUid: "e", WorkflowName: "w", TaskName: "n",
			TaskExecutionId: "te", ActionExecutionId: "ae", ItemIndex: 4,
		}},
		LeaseDuration:     durationpb.New(30 * time.Second),
		HeartbeatInterval: durationpb.New(10 * time.Second),
		Drained:           true,
	})
	poll, err := c.PollTasks(t.Context(), PollOptions{
		Queue: "q", Actions: []string{"a", "b"}, MaxTasks: 5, Wait: time.Second, Identity: "me",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := &Poll{
		Tasks: []*Task{{
			Token: "t", Action: "a", Queue: "q", Attempt: 2, Delivery: 3, IdempotencyKey: "k",
			Input: &Payload{JSON: []byte(`{"n":1}`)}, Progress: &Payload{JSON: []byte(`5`)},
			ScheduleTime: at, LeaseExpireTime: at, Deadline: at, HeartbeatTimeout: time.Second,
			Project: "p", ExecutionUID: "e", WorkflowName: "w", TaskName: "n",
			TaskExecutionID: "te", ActionExecutionID: "ae", ItemIndex: 4,
		}},
		LeaseDuration: 30 * time.Second, HeartbeatInterval: 10 * time.Second, Drained: true,
	}
	if !reflect.DeepEqual(poll, want) {
		t.Errorf("got %+v", poll)
	}
	asked(t, f, &pb.PollTasksRequest{
		Project: "default",
		Worker: &pb.WorkerIdentity{
			WorkerId: c.workerID, Identity: "me", Sdk: "autan-go/" + Version,
		},
		Queues: []*pb.QueueSubscription{{
			Queue: "q", Actions: []*pb.WorkerAction{{Name: "a"}, {Name: "b"}},
		}},
		MaxTasks: 5,
		Wait:     durationpb.New(time.Second),
	})
	if _, err := c.PollTasks(t.Context(), PollOptions{MaxTasks: -1}); !IsInvalid(err) {
		t.Errorf("got %v", err)
	}
}

func TestTaskCalls(t *testing.T) {
	f := newFake()
	c := dialFake(t, f, WithLazyDial())
	ctx := t.Context()
	at := time.Unix(1000, 0).UTC()
	reply(f, "WorkerService/HeartbeatTasks", &pb.HeartbeatTasksResponse{
		Tasks: []*pb.TaskHeartbeatResult{{
			Token: "t", Status: pb.LeaseStatus_LEASE_STATUS_CANCEL_REQUESTED,
			LeaseExpireTime: timestamppb.New(at), Reason: "why",
		}},
	})
	states, err := c.HeartbeatTasks(ctx, TaskHeartbeat{Token: "t", Progress: 1},
		TaskHeartbeat{Token: "u"})
	if err != nil || !reflect.DeepEqual(states, []LeaseState{{
		Token: "t", Status: LeaseCancelRequested, ExpireTime: at, Reason: "why",
	}}) || states[0].Status.String() != "CANCEL_REQUESTED" {
		t.Errorf("got %+v, %v", states, err)
	}
	asked(t, f, &pb.HeartbeatTasksRequest{
		Project: "default", WorkerId: c.workerID, Tasks: []*pb.TaskHeartbeat{
			{Token: "t", Progress: &pb.Payload{Encoding: &pb.Payload_Json{Json: "1"}}}, {Token: "u"},
		},
	})

	reply(f, "WorkerService/CompleteTask", &pb.CompleteTaskResponse{})
	if err := c.CompleteTask(ctx, "t", nil); err != nil {
		t.Error(err)
	}
	asked(t, f, &pb.CompleteTaskRequest{
		Project: "default", WorkerId: c.workerID, Token: "t", Result: nullPayload,
	})
	if err := c.DeferTask(ctx, "t"); err != nil {
		t.Error(err)
	}
	asked(t, f, &pb.CompleteTaskRequest{
		Project: "default", WorkerId: c.workerID, Token: "t", Deferred: true,
	})
	if err := c.CompleteTask(ctx, "t", func() {}); err == nil {
		t.Error("a function is a result")
	}

	reply(f, "WorkerService/FailTask", &pb.FailTaskResponse{})
	if err := c.FailTask(ctx, "t", RetryAfter(time.Minute, &shortage{"tea"})); err != nil {
		t.Error(err)
	}
	asked(t, f, &pb.FailTaskRequest{
		Project: "default", WorkerId: c.workerID, Token: "t", Failure: &pb.TaskFailure{
			Failure:    &pb.Failure{Type: "shortage", Message: "no tea"},
			RetryAfter: durationpb.New(time.Minute),
		},
	})
	if err := c.FailTask(ctx, "t", nil); !IsInvalid(err) {
		t.Errorf("got %v", err)
	}

	on(f, "WorkerService/ReleaseTask", func(
		context.Context, *pb.ReleaseTaskRequest,
	) (*pb.ReleaseTaskResponse, error) {
		return nil, fail(codes.FailedPrecondition, ReasonTaskLeaseLost)
	})
	if err := c.ReleaseTask(ctx, "t"); !IsReason(err, ReasonTaskLeaseLost) || IsRetryable(err) {
		t.Errorf("got %v", err)
	}
	asked(t, f, &pb.ReleaseTaskRequest{Project: "default", WorkerId: c.workerID, Token: "t"})
}

func TestWorkersAndQueues(t *testing.T) {
	f := newFake()
	c := dialFake(t, f, WithLazyDial())
	ctx := t.Context()
	at := time.Unix(1000, 0).UTC()
	wire := &pb.Worker{
		Project: "p",
		Worker: &pb.WorkerIdentity{
			WorkerId: "w", Identity: "i", Sdk: "s", BuildId: "b", Labels: map[string]string{"k": "v"},
		},
		Queues: []string{"q"}, Actions: []string{"a"}, Connected: true, Draining: true, Leased: 1,
		Credits: 2, CreateTime: timestamppb.New(at), LastSeenTime: timestamppb.New(at),
	}
	want := &WorkerInfo{
		Project: "p", ID: "w", Identity: "i", SDK: "s", BuildID: "b",
		Labels: map[string]string{"k": "v"}, Queues: []string{"q"}, Actions: []string{"a"},
		Connected: true, Draining: true, Leased: 1, Credits: 2, CreateTime: at, LastSeenTime: at,
	}
	on(f, "WorkerAdminService/ListWorkers", func(
		_ context.Context, r *pb.ListWorkersRequest,
	) (*pb.ListWorkersResponse, error) {
		if r.GetPageToken() == "" {
			return &pb.ListWorkersResponse{NextPageToken: "2"}, nil
		}
		return &pb.ListWorkersResponse{Workers: []*pb.Worker{wire}}, nil
	})
	reply(f, "WorkerAdminService/GetWorker", &pb.GetWorkerResponse{Worker: wire})
	reply(f, "WorkerService/DrainWorker", &pb.DrainWorkerResponse{Leased: 3})
	listed := 0
	for w, err := range c.Workers().List(ctx, ListOptions{PageSize: 7}) {
		if listed++; err != nil || !reflect.DeepEqual(w, want) {
			t.Errorf("got %+v, %v", w, err)
		}
	}
	if listed != 1 {
		t.Errorf("%d workers", listed)
	}
	if w, err := c.Workers().Get(ctx, "w"); err != nil || !reflect.DeepEqual(w, want) {
		t.Errorf("got %+v, %v", w, err)
	}
	if n, err := c.Workers().Drain(ctx, "w", WithReason("why")); err != nil || n != 3 {
		t.Errorf("got %d, %v", n, err)
	}
	asked(t, f, &pb.DrainWorkerRequest{Project: "default", WorkerId: "w", Reason: "why"})

	queue := &pb.Queue{
		Project: "p", Queue: "q", Paused: true,
		Limits:       &pb.QueueLimits{Concurrency: 1, RatePerSecond: 2.5, Burst: 3},
		ActionLimits: map[string]*pb.QueueLimits{"a": {Concurrency: 4}},
		Backlog:      5, OldestScheduleTime: timestamppb.New(at), Leased: 6, Workers: 7,
		TasksPerSecond: 8.5, Etag: "e",
	}
	wantQueue := &Queue{
		Project: "p", Name: "q", Paused: true, Limits: QueueLimits{1, 2.5, 3},
		ActionLimits: map[string]QueueLimits{"a": {Concurrency: 4}}, Backlog: 5,
		OldestScheduleTime: at, Leased: 6, Workers: 7, TasksPerSecond: 8.5, ETag: "e",
	}
	reply(f, "WorkerAdminService/ListQueues", &pb.ListQueuesResponse{Queues: []*pb.Queue{queue}})
	reply(f, "WorkerAdminService/GetQueue", &pb.GetQueueResponse{Queue: queue})
	reply(f, "WorkerAdminService/UpdateQueue", &pb.UpdateQueueResponse{Queue: queue})
	for q, err := range c.Queues().List(ctx, ListOptions{}) {
		if err != nil || !reflect.DeepEqual(q, wantQueue) {
			t.Errorf("got %+v, %v", q, err)
		}
	}
	if q, err := c.Queues().Get(ctx, "q"); err != nil || !reflect.DeepEqual(q, wantQueue) {
		t.Errorf("got %+v, %v", q, err)
	}
	paused := false
	q, err := c.Queues().Update(ctx, "q", QueueChange{
		Paused: &paused, Limits: &QueueLimits{Concurrency: 1},
		ActionLimits: map[string]QueueLimits{"a": {}},
	}, WithETag("e"))
	if err != nil || !reflect.DeepEqual(q, wantQueue) {
		t.Errorf("got %+v, %v", q, err)
	}
	asked(t, f, &pb.UpdateQueueRequest{
		Project: "default", Queue: "q", Paused: &paused, Etag: "e",
		Limits:       &pb.QueueLimits{Concurrency: 1},
		ActionLimits: map[string]*pb.QueueLimits{"a": {}},
	})
	for _, err := range []error{
		failedList(c.Workers().List(ctx, ListOptions{Filter: "x"})),
		failedList(c.Queues().List(ctx, ListOptions{Filter: "x"})),
		func() error {
			_, err := c.Queues().Update(ctx, "q", QueueChange{Limits: &QueueLimits{Burst: -1}})
			return err
		}(),
	} {
		if !IsInvalid(err) {
			t.Errorf("got %v", err)
		}
	}
}

// failedList returns the error of a list.
func failedList[T any](list func(func(T, error) bool)) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return errors.New("the list has no error")
}

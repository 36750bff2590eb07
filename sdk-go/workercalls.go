package autan

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// PollOptions says what [Client.PollTasks] takes.
type PollOptions struct {
	// Queue to take from; empty = "default".
	Queue string
	// Actions that the caller performs, by name; at least one.
	Actions []string
	// MaxTasks is how many tasks to take at most, up to 1,000; 0 = 1.
	MaxTasks int
	// Wait is how long to wait for the first, at most 10 s; 0 = 10 s.
	Wait time.Duration
	// WorkerID is who asks, a UUID; empty = the one that each [Client] makes for itself.
	WorkerID string
	// Identity names the caller for people; empty = "host:pid".
	Identity string
}

// Poll is the answer to [Client.PollTasks].
type Poll struct {
	// Tasks are under leases now; empty if there were none in time.
	Tasks []*Task
	// LeaseDuration is how long a lease lasts unless it is renewed.
	LeaseDuration time.Duration
	// HeartbeatInterval is how often to renew, with [Client.HeartbeatTasks].
	HeartbeatInterval time.Duration
	// Drained says that the worker gets no more tasks.
	Drained bool
}

// PollTasks takes tasks without a [Worker], for scripts and functions: it waits until there are
// some. The caller renews their leases with [Client.HeartbeatTasks], and ends each with
// [Client.CompleteTask], [Client.FailTask] or [Client.ReleaseTask].
//
// Errors: INVALID_FIELD, SHUTTING_DOWN.
func (c *Client) PollTasks(ctx context.Context, opts PollOptions) (*Poll, error) {
	count, err := int32Arg("MaxTasks", opts.MaxTasks)
	if err != nil {
		return nil, err
	}
	identity := opts.Identity
	if identity == "" {
		identity = defaultIdentity()
	}
	subscription := &pb.QueueSubscription{Queue: opts.Queue}
	for _, name := range opts.Actions {
		subscription.Actions = append(subscription.Actions, &pb.WorkerAction{Name: name})
	}
	// The answer must come before the call times out.
	wait := min(maxWait, c.timing.callTimeout*2/3)
	if opts.Wait > 0 {
		wait = min(wait, opts.Wait)
	}
	r, err := c.workers.PollTasks(ctx, &pb.PollTasksRequest{
		Project: c.project,
		Worker: &pb.WorkerIdentity{
			WorkerId: c.callerID(opts.WorkerID), Identity: identity, Sdk: sdkName,
		},
		Queues:   []*pb.QueueSubscription{subscription},
		MaxTasks: count,
		Wait:     durationpb.New(wait),
	}, grpc.MaxCallRecvMsgSize(taskBytesMax))
	if err != nil {
		return nil, err
	}
	return &Poll{
		Tasks:             mapSlice(r.GetTasks(), taskFromWire),
		LeaseDuration:     r.GetLeaseDuration().AsDuration(),
		HeartbeatInterval: r.GetHeartbeatInterval().AsDuration(),
		Drained:           r.GetDrained(),
	}, nil
}

func (c *Client) callerID(given string) string {
	if given != "" {
		return given
	}
	return c.workerID
}

// LeaseStatus is what became of a lease. Newer servers may send others, which keep their number.
type LeaseStatus int32

// What may become of a lease.
const (
	// LeaseHeld is held.
	LeaseHeld LeaseStatus = 1
	// LeaseCancelRequested is held, but the result is no longer wanted: end the action soon.
	LeaseCancelRequested LeaseStatus = 2
	// LeaseLost has ended: what the action still does counts for nothing.
	LeaseLost LeaseStatus = 3
)

// String returns the word of the server without prefix, such as "HELD", or "STATUS_42" for one that
// this package does not know.
func (s LeaseStatus) String() string {
	return word(pb.LeaseStatus_name, int32(s), "LEASE_STATUS_", "STATUS_")
}

// TaskHeartbeat renews one lease.
type TaskHeartbeat struct {
	// Token names the lease.
	Token string
	// Progress is how far the action is: anything that encodes to JSON, at most 64 KiB; nil = only
	// renew.
	Progress any
}

// LeaseState is the answer to one [TaskHeartbeat].
type LeaseState struct {
	// Token names the lease.
	Token string
	// Status is what became of it.
	Status LeaseStatus
	// ExpireTime is when it ends unless it is renewed again.
	ExpireTime time.Time
	// Reason is why it was cancelled or lost.
	Reason string
}

// HeartbeatTasks renews leases, at most 1,000 in one call, and keeps what the actions say of their
// progress. The answers are in the same order.
//
// Errors: INVALID_FIELD, PAYLOAD_INVALID, PAYLOAD_TOO_LARGE.
func (c *Client) HeartbeatTasks(ctx context.Context, tasks ...TaskHeartbeat) ([]LeaseState, error) {
	request := &pb.HeartbeatTasksRequest{Project: c.project, WorkerId: c.workerID}
	for _, task := range tasks {
		progress, err := encodePayload(task.Progress)
		if err != nil {
			return nil, err
		}
		request.Tasks = append(request.Tasks,
			&pb.TaskHeartbeat{Token: task.Token, Progress: progress})
	}
	r, err := c.workers.HeartbeatTasks(ctx, request)
	if err != nil {
		return nil, err
	}
	return mapSlice(r.GetTasks(), func(t *pb.TaskHeartbeatResult) LeaseState {
		return LeaseState{
			Token:      t.GetToken(),
			Status:     LeaseStatus(t.GetStatus()),
			ExpireTime: timeFrom(t.GetLeaseExpireTime()),
			Reason:     t.GetReason(),
		}
	}), nil
}

// CompleteTask ends a task with its result, anything that encodes to JSON; nil is null. It is for
// tasks of [Client.PollTasks], and for those that an action has deferred with [ErrDeferred]. The
// same call again gives the same answer.
//
// Errors: TASK_LEASE_LOST, INVALID_FIELD, PAYLOAD_INVALID, PAYLOAD_TOO_LARGE, STORE_UNAVAILABLE.
func (c *Client) CompleteTask(ctx context.Context, token string, result any) error {
	payload, err := encodePayload(result)
	if err != nil {
		return err
	}
	if payload == nil {
		payload = nullPayload
	}
	return c.endTask(ctx, c.workerID, &pb.TaskResult{
		Token: token, Outcome: &pb.TaskResult_Result{Result: payload},
	})
}

// DeferTask says that somebody completes the task later: from now on no lease runs. Whoever it is
// calls [Client.CompleteTask] with the same token.
//
// Errors: as [Client.CompleteTask].
func (c *Client) DeferTask(ctx context.Context, token string) error {
	return c.endTask(ctx, c.workerID, &pb.TaskResult{
		Token: token, Outcome: &pb.TaskResult_Deferred{Deferred: &pb.Deferral{}},
	})
}

// FailTask ends a task with a failure, as an action does that returns the error: see [ActionError].
//
// Errors: as [Client.CompleteTask].
func (c *Client) FailTask(ctx context.Context, token string, failure error) error {
	if failure == nil {
		return invalidArg("failure", "must not be nil")
	}
	result := failedResult(failureOf(failure))
	result.Token = token
	return c.endTask(ctx, c.workerID, result)
}

func (c *Client) endTask(ctx context.Context, workerID string, r *pb.TaskResult) error {
	var err error
	switch outcome := r.GetOutcome().(type) {
	case *pb.TaskResult_Failure:
		_, err = c.workers.FailTask(ctx, &pb.FailTaskRequest{
			Project: c.project, WorkerId: workerID, Token: r.GetToken(), Failure: outcome.Failure,
		})
	case *pb.TaskResult_Deferred:
		_, err = c.workers.CompleteTask(ctx, &pb.CompleteTaskRequest{
			Project: c.project, WorkerId: workerID, Token: r.GetToken(), Deferred: true,
		})
	case *pb.TaskResult_Result:
		_, err = c.workers.CompleteTask(ctx, &pb.CompleteTaskRequest{
			Project: c.project, WorkerId: workerID, Token: r.GetToken(), Result: outcome.Result,
		})
	}
	return err
}

// ReleaseTask gives a task back unfinished: it is handed out again at once, and no attempt is used
// up.
//
// Errors: TASK_LEASE_LOST, INVALID_FIELD.
func (c *Client) ReleaseTask(ctx context.Context, token string) error {
	return c.releaseTask(ctx, c.workerID, token)
}

func (c *Client) releaseTask(ctx context.Context, workerID, token string) error {
	_, err := c.workers.ReleaseTask(ctx, &pb.ReleaseTaskRequest{
		Project: c.project, WorkerId: workerID, Token: token,
	})
	return err
}

// isClosed reports whether Close was called.
func (c *Client) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// clockAhead is how far the clock of the server is ahead of this machine's, as far as it is known.
func (c *Client) clockAhead() time.Duration { return time.Duration(c.ahead.Load()) }

// measureClock finds out how far the clock of the server is ahead. It is of no matter if it fails.
func (c *Client) measureClock(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	asked := time.Now()
	r, err := c.system.GetServerInfo(ctx, &pb.GetServerInfoRequest{Project: c.project})
	if err != nil || r.GetCurrentTime() == nil {
		return
	}
	// The server has looked at its clock in the middle, more or less.
	middle := asked.Add(time.Since(asked) / 2)
	c.ahead.Store(int64(timeFrom(r.GetCurrentTime()).Sub(middle)))
}

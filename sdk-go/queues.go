package autan

import (
	"context"
	"iter"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Queues is the access to the queues that tasks wait in for workers. See [Client.Queues].
type Queues struct{ client *Client }

// Queue is what tasks wait in.
type Queue struct {
	// Project is the tenant.
	Project string
	// Name is unique in the project.
	Name string
	// Paused says that nothing is handed out.
	Paused bool
	// Limits of all its tasks together.
	Limits QueueLimits
	// ActionLimits are limits of single actions in it, by name.
	ActionLimits map[string]QueueLimits
	// Backlog is how many tasks wait, for any of its workers.
	Backlog int64
	// OldestScheduleTime is when the oldest of them was called; zero without one.
	OldestScheduleTime time.Time
	// Leased is how many tasks workers have.
	Leased int
	// Workers is how many workers serve it.
	Workers int
	// TasksPerSecond is how many tasks were handed out, over the last minute.
	TasksPerSecond float64
	// ETag changes with every update, see [WithETag].
	ETag string
}

// QueueLimits limits what is handed out. The zero value does not.
type QueueLimits struct {
	// Concurrency is the most tasks that workers have at the same time; 0 = no limit.
	Concurrency int
	// RatePerSecond is the most tasks that are handed out per second, on average; 0 = no limit.
	RatePerSecond float64
	// Burst is the most tasks that are handed out at once within the rate; 0 = as many as in one
	// second, at least 1.
	Burst int
}

// QueueChange says what of a queue changes; what is nil stays as it is.
type QueueChange struct {
	// Paused stops handing out, or lets it go on. What workers have stays with them.
	Paused *bool
	// Limits of all its tasks together.
	Limits *QueueLimits
	// ActionLimits are limits of single actions; those that are not named stay, zero ones go.
	ActionLimits map[string]QueueLimits
}

// List yields queues by name, page by page: those that workers serve, that have work, or that were
// changed. The filter must be empty. The first error ends it.
func (q *Queues) List(ctx context.Context, opts ListOptions) iter.Seq2[*Queue, error] {
	if opts.Filter != "" {
		return noFilter[*Queue]("queues")
	}
	return pages(ctx, opts.PageSize, queueFrom,
		func(ctx context.Context, size int32, token string) ([]*pb.Queue, string, error) {
			r, err := q.client.workerAdmin.ListQueues(ctx, &pb.ListQueuesRequest{
				Project: q.client.project, PageSize: size, PageToken: token,
			})
			return r.GetQueues(), r.GetNextPageToken(), err
		})
}

// Get returns one queue.
//
// Errors: QUEUE_NOT_FOUND.
func (q *Queues) Get(ctx context.Context, name string) (*Queue, error) {
	r, err := q.client.workerAdmin.GetQueue(ctx, &pb.GetQueueRequest{
		Project: q.client.project, Queue: name,
	})
	if err != nil {
		return nil, err
	}
	return queueFrom(r.GetQueue()), nil
}

// Update pauses a queue, lets it go on, or changes its limits. It need not exist. [WithETag] guards
// against lost updates.
//
// Errors: INVALID_FIELD, ETAG_MISMATCH, STORE_UNAVAILABLE.
func (q *Queues) Update(
	ctx context.Context, name string, change QueueChange, opts ...UpdateOption,
) (*Queue, error) {
	cfg := collect(opts, UpdateOption.update)
	request := &pb.UpdateQueueRequest{
		Project: q.client.project, Queue: name, Paused: change.Paused, Etag: cfg.etag,
	}
	var err error
	if change.Limits != nil {
		if request.Limits, err = change.Limits.proto(); err != nil {
			return nil, err
		}
	}
	if change.ActionLimits != nil {
		request.ActionLimits = map[string]*pb.QueueLimits{}
	}
	for action, limits := range change.ActionLimits {
		if request.ActionLimits[action], err = limits.proto(); err != nil {
			return nil, err
		}
	}
	r, err := q.client.workerAdmin.UpdateQueue(ctx, request)
	if err != nil {
		return nil, err
	}
	return queueFrom(r.GetQueue()), nil
}

func (l QueueLimits) proto() (*pb.QueueLimits, error) {
	concurrency, err := int32Arg("Concurrency", l.Concurrency)
	if err != nil {
		return nil, err
	}
	burst, err := int32Arg("Burst", l.Burst)
	if err != nil {
		return nil, err
	}
	return &pb.QueueLimits{
		Concurrency: concurrency, RatePerSecond: l.RatePerSecond, Burst: burst,
	}, nil
}

func limitsFrom(l *pb.QueueLimits) QueueLimits {
	return QueueLimits{
		Concurrency:   int(l.GetConcurrency()),
		RatePerSecond: l.GetRatePerSecond(),
		Burst:         int(l.GetBurst()),
	}
}

func queueFrom(q *pb.Queue) *Queue {
	out := &Queue{
		Project:            q.GetProject(),
		Name:               q.GetQueue(),
		Paused:             q.GetPaused(),
		Limits:             limitsFrom(q.GetLimits()),
		Backlog:            q.GetBacklog(),
		OldestScheduleTime: timeFrom(q.GetOldestScheduleTime()),
		Leased:             int(q.GetLeased()),
		Workers:            int(q.GetWorkers()),
		TasksPerSecond:     q.GetTasksPerSecond(),
		ETag:               q.GetEtag(),
	}
	if len(q.GetActionLimits()) > 0 {
		out.ActionLimits = map[string]QueueLimits{}
	}
	for action, limits := range q.GetActionLimits() {
		out.ActionLimits[action] = limitsFrom(limits)
	}
	return out
}

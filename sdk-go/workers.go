package autan

import (
	"context"
	"iter"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Workers is the access to the programs that provide actions, as the server knows them. See
// [Client.Workers].
type Workers struct{ client *Client }

// WorkerInfo is a worker, as the server knows it.
type WorkerInfo struct {
	// Project is the tenant.
	Project string
	// ID is the UUID that the worker has made for itself.
	ID string
	// Identity is for people, such as "host:pid".
	Identity string
	// SDK is name and version of its SDK.
	SDK string
	// BuildID says which build of the program it is.
	BuildID string
	// Labels are for people and tools.
	Labels map[string]string
	// Queues that it serves.
	Queues []string
	// Actions that it provides.
	Actions []string
	// ActionVersions holds the versions of those of its actions that have one, by name.
	ActionVersions map[string]string
	// Connected says that it has a stream open.
	Connected bool
	// Draining says that it gets no more tasks.
	Draining bool
	// Leased is how many tasks it has.
	Leased int
	// Credits is how many tasks it could take besides.
	Credits int
	// CreateTime is when it was first heard of.
	CreateTime time.Time
	// LastSeenTime is when it was last heard of.
	LastSeenTime time.Time
}

// List yields workers that were heard of lately, by their ids, page by page. The filter must be
// empty. The first error ends it.
func (w *Workers) List(ctx context.Context, opts ListOptions) iter.Seq2[*WorkerInfo, error] {
	if opts.Filter != "" {
		return noFilter[*WorkerInfo]("workers")
	}
	return pages(ctx, opts.PageSize, workerFrom,
		func(ctx context.Context, size int32, token string) ([]*pb.Worker, string, error) {
			r, err := w.client.workerAdmin.ListWorkers(ctx, &pb.ListWorkersRequest{
				Project: w.client.project, PageSize: size, PageToken: token,
			})
			return r.GetWorkers(), r.GetNextPageToken(), err
		})
}

// Get returns one worker.
//
// Errors: WORKER_NOT_FOUND.
func (w *Workers) Get(ctx context.Context, workerID string) (*WorkerInfo, error) {
	r, err := w.client.workerAdmin.GetWorker(ctx, &pb.GetWorkerRequest{
		Project: w.client.project, WorkerId: workerID,
	})
	if err != nil {
		return nil, err
	}
	return workerFrom(r.GetWorker()), nil
}

// Drain gives a worker no more tasks, over no stream and by no poll. Those that it has stay with
// it; it returns how many.
//
// Errors: WORKER_NOT_FOUND.
func (w *Workers) Drain(
	ctx context.Context, workerID string, opts ...VerbOption,
) (leased int, err error) {
	cfg := collect(opts, VerbOption.verb)
	r, err := w.client.workers.DrainWorker(ctx, &pb.DrainWorkerRequest{
		Project: w.client.project, WorkerId: workerID, Reason: cfg.reason,
	})
	return int(r.GetLeased()), err
}

func workerFrom(w *pb.Worker) *WorkerInfo {
	return &WorkerInfo{
		Project:        w.GetProject(),
		ID:             w.GetWorker().GetWorkerId(),
		Identity:       w.GetWorker().GetIdentity(),
		SDK:            w.GetWorker().GetSdk(),
		BuildID:        w.GetWorker().GetBuildId(),
		Labels:         w.GetWorker().GetLabels(),
		Queues:         w.GetQueues(),
		Actions:        w.GetActions(),
		ActionVersions: w.GetActionVersions(),
		Connected:      w.GetConnected(),
		Draining:       w.GetDraining(),
		Leased:         int(w.GetLeased()),
		Credits:        int(w.GetCredits()),
		CreateTime:     timeFrom(w.GetCreateTime()),
		LastSeenTime:   timeFrom(w.GetLastSeenTime()),
	}
}

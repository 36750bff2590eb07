package autan

import (
	"context"
	"errors"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// carryOn does by calls what cannot wait for a stream, while there is none.
func (w *Worker) carryOn(ctx context.Context) {
	ticker := time.NewTicker(max(w.timing.unaryAfter/5, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			w.callRound(ctx, w.table.overdue(time.Now()))
		case <-ctx.Done():
			return
		}
	}
}

func (w *Worker) callRound(ctx context.Context, due arrears) {
	c := w.client
	if len(due.renew) > 0 {
		r, err := c.workers.HeartbeatTasks(ctx, &pb.HeartbeatTasksRequest{
			Project: c.project, WorkerId: w.id, Tasks: due.renew,
		})
		if err != nil {
			w.table.unsaid(due.renew)
			return // no call gets through
		}
		for _, status := range r.GetTasks() {
			w.table.status(status)
		}
	}
	for _, result := range due.results {
		err := c.endTask(ctx, w.id, result)
		var e *Error
		switch {
		case err == nil:
			w.table.answer(result.GetToken(), "", "", false)
		case errors.As(err, &e) && !e.Retryable && e.Reason != "":
			w.table.answer(result.GetToken(), string(e.Reason), e.Message, false)
		default:
			return // it stays overdue
		}
	}
	for _, token := range due.releases {
		// A lease that is not given back ends by itself.
		if err := c.releaseTask(ctx, w.id, token); err != nil {
			return
		}
	}
}

package autan

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// maxWait is how long the server holds one WaitExecution at most.
const maxWait = 10 * time.Second

// silentSessions is how many streams in a row may bring nothing before waiting goes on with calls.
const silentSessions = 3

// Wait waits until the execution is finished, well or not, and returns it with its output. It goes
// on over lost connections and restarts of the server, and gives up after 5 min without any sign
// of it. Limit it with the context.
//
// Errors: EXECUTION_NOT_FOUND, and the end of ctx.
func (e *Execution) Wait(ctx context.Context) (*ExecutionInfo, error) {
	w := &endWatcher{execution: e}
	err := e.client.follow(ctx, w, silentSessions)
	switch {
	case errors.Is(err, errNoStream) || isCode(err, codes.Unimplemented):
		// A proxy that passes no streams, or a server that cannot: calls do as well.
		return e.waitByCalls(ctx)
	case err != nil:
		return nil, err
	case w.info == nil:
		return e.Get(ctx)
	}
	return w.info, nil
}

// Result waits until the execution is finished and returns its output as a T.
//
// Errors: an [*ExecutionError] if it ended in ERROR or CANCELLED, otherwise those of
// [Execution.Wait] and [Payload.Decode].
func Result[T any](ctx context.Context, e *Execution) (T, error) {
	var zero T
	info, err := e.Wait(ctx)
	if err != nil {
		return zero, err
	}
	return outputOf[T](info, info.Output)
}

// outputOf is the output of a finished execution as a T, if it ended well.
func outputOf[T any](info *ExecutionInfo, output *Payload) (T, error) {
	if info.State != ExecutionSuccess {
		var zero T
		return zero, &ExecutionError{
			ExecutionID:  info.ID,
			WorkflowName: info.WorkflowName,
			State:        info.State,
			StateInfo:    info.StateInfo,
			Failure:      info.Failure,
			Output:       output,
		}
	}
	return Decode[T](output)
}

// endWatcher waits for the end and needs no position: each session begins with the present.
type endWatcher struct {
	execution *Execution
	info      *ExecutionInfo
}

func (w *endWatcher) request() *pb.WatchExecutionRequest {
	return &pb.WatchExecutionRequest{
		ExecutionId: w.execution.ref(),
		StartAt:     pb.WatchStart_WATCH_START_SNAPSHOT,
	}
}

func (w *endWatcher) message(msg *pb.WatchExecutionResponse) (bool, error) {
	return msg.GetEvents() != nil, nil
}

func (w *endWatcher) finished(end *pb.WatchEnd) error {
	if end.GetExecution() != nil {
		w.info = executionFrom(end.GetExecution())
	}
	return nil
}

func (w *endWatcher) failed(err error) error { return err }

// waitByCalls asks again and again; the server holds each question for a while.
func (e *Execution) waitByCalls(ctx context.Context) (*ExecutionInfo, error) {
	t := e.client.timing
	hold := min(maxWait, t.callTimeout*2/3) // the answer must come before the call times out
	lastLife := time.Now()
	for attempt := 0; ; attempt++ {
		asked := time.Now()
		r, err := e.client.executions.WaitExecution(ctx, &pb.WaitExecutionRequest{
			Project:     e.client.project,
			ExecutionId: e.ref(),
			Timeout:     durationpb.New(hold),
			View:        pb.View_VIEW_FULL,
		})
		switch {
		case err == nil && r.GetFinished():
			return executionFrom(r.GetExecution()), nil
		case err == nil:
			lastLife = time.Now()
			if lastLife.Sub(asked) > hold/2 {
				attempt = -1
				continue // it was held as it should be: ask again at once
			}
		case ctx.Err() != nil:
			return nil, err
		case !resumable(err) || time.Since(lastLife) > t.outage:
			return nil, err
		}
		if err := sleep(ctx, jittered(t.baseDelay, t.maxRejoin, attempt)); err != nil {
			return nil, rpcError(err)
		}
	}
}

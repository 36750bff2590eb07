package autan

import (
	"context"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// WatchOptions says what [Client.Watch] yields. The zero value yields all changes from now on.
type WatchOptions struct {
	// Filter is as in [Client.List].
	Filter string
	// ResumeToken, of a change of an earlier watch of the same filter, goes on after it.
	ResumeToken string
	// Retained begins, without ResumeToken, with the oldest change that the server keeps, about a
	// day ago.
	Retained bool
	// Events yields what happens to executions, event by event, instead of what they are.
	Events bool
	// EventTypes are the types of events to yield, see [HistoryEvent.Type]; empty = all. With Events
	// only.
	EventTypes []string
	// Payloads adds inputs, outputs and results to the events. With Events only.
	Payloads bool
}

// ExecutionChange is a change that a watch of many executions tells: of Execution, or that one was
// Deleted.
type ExecutionChange struct {
	// Execution is one that has changed, as it was then or later, without payloads.
	Execution *ExecutionInfo
	// Deleted is one that was deleted.
	Deleted *DeletedExecution
	// Event is what happened to Execution, in a watch of events.
	Event *HistoryEvent
	// EarliestSequence is not 0 if events of Execution that belong here are not kept any more
	// (history_events_kept): the first one that is. Then there may be no Event.
	EarliestSequence int64
	// ResumeToken says where a later watch of the same filter may go on. What it tells first may be
	// known already, but nothing is left out. Empty while the server has told none yet.
	ResumeToken string
}

// DeletedExecution is an execution that was deleted.
type DeletedExecution struct {
	// ID was chosen by the caller, or is the UID.
	ID string
	// UID was given by the server.
	UID string
	// Reason says why, as its deletion did; "retention" if it was old enough.
	Reason string
	// Principal is who deleted it; empty for the server itself, and where callers are not known.
	Principal string
	// Identity is what its caller said of itself, see [WithCallerIdentity].
	Identity string
}

// Watch yields the changes of all executions that match, until ctx or a break ends it. Each change
// comes at least once, as the execution is then; changes that are faster than the stream come as
// one. With WatchOptions.Events all that happens comes instead, in order for each execution, and
// again only where the stream was cut, with the same number. The stream resumes by itself, and
// gives up with an error after 5 min without any sign of the server. An error ends the sequence.
//
// Errors: INVALID_FILTER, INVALID_FIELD, HISTORY_TRIMMED (what follows the token is gone), and the
// end of ctx.
func (c *Client) Watch(
	ctx context.Context, opts WatchOptions,
) iter.Seq2[*ExecutionChange, error] {
	return func(yield func(*ExecutionChange, error) bool) {
		w := &manyWatcher{client: c, options: opts, token: opts.ResumeToken, yield: yield}
		final := func(err error) error { return err }
		if err := c.resume(ctx, w.run, final, 0); err != nil {
			yield(nil, err)
		}
	}
}

// manyWatcher yields the changes after its token.
type manyWatcher struct {
	client  *Client
	options WatchOptions
	token   string
	yield   func(*ExecutionChange, error) bool
}

func (w *manyWatcher) run(ctx context.Context) outcome {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req := &pb.WatchExecutionsRequest{
		Project:           w.client.project,
		Filter:            w.options.Filter,
		ResumeToken:       w.token,
		StartAt:           pb.WatchExecutionsStart_WATCH_EXECUTIONS_START_NOW,
		HeartbeatInterval: durationpb.New(w.client.timing.heartbeat),
		EventTypes:        w.options.EventTypes,
		IncludePayloads:   w.options.Payloads,
	}
	if w.options.Events {
		req.Mode = pb.WatchExecutionsMode_WATCH_EXECUTIONS_MODE_EVENTS
	}
	if w.options.Retained {
		req.StartAt = pb.WatchExecutionsStart_WATCH_EXECUTIONS_START_RETAINED
	}
	s := openSession(ctx, w.client, func(
		ctx context.Context, service pb.ExecutionServiceClient,
	) (grpc.ServerStreamingClient[pb.WatchExecutionsResponse], error) {
		return service.WatchExecutions(ctx, req)
	})
	var out outcome
	for msg := range s.queue {
		out.messages++
		switch m := msg.GetMessage().(type) {
		case *pb.WatchExecutionsResponse_Changes:
			out.news = true
			if !w.changes(m.Changes) {
				out.err = errStop
				return out
			}
		case *pb.WatchExecutionsResponse_Heartbeat:
			w.token = m.Heartbeat.GetResumeToken()
		case *pb.WatchExecutionsResponse_End:
			w.token = m.End.GetResumeToken()
			out.err, out.again = errAgain, true
			out.delay = max(m.End.GetRetryDelay().AsDuration(), 0)
			return out
		}
	}
	out.err = s.err
	return out
}

// changes yields what a message tells; false if no more is wanted.
func (w *manyWatcher) changes(batch *pb.ExecutionChanges) bool {
	var all []*ExecutionChange
	for _, e := range batch.GetExecutions() {
		all = append(all, &ExecutionChange{Execution: executionFrom(e)})
	}
	for _, told := range batch.GetEvents() {
		all = append(all, happened(told)...)
	}
	for _, e := range batch.GetDeleted() {
		gone := &DeletedExecution{
			ID: e.GetExecutionId(), UID: e.GetUid(), Reason: e.GetReason(), Principal: e.GetPrincipal(),
			Identity: e.GetIdentity(),
		}
		all = append(all, &ExecutionChange{Deleted: gone})
	}
	for i, change := range all {
		// Who has dealt with the last one has dealt with all.
		change.ResumeToken = w.token
		if i == len(all)-1 {
			change.ResumeToken = batch.GetResumeToken()
		}
		if !w.yield(change, nil) {
			return false
		}
	}
	w.token = batch.GetResumeToken()
	return true
}

// happened is what a message tells of one execution.
func happened(told *pb.ExecutionEvents) []*ExecutionChange {
	execution, earliest := executionFrom(told.GetExecution()), told.GetEarliestSequence()
	var all []*ExecutionChange
	for _, e := range told.GetEvents() {
		all = append(all, &ExecutionChange{
			Execution: execution, Event: eventFrom(e), EarliestSequence: earliest,
		})
		earliest = 0
	}
	if earliest != 0 {
		all = append(all, &ExecutionChange{Execution: execution, EarliestSequence: earliest})
	}
	return all
}

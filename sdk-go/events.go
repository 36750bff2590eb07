package autan

import (
	"context"
	"iter"

	"google.golang.org/grpc/codes"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// EventsOption changes [Execution.Events].
type EventsOption func(*eventsConfig)

type eventsConfig struct {
	after    int64
	latest   bool
	payloads bool
	onGap    func(Gap)
}

// WithAfter yields only events after this sequence: the last one that you have dealt with.
func WithAfter(sequence int64) EventsOption {
	return func(c *eventsConfig) { c.after, c.latest = sequence, false }
}

// WithLatest yields only events that come after the call.
func WithLatest() EventsOption {
	return func(c *eventsConfig) { c.latest = true }
}

// WithPayloads adds inputs, outputs and results to the events.
func WithPayloads() EventsOption {
	return func(c *eventsConfig) { c.payloads = true }
}

// Gap is a part of the history that the server does not have any more.
type Gap struct {
	// After is the last sequence before the gap.
	After int64
	// Resume is the last sequence in the gap; the next event has the one after it.
	Resume int64
	// Execution is the execution as it was at Resume.
	Execution *ExecutionInfo
}

// WithOnGap goes on after a part of the history that is gone: the function is told of it, from the
// goroutine that ranges, and events go on from the present state. Without this option such a gap is
// an error, HISTORY_TRIMMED.
func WithOnGap(onGap func(Gap)) EventsOption {
	return func(c *eventsConfig) { c.onGap = onGap }
}

// Events yields the events of the execution from the first one, or as the options say, and goes on
// as they are committed, until the execution is finished; ctx or a break ends it earlier. Each event
// comes once and in order, across lost connections, restarts of the server and slow readers: the
// stream resumes by itself, and gives up with an error after 5 min without any sign of the server.
//
// An error ends the sequence. Errors: EXECUTION_NOT_FOUND, HISTORY_TRIMMED (see [WithOnGap]), and
// the end of ctx. For what is stored already, use [Execution.History].
func (e *Execution) Events(
	ctx context.Context, opts ...EventsOption,
) iter.Seq2[*HistoryEvent, error] {
	var cfg eventsConfig
	for _, opt := range opts {
		opt(&cfg)
	}
	if cfg.after < 0 {
		return failed[*HistoryEvent](&Error{
			Code:       codes.InvalidArgument,
			Reason:     ReasonInvalidField,
			Message:    "the sequence to start after is negative",
			Violations: []Violation{{Field: "after_sequence", Description: "must not be negative"}},
		})
	}
	return func(yield func(*HistoryEvent, error) bool) {
		position := cfg.after
		if cfg.latest {
			// A position of our own from the start: a cut before the first event loses nothing.
			info, err := e.get(ctx, pb.View_VIEW_BASIC)
			if err != nil {
				yield(nil, err)
				return
			}
			position = info.LastSequence
		}
		w := &eventWatcher{execution: e, config: cfg, position: position, yield: yield}
		if err := e.client.follow(ctx, w, 0); err != nil {
			yield(nil, err)
		}
	}
}

// eventWatcher yields each event after its position once.
type eventWatcher struct {
	execution *Execution
	config    eventsConfig
	position  int64
	trimmed   bool // the next session starts with a snapshot, to get over a gap
	yield     func(*HistoryEvent, error) bool
}

func (w *eventWatcher) request() *pb.WatchExecutionRequest {
	req := &pb.WatchExecutionRequest{
		ExecutionId:     w.execution.ref(),
		AfterSequence:   w.position,
		StartAt:         pb.WatchStart_WATCH_START_BEGINNING,
		IncludePayloads: w.config.payloads,
	}
	if w.trimmed {
		req.AfterSequence = 0
		req.StartAt = pb.WatchStart_WATCH_START_SNAPSHOT
	}
	return req
}

func (w *eventWatcher) message(msg *pb.WatchExecutionResponse) (news bool, err error) {
	switch m := msg.GetMessage().(type) {
	case *pb.WatchExecutionResponse_Snapshot:
		if w.trimmed {
			info := executionFrom(m.Snapshot)
			w.trimmed = false
			w.config.onGap(Gap{After: w.position, Resume: info.LastSequence, Execution: info})
			w.position = info.LastSequence
		}
	case *pb.WatchExecutionResponse_Events:
		for _, event := range m.Events.GetEvents() {
			switch sequence := event.GetSequence(); {
			case sequence <= w.position:
				continue // delivered before the stream was cut
			case sequence != w.position+1:
				return news, errBroken
			}
			w.position++
			news = true
			if !w.yield(eventFrom(event), nil) {
				return news, errStop
			}
		}
	case *pb.WatchExecutionResponse_Heartbeat:
		if m.Heartbeat.GetLastSequence() > w.position {
			return false, errBroken
		}
	}
	return news, nil // messages of unknown kinds change no position
}

func (w *eventWatcher) finished(end *pb.WatchEnd) error {
	if end.GetResumeAfterSequence() > w.position {
		return errBroken
	}
	return nil
}

func (w *eventWatcher) failed(err error) error {
	if w.config.onGap != nil && !w.trimmed && IsReason(errorFrom(err), ReasonHistoryTrimmed) {
		w.trimmed = true
		return nil
	}
	return err
}

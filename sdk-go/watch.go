package autan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// errBroken says that a server broke the promises of a watch: a hole in the sequence, or an end
// before the last event. Reading again from the last good position may mend it.
var errBroken = errors.New("autan: the stream has a hole")

// errNoStream says that streams do not get through, while calls might.
var errNoStream = errors.New("autan: streams do not work")

// errStop says that the handler wants no more.
var errStop = errors.New("autan: stop")

// watcher is what a watch does with its stream.
type watcher interface {
	// request returns the request of the next session, from the position reached so far.
	request() *pb.WatchExecutionRequest
	// message takes a message other than the end. It returns whether it brought news, and errBroken
	// or errStop.
	message(*pb.WatchExecutionResponse) (news bool, err error)
	// finished takes the end of a finished execution. It returns nil or errBroken.
	finished(*pb.WatchEnd) error
	// failed takes an error that is final otherwise, and returns nil to go on.
	failed(error) error
}

// follow runs sessions of a watch until it is at its end or fails for good. With silentLimit > 0 it
// gives up with errNoStream after that many sessions in a row without any message.
func (c *Client) follow(ctx context.Context, w watcher, silentLimit int) error {
	run := func(ctx context.Context) outcome { return c.runSession(ctx, w) }
	return c.resume(ctx, run, w.failed, silentLimit)
}

// resume runs sessions one after the other; failed takes an error that is final otherwise, and
// returns nil to go on.
func (c *Client) resume(
	ctx context.Context, run func(context.Context) outcome, failed func(error) error,
	silentLimit int,
) error {
	lastLife := time.Now()
	for attempt, silent := 0, 0; ; {
		begun := time.Now()
		outcome := run(ctx)
		switch {
		case outcome.err == nil, errors.Is(outcome.err, errStop):
			return nil
		case ctx.Err() != nil:
			return rpcError(ctx.Err())
		}
		if outcome.messages > 0 {
			lastLife, silent = time.Now(), 0
		} else if silent++; silent == silentLimit {
			return fmt.Errorf("%w: %w", errNoStream, outcome.err)
		}
		if outcome.news || time.Since(begun) > c.timing.maxRejoin {
			attempt = 0
		}
		if outcome.again {
			// Asked for by the server. The jitter keeps its clients from coming back all at once.
			pause := outcome.delay + jittered(c.timing.baseDelay, c.timing.maxRejoin, attempt)
			attempt++
			if err := sleep(ctx, pause); err != nil {
				return rpcError(err)
			}
			continue
		}
		if !resumable(outcome.err) && !errors.Is(outcome.err, errBroken) {
			if err := failed(outcome.err); err != nil {
				return finalError(err)
			}
		}
		if time.Since(lastLife) > c.timing.outage {
			return finalError(outcome.err)
		}
		if err := sleep(ctx, jittered(c.timing.baseDelay, c.timing.maxRejoin, attempt)); err != nil {
			return rpcError(err)
		}
		attempt++
	}
}

// outcome is how a session ended.
type outcome struct {
	err      error         // nil if the execution is finished and all was delivered
	again    bool          // the server asked to resume
	delay    time.Duration // and to wait that long before
	messages int           // good messages
	news     bool          // whether any brought news
}

// errAgain is the error of a session that the server ended for its own reasons.
var errAgain = errors.New("autan: the server ended the stream")

func (c *Client) runSession(ctx context.Context, w watcher) outcome {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var out outcome
	req := w.request()
	req.Project = c.project
	req.HeartbeatInterval = durationpb.New(c.timing.heartbeat)
	s := openSession(ctx, c, func(
		ctx context.Context, service pb.ExecutionServiceClient,
	) (grpc.ServerStreamingClient[pb.WatchExecutionResponse], error) {
		return service.WatchExecution(ctx, req)
	})
	for msg := range s.queue {
		if end := msg.GetEnd(); end != nil {
			out.messages++
			out.ended(end, w)
			return out
		}
		news, err := w.message(msg)
		if err != nil {
			out.err = err
			return out
		}
		out.messages++
		out.news = out.news || news
	}
	out.err = s.err
	return out
}

func (o *outcome) ended(end *pb.WatchEnd, w watcher) {
	switch end.GetReason() {
	case pb.WatchEndReason_WATCH_END_REASON_TERMINAL:
		o.err = w.finished(end)
	case pb.WatchEndReason_WATCH_END_REASON_DELETED:
		o.err = &Error{
			Code:    codes.NotFound,
			Reason:  ReasonExecutionNotFound,
			Message: "the execution was deleted",
		}
	default: // new reasons included: whatever it is, the position holds
		o.err, o.again = errAgain, true
		o.delay = max(end.GetRetryDelay().AsDuration(), 0)
	}
}

// finalError makes an *Error of whatever ended a watch.
func finalError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, errSilent) || errors.Is(err, errBroken) {
		return &Error{
			Code:      codes.Unavailable,
			Message:   "the stream cannot be resumed: " + err.Error(),
			Retryable: true,
			cause:     err,
		}
	}
	return errorFrom(err)
}

package autan

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Why a session was ended from this side; both are followed by another session.
var (
	errSilent = errors.New("autan: the stream was silent for too long")
	errSlow   = errors.New("autan: the reader of the stream was too slow")
)

// queueLength is how many messages are read ahead. Servers send at most 64 KiB in most messages.
const queueLength = 32

// session is one stream of a watch. A goroutine reads ahead into a bounded queue, so that frames do
// not lie unread in the connection; when the queue stays full it drops the stream, which the owner
// resumes when it gets there.
type session[M any] struct {
	queue chan *M
	err   error // why the queue was closed; read it only after that
}

// opener starts the stream of a session.
type opener[M any] func(
	context.Context, pb.ExecutionServiceClient,
) (grpc.ServerStreamingClient[M], error)

// openSession starts a stream. It ends by itself at an error or the end of the stream, and when
// ctx ends.
func openSession[M any](ctx context.Context, c *Client, open opener[M]) *session[M] {
	s := &session[M]{queue: make(chan *M, queueLength)}
	go func() {
		defer close(s.queue)
		s.err = readStream(ctx, c, open, s.queue)
	}()
	return s
}

// readStream never returns nil: [io.EOF] is a stream that ended with status OK.
func readStream[M any](
	ctx context.Context, c *Client, open opener[M], queue chan<- *M,
) error {
	conn, err := c.watches.acquire()
	if err != nil {
		return err
	}
	defer c.watches.release(conn)
	// A server that was away may be back: do not sit out the pause of the connection.
	conn.ResetConnectBackoff()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := c.timing.heartbeat * time.Duration(c.timing.missed)
	watchdog := time.AfterFunc(limit, func() { cancel(errSilent) })
	defer watchdog.Stop()

	stream, err := open(ctx, pb.NewExecutionServiceClient(conn))
	for err == nil {
		var msg *M
		if msg, err = stream.Recv(); err != nil {
			break
		}
		watchdog.Stop() // while we wait for our own reader, the server's silence proves nothing
		if err = enqueue(ctx, c.timing.slowReader, queue, msg); err == nil {
			watchdog.Reset(limit)
		}
	}
	if errors.Is(context.Cause(ctx), errSilent) {
		return errSilent
	}
	return err
}

// enqueue waits for room in the queue for a while.
func enqueue[M any](ctx context.Context, limit time.Duration, queue chan<- *M, msg *M) error {
	select {
	case queue <- msg:
		return nil
	default:
	}
	patience := time.NewTimer(limit)
	defer patience.Stop()
	select {
	case queue <- msg:
		return nil
	case <-patience.C:
		return errSlow
	case <-ctx.Done():
		return ctx.Err()
	}
}

// resumable reports whether a stream that ended with err can be taken up again: it broke, or the
// server could not serve it now. What the server said on purpose about the request is final.
func resumable(err error) bool {
	if errors.Is(err, io.EOF) || errors.Is(err, errSilent) || errors.Is(err, errSlow) {
		return true
	}
	if errors.Is(err, errClosed) {
		return false
	}
	e := rpcError(err)
	switch e.Code {
	case codes.Unavailable, codes.ResourceExhausted, codes.Aborted, codes.DeadlineExceeded,
		codes.Canceled:
		return true
	case codes.Internal, codes.Unknown:
		return e.Reason == "" // a broken connection, not a fault that the server reports
	default:
		return false
	}
}

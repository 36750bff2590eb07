package autan

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Why a stream of a worker has ended, where the server has given no error.
var (
	errRetired  = errors.New("autan: another stream took over")
	errEnded    = errors.New("autan: the server has ended the stream")
	errProtocol = errors.New("autan: the server did not begin with a welcome")
)

// taskBytesMax is how large a message with tasks may be: several inputs of 1 MiB.
const taskBytesMax = 64 << 20

// workerSession is one stream of a worker. One goroutine reads; another writes what the table of
// leases has to say, and never waits for a function.
type workerSession struct {
	table  *leaseTable
	stream grpc.BidiStreamingClient[pb.ConnectRequest, pb.ConnectResponse]
	ctx    context.Context
	cancel context.CancelCauseFunc

	wake     chan struct{}
	welcomed chan struct{} // closed when the welcome has come
	leaving  chan *pb.GoingAway
	done     chan struct{} // closed when nothing is read any more; then err is set
	err      error
	heard    atomic.Int64 // when a message came last, Unix nanoseconds
	closing  atomic.Bool  // the worker ends: half-close once all is said

	// The table's lock guards these.
	outstanding map[string]int // credits of each queue that were not used yet
	renewed     time.Time      // when all leases were renewed last
	drained     bool           // the server knows that no more tasks are wanted
}

// openWorkerSession begins a stream and returns once the server has welcomed the worker. It reads
// and writes until ctx or the stream ends.
func openWorkerSession(
	ctx context.Context, conn *grpc.ClientConn, table *leaseTable, hello *pb.Hello,
) (*workerSession, error) {
	s := &workerSession{
		table:    table,
		wake:     make(chan struct{}, 1),
		welcomed: make(chan struct{}),
		leaving:  make(chan *pb.GoingAway, 1),
		done:     make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	watchdog := time.AfterFunc(table.timing.welcome, func() { s.cancel(errSilent) })
	stream, err := pb.NewWorkerServiceClient(conn).Connect(s.ctx,
		grpc.MaxCallRecvMsgSize(taskBytesMax))
	if err == nil {
		table.hello(s, hello)
		s.stream = stream
		// The error of a message that could not be sent comes from reading.
		_ = stream.Send(&pb.ConnectRequest{Hello: hello})
		go s.read(watchdog)
		select {
		case <-s.welcomed:
			return s, nil
		case <-s.done:
			err = s.err
		}
	}
	watchdog.Stop()
	err = s.because(err)
	s.cancel(err)
	return nil, err
}

// because prefers the reason of this side to what gRPC makes of it.
func (s *workerSession) because(err error) error {
	if cause := context.Cause(s.ctx); errors.Is(cause, errSilent) || errors.Is(cause, errRetired) {
		return cause
	}
	if errors.Is(err, io.EOF) {
		return errEnded
	}
	if _, ok := status.FromError(err); ok {
		return rpcError(err)
	}
	return err
}

func (s *workerSession) read(watchdog *time.Timer) {
	defer close(s.done)
	defer watchdog.Stop()
	err := s.receive(watchdog)
	s.err = s.because(err)
	s.table.detach(s)
	s.cancel(s.err)
}

// receive takes messages until the stream ends. It never returns nil.
func (s *workerSession) receive(watchdog *time.Timer) error {
	first := true
	for {
		msg, err := s.stream.Recv()
		if err != nil {
			return err
		}
		s.heard.Store(time.Now().UnixNano())
		if first {
			if msg.GetWelcome() == nil {
				return errProtocol
			}
			s.welcome(msg.GetWelcome())
			first = false
		}
		watchdog.Reset(s.table.patience())
		s.message(msg)
	}
}

func (s *workerSession) welcome(welcome *pb.Welcome) {
	if old := s.table.attach(s, welcome); old != nil {
		old.retire()
	}
	s.table.log.Info("the worker is connected", "session", welcome.GetSessionId())
	go s.write()
	close(s.welcomed)
}

func (s *workerSession) message(msg *pb.ConnectResponse) {
	for _, task := range msg.GetTasks() {
		s.table.task(s, task)
	}
	for _, r := range msg.GetResults() {
		s.table.answer(r.GetToken(), r.GetErrorReason(), r.GetErrorMessage(), r.GetRetryable())
	}
	for _, r := range msg.GetLeases() {
		s.table.status(r)
	}
	if away := msg.GetGoingAway(); away != nil {
		select {
		case s.leaving <- away:
		default: // it was said before
		}
	}
}

// write sends what there is to say, until the stream ends, another one takes over, or the worker
// ends; the latter two half-close it.
func (s *workerSession) write() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		closing := s.closing.Load()
		frame, due, ok := s.table.frame(s, time.Now())
		switch {
		case !ok || frame == nil && closing:
			_ = s.stream.CloseSend() // fails only with the stream, which the reader sees
			return
		case frame != nil:
			if s.stream.Send(frame) != nil {
				return // the reader gets the reason
			}
			s.begin(frame.GetAccepts())
			continue
		}
		timer.Reset(time.Until(due))
		select {
		case <-s.wake:
		case <-timer.C:
		case <-s.ctx.Done():
			return
		}
	}
}

// begin starts the functions of tasks whose accepts are on their way.
func (s *workerSession) begin(accepted []string) {
	if len(accepted) == 0 {
		return
	}
	// The message is with another goroutine now, which gathers more before it writes. Let it go
	// first.
	for range 3 {
		runtime.Gosched()
	}
	s.table.begin(accepted)
}

// stir makes the writer look again.
func (s *workerSession) stir() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// retire ends a stream that is no longer in use: what is under way still comes, for a while.
func (s *workerSession) retire() {
	s.stir() // the writer finds out and half-closes
	time.AfterFunc(s.table.timing.retire, func() { s.cancel(errRetired) })
}

// close ends the stream in use once all is said, and waits for the server to end it, too; not for
// long.
func (s *workerSession) close(patience time.Duration) {
	s.closing.Store(true)
	s.stir()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-s.done:
	case <-timer.C:
		s.cancel(errRetired)
		<-s.done
	}
}

// ended reports whether nothing comes any more.
func (s *workerSession) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// lastHeard is when the server has said something last.
func (s *workerSession) lastHeard() time.Time { return time.Unix(0, s.heard.Load()) }

// patience is how long a server may be silent before its stream counts as dead.
func (t *leaseTable) patience() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.silence()
}

func (t *leaseTable) silence() time.Duration {
	return t.terms.interval * time.Duration(t.timing.missed)
}

// permanent reports whether the server has refused the worker for a reason that time does not mend:
// its actions or names are wrong, it may not work here, or the server knows no workers. What has
// worked once may work again, when somebody has mended a token or a server.
func permanent(err error, welcomedBefore bool) bool {
	var e *Error
	switch {
	case errors.Is(err, errClosed):
		return true
	case welcomedBefore || !errors.As(err, &e):
		return false
	}
	switch e.Code {
	case codes.Unauthenticated, codes.PermissionDenied, codes.Unimplemented:
		return true
	case codes.InvalidArgument:
		// That there is no hello at all comes from a connection that has lost it.
		return !slices.ContainsFunc(e.Violations, func(v Violation) bool {
			return v.Field == "hello"
		})
	}
	return false
}

package autan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Run takes tasks and performs them until ctx ends. Then it takes no more, waits for the functions
// that run, at most [WithDrainTimeout], gives the rest back to the server, and returns once all
// results are confirmed. The contexts of functions do not end with ctx.
//
// A lost connection is no reason to return: Run tries again for ever, with growing pauses of up to
// 10 s; [Worker.Health] tells. A worker runs only once.
//
// Errors: what is wrong with the worker or its actions; at the first connection INVALID_FIELD,
// UNAUTHENTICATED, PERMISSION_DENIED and UNIMPLEMENTED; CANCELLED after [Client.Close]; at the end,
// results that could not be confirmed, or tasks that were given back.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.check(); err != nil {
		return err
	}
	table := newLeaseTable(w.timing, w.cfg.logger, w.limits())
	base := context.WithoutCancel(ctx)
	table.start = func(l *lease) { w.perform(base, l) }
	w.mu.Lock()
	again := w.table != nil
	if !again {
		w.table = table
	}
	w.mu.Unlock()
	if again {
		return errors.New("autan: a worker runs only once")
	}

	life, end := context.WithCancelCause(base)
	broken := make(chan error, 1)
	var all sync.WaitGroup
	all.Add(2)
	go func() {
		defer all.Done()
		broken <- w.keepConnected(life)
	}()
	go func() {
		defer all.Done()
		w.carryOn(life)
	}()
	defer all.Wait()
	defer end(errRetired)

	select {
	case <-ctx.Done():
		return w.drain(broken)
	case <-w.stopped:
		return w.drain(broken)
	case <-w.client.closed:
		w.abandon()
		return errClosed
	case err := <-broken:
		w.abandon()
		return err
	}
}

// abandon ends what runs where nothing can be said to the server any more.
func (w *Worker) abandon() {
	w.table.drain()
	w.table.cancelAll(ErrWorkerStopped)
}

// drain ends the work in good order; a Stop cuts it short.
func (w *Worker) drain(broken <-chan error) error {
	log := w.cfg.logger
	w.table.drain()
	log.Info("the worker takes no more tasks", "running", w.table.tally().running)
	if !w.await(w.cfg.drainTimeout, true, w.table.idle) {
		w.table.cancelAll(ErrWorkerStopped)
		w.await(w.timing.grace, false, w.table.idle)
		w.table.releaseAll()
	}
	if !w.await(w.timing.flush, true, w.table.settled) {
		w.await(w.timing.grace, false, w.table.settled)
	}
	left := w.table.tally()
	if session := w.table.current(); session != nil {
		session.close(w.timing.grace)
	}
	log.Info("the worker has ended", "returned", left.returned, "unconfirmed", left.unconfirmed)
	var err error
	if left.unconfirmed > 0 {
		err = fmt.Errorf("autan: %d results were not confirmed", left.unconfirmed)
	}
	if left.returned > 0 {
		err = errors.Join(err,
			fmt.Errorf("autan: %d tasks were given back unfinished", left.returned))
	}
	select {
	case fault := <-broken:
		return errors.Join(err, fault)
	default:
		return err
	}
}

// await waits for a condition of the table, and not longer than that, nor after a Stop if it is to
// heed one.
func (w *Worker) await(limit time.Duration, heedStop bool, condition func() bool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if heedStop {
		go func() {
			select {
			case <-w.stopped:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return w.table.await(ctx, condition)
}

// perform runs the function of a task. The table's lock is held: only the goroutine may take time.
func (w *Worker) perform(base context.Context, l *lease) {
	ctx, cancel := context.WithCancelCause(base)
	l.cancel = cancel
	log := l.task.logger(w.cfg.logger)
	ctx = context.WithValue(ctx, callKey{}, &call{
		task:   l.task,
		logger: log,
		beat:   func(p *pb.Payload) { w.table.beat(l, p) },
	})
	go func() {
		defer cancel(nil)
		if !l.task.Deadline.IsZero() {
			local := l.task.Deadline.Add(-w.client.clockAhead())
			late, stop := context.WithDeadline(ctx, local.Add(deadlineGrace))
			defer stop()
			ctx = attemptContext{late, local}
		}
		began := time.Now()
		log.Debug("the action begins")
		result := w.invoke(ctx, l.task)
		if failure := result.GetFailure(); failure != nil {
			log.Warn("the action has failed", "type", failure.GetFailure().GetType(),
				"message", failure.GetFailure().GetMessage(), "took", time.Since(began))
		} else {
			log.Debug("the action has ended", "took", time.Since(began))
		}
		stopped := errors.Is(context.Cause(ctx), ErrWorkerStopped)
		w.table.ended(l, result, stopped)
	}()
}

// deadlineGrace is how long after its deadline a function is cancelled without a word of the
// server, which ends the attempt by itself: were it sooner, what the function says of it could come
// first.
const deadlineGrace = time.Second

// attemptContext tells when the attempt is over, by the clock of this machine; it ends somewhat
// later.
type attemptContext struct {
	context.Context
	deadline time.Time
}

func (c attemptContext) Deadline() (time.Time, bool) {
	return c.deadline, true
}

func (w *Worker) invoke(ctx context.Context, task *Task) *pb.TaskResult {
	h := w.handlers[task.Action]
	if h == nil {
		return failedResult(plainFailure("UnknownAction",
			fmt.Sprintf("the worker has no action %q", task.Action)))
	}
	return h.run(ctx, task.Input)
}

// keepConnected holds a stream open until ctx ends. It returns nil then, and otherwise why there
// will never be one.
func (w *Worker) keepConnected(ctx context.Context) error {
	link := &workerLink{dial: w.client.dialStream}
	defer link.close()
	welcomed := false
	for failures, changes := 0, 0; ; {
		session, err := w.connect(ctx, link)
		if err == nil {
			welcomed = true
			opened := time.Now()
			var away *pb.GoingAway
			away, err = w.follow(ctx, session)
			if time.Since(opened) >= w.timing.healthy {
				failures, changes = 0, 0
			}
			if away != nil {
				// Another server may answer: do not insist on this one.
				link.fresh()
				delay := jittered(w.timing.baseDelay, w.timing.maxDelay, changes)
				changes++
				if sleep(ctx, delay+away.GetReconnectDelay().AsDuration()) != nil {
					return nil
				}
				continue
			}
		}
		switch {
		case ctx.Err() != nil || session != nil && session.closing.Load():
			return nil
		case w.client.isClosed():
			return errClosed
		case permanent(err, welcomed):
			w.failed(err)
			return fmt.Errorf("autan: the worker cannot work: %w", err)
		}
		w.failed(err)
		failures++
		if failures%freshAfter == 0 || errors.Is(err, errSilent) {
			link.fresh() // what is silent may be the connection
		}
		delay := jittered(w.timing.baseDelay, w.timing.maxDelay, failures-1)
		w.cfg.logger.Warn("the worker is not connected", "error", err, "delay", delay)
		if sleep(ctx, delay) != nil {
			return nil
		}
	}
}

// connect opens a stream, which takes over from the last one.
func (w *Worker) connect(ctx context.Context, link *workerLink) (*workerSession, error) {
	conn, err := link.get()
	if err != nil {
		return nil, err
	}
	// A server that was away may be back: do not sit out the pause of the connection.
	conn.ResetConnectBackoff()
	session, err := openWorkerSession(ctx, conn, w.table, w.hello())
	if err != nil {
		return nil, err
	}
	link.use(session)
	select {
	case <-w.ready:
	default:
		close(w.ready)
	}
	// Deadlines are times of the server's clock.
	go w.client.measureClock(session.ctx)
	return session, nil
}

// follow waits until the stream has ended or is to end soon.
func (w *Worker) follow(ctx context.Context, s *workerSession) (*pb.GoingAway, error) {
	select {
	case away := <-s.leaving:
		w.cfg.logger.Info("the server asks for another stream")
		return away, nil
	case <-s.done:
		return nil, s.err
	case <-ctx.Done():
		<-s.done // its context is a child of ctx
		return nil, ctx.Err()
	}
}

// failed records why a connection has failed.
func (w *Worker) failed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastError = err
}

// workerLink owns the connection of a worker's streams.
type workerLink struct {
	dial   func() (*grpc.ClientConn, error)
	conn   *grpc.ClientConn
	users  []*workerSession
	closed sync.WaitGroup
}

func (l *workerLink) get() (*grpc.ClientConn, error) {
	if l.conn == nil {
		conn, err := l.dial()
		if err != nil {
			return nil, err
		}
		l.conn = conn
	}
	return l.conn, nil
}

// use counts a stream over the connection.
func (l *workerLink) use(s *workerSession) {
	l.users = slices.DeleteFunc(l.users, (*workerSession).ended)
	l.users = append(l.users, s)
}

// fresh makes the next stream use a new connection. The old one goes with its last stream.
func (l *workerLink) fresh() {
	conn, users := l.conn, l.users
	l.conn, l.users = nil, nil
	if conn == nil {
		return
	}
	l.closed.Add(1)
	go func() {
		defer l.closed.Done()
		for _, s := range users {
			<-s.done
		}
		_ = conn.Close() // fails only if it is closed already
	}()
}

func (l *workerLink) close() {
	l.fresh()
	l.closed.Wait()
}

package autan

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// leaseTable knows the tasks that a worker holds, and what is to be said of them. It does no I/O:
// streams ask it for messages and give it those that come. All leases outlive streams.
type leaseTable struct {
	timing workerTiming
	log    *slog.Logger
	start  func(*lease) // starts the function; must not block

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at each change that somebody may wait for
	leases   map[string]*lease
	rooms    map[string]*room // by queue
	terms    leaseTerms       // what the server said last
	session  *workerSession   // the stream in use; nil without one
	since    time.Time        // since when that is so
	draining bool
	returned int // tasks that were given back unfinished

	// What is to be sent.
	accepts  []string
	releases []string
	parting  []*pb.TaskHeartbeat // with the last progress of what is given back
	stirred  []*lease            // with progress
	ready    []*lease            // with results
}

// room is for the functions of one queue.
type room struct {
	limit   int // functions that may run
	running int // functions that have not returned, or not begun; of lost leases too
}

// leaseTerms is what the server grants.
type leaseTerms struct {
	duration, interval time.Duration
	payloadMax         int64
}

// lease is one task of a worker, from its arrival until its result is confirmed. The table's lock
// guards what changes.
type lease struct {
	task   *Task
	begun  bool                    // its function was started
	cancel context.CancelCauseFunc // of the function
	cause  error                   // why it is to end, if that was known before it began

	expires    time.Time // by this process's clock, never later than by the server's
	expiry     *time.Timer
	unanswered time.Time // when the first renewal was sent that is not answered; zero = none

	progress *pb.Payload // what the function said last
	unsent   bool        // it was not sent yet
	said     bool        // this delivery has said some
	stirAt   time.Time   // when progress may be sent next
	waiting  bool        // a timer will stir it

	cancelled bool
	gone      bool           // lost or released: what the function returns counts for nothing
	result    *pb.TaskResult // nil while the function runs
	queued    bool           // in ready, or a timer will put it there
	sent      *workerSession // the stream that the result went out on
	tries     int            // answers that said to try again
	replaced  bool           // the result was refused, and is a failure now
}

func newLeaseTable(
	timing workerTiming, log *slog.Logger, limits map[string]int,
) *leaseTable {
	rooms := make(map[string]*room, len(limits))
	for name, limit := range limits {
		rooms[name] = &room{limit: limit}
	}
	return &leaseTable{
		timing:  timing,
		log:     log,
		rooms:   rooms,
		changed: make(chan struct{}),
		leases:  map[string]*lease{},
		terms:   timing.terms,
		since:   time.Now(),
	}
}

// running is how many functions run, of all queues.
func (t *leaseTable) running() int {
	sum := 0
	for _, room := range t.rooms {
		sum += room.running
	}
	return sum
}

// tell tells those who wait.
func (t *leaseTable) tell() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// stir tells those who wait, and the writer of the stream.
func (t *leaseTable) stir() {
	t.tell()
	if t.session != nil {
		t.session.stir()
	}
}

// await waits until the condition, which is asked under the lock, holds. It says false if ctx ends
// before.
func (t *leaseTable) await(ctx context.Context, condition func() bool) bool {
	for {
		t.mu.Lock()
		ok, changed := condition(), t.changed
		t.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// task takes a task over, or gives it back if there is no room.
func (t *leaseTable) task(s *workerSession, w *pb.WorkerTask) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.stir()
	token, name, room := w.GetToken(), w.GetQueue(), t.rooms[w.GetQueue()]
	s.outstanding[name] = max(s.outstanding[name]-1, 0)
	switch {
	case t.leases[token] != nil:
		t.accepts = append(t.accepts, token) // it is sent again: the server missed the first accept
		return
	case t.draining || room == nil || room.running >= room.limit:
		t.releases = append(t.releases, token)
		return
	}
	l := &lease{task: taskFromWire(w)}
	l.progress = wireOf(l.task.Progress)
	t.leases[token] = l
	t.accepts = append(t.accepts, token)
	room.running++
	l.expires = time.Now().Add(t.terms.duration)
	l.expiry = time.AfterFunc(t.terms.duration, func() { t.expire(l) })
}

// begin starts the functions of tasks whose accepts were written: if one takes the process with it,
// the server knows that it was handed out.
func (t *leaseTable) begin(accepted []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, token := range accepted {
		l := t.leases[token]
		if l == nil || l.begun {
			continue
		}
		l.begun = true
		t.start(l)
		if l.cause != nil {
			l.cancel(l.cause)
		}
	}
}

// stop ends the function of a lease.
func (t *leaseTable) stop(l *lease, cause error) {
	switch {
	case l.begun:
		l.cancel(cause)
	case l.cause == nil:
		l.cause = cause
	}
}

// held returns the lease if it still counts.
func (t *leaseTable) held(l *lease) bool { return t.leases[l.task.Token] == l }

func (t *leaseTable) forget(l *lease) {
	l.expiry.Stop()
	delete(t.leases, l.task.Token)
	if !l.begun {
		t.rooms[l.task.Queue].running--
	}
}

// lose ends what runs under a lease that is no longer held.
func (t *leaseTable) lose(l *lease, why string) {
	t.forget(l)
	l.gone = true
	l.task.logger(t.log).Warn("the lease of the task is lost", "why", why)
	t.stop(l, fmt.Errorf("%w: %s", ErrLeaseLost, why))
	t.stir()
}

// expire loses a lease that nobody has confirmed in time. Results that wait are kept: whether they
// are late is for the server to say. One that it has said nothing of for so long is sent again.
func (t *leaseTable) expire(l *lease) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.held(l) {
		return
	}
	if l.result != nil {
		l.expiry.Reset(t.terms.duration)
		if l.sent != nil && l.sent == t.session {
			t.enqueue(l)
			t.stir()
		}
		return
	}
	if rest := time.Until(l.expires); rest > 0 {
		l.expiry.Reset(rest)
		return
	}
	t.lose(l, "it was not renewed in time")
}

// beat keeps the progress of a function for the next message, without flooding the stream.
func (t *leaseTable) beat(l *lease, progress *pb.Payload) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.held(l) || l.result != nil {
		return
	}
	if progress != nil || l.progress == nil {
		l.progress = progress
	}
	if l.progress == nil {
		l.progress = nullPayload // an absent one would not count as a sign of life
	}
	l.unsent, l.said = true, true
	if l.waiting {
		return
	}
	l.waiting = true
	if rest := time.Until(l.stirAt); rest > 0 {
		time.AfterFunc(rest, func() { t.progressDue(l) })
		return
	}
	t.stirProgress(l)
}

func (t *leaseTable) progressDue(l *lease) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stirProgress(l)
}

func (t *leaseTable) stirProgress(l *lease) {
	t.stirred = append(t.stirred, l)
	t.stir()
}

// spacing is the least time between two messages with the progress of one task.
func (t *leaseTable) spacing(l *lease) time.Duration {
	d := min(t.timing.progress, t.terms.interval)
	if l.task.HeartbeatTimeout > 0 {
		d = min(d, l.task.HeartbeatTimeout/3)
	}
	return d
}

// ended takes what a function has returned.
func (t *leaseTable) ended(l *lease, result *pb.TaskResult, stopped bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.stir() // there is room for another task in any case
	t.rooms[l.task.Queue].running--
	if l.gone {
		return
	}
	if stopped && result.GetFailure() != nil {
		t.giveBack(l) // it ended because of the worker, not because of itself
		return
	}
	result.Token = l.task.Token
	l.result = t.fitting(result)
	t.enqueue(l)
}

func (t *leaseTable) enqueue(l *lease) {
	l.sent = nil
	if !l.queued {
		l.queued = true
		t.ready = append(t.ready, l)
	}
}

func (t *leaseTable) giveBack(l *lease) {
	t.forget(l)
	l.gone = true
	if l.unsent { // whoever has it next wants to know
		t.parting = append(t.parting, &pb.TaskHeartbeat{
			Token: l.task.Token, Progress: l.progress,
		})
	}
	t.releases = append(t.releases, l.task.Token)
	t.returned++
}

// fitting makes a failure of a result that is too large to be sent.
func (t *leaseTable) fitting(r *pb.TaskResult) *pb.TaskResult {
	limit := t.terms.payloadMax
	if limit <= 0 {
		return r
	}
	if n := payloadBytes(r.GetResult()); n > limit {
		return &pb.TaskResult{Token: r.GetToken(), Outcome: &pb.TaskResult_Failure{
			Failure: plainFailure(string(ReasonPayloadTooLarge),
				fmt.Sprintf("the result has %d bytes, at most %d are allowed", n, limit)),
		}}
	}
	failure := r.GetFailure().GetFailure()
	if n := payloadBytes(failure.GetDetails()); n > limit {
		failure.Details = nil
		failure.Message = cutMiddle(fmt.Sprintf("%s (the details have %d bytes, at most %d are allowed)",
			failure.GetMessage(), n, limit), messageMax)
	}
	return r
}

func payloadBytes(p *pb.Payload) int64 {
	return int64(len(p.GetJson()) + len(p.GetBinary().GetData()))
}

// attach puts a stream in use and returns the one that was.
func (t *leaseTable) attach(s *workerSession, w *pb.Welcome) *workerSession {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.session
	t.session = s
	if old == nil {
		t.since = time.Now()
	}
	t.terms = leaseTerms{
		duration:   orDefault(w.GetLeaseDuration().AsDuration(), t.timing.terms.duration),
		interval:   orDefault(w.GetHeartbeatInterval().AsDuration(), t.timing.terms.interval),
		payloadMax: w.GetPayloadBytesMax(),
	}
	for _, token := range w.GetLostTokens() {
		// One that has ended may be recorded, and only the answer was lost: its result is sent
		// again.
		if l := t.leases[token]; l != nil && l.result == nil {
			t.lose(l, "the server gave it up")
		}
	}
	t.accepts = nil
	for token, l := range t.leases {
		l.unanswered = time.Time{}
		switch {
		case !l.begun:
			t.accepts = append(t.accepts, token)
		case l.sent != nil:
			t.enqueue(l)
		case l.said && l.result == nil:
			// Whether the server got it nobody knows.
			l.unsent = true
			t.stirred = append(t.stirred, l)
		}
	}
	if len(t.leases) == 0 {
		s.renewed = time.Now() // else the first message renews them all
	}
	t.stir()
	return old
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// detach says that a stream has ended.
func (t *leaseTable) detach(s *workerSession) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.session == s {
		t.session, t.since = nil, time.Now()
		t.stir()
	}
}

package autan

import (
	"fmt"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// status takes what became of a lease.
func (t *leaseTable) status(r *pb.TaskHeartbeatResult) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.leases[r.GetToken()]
	if l == nil {
		return
	}
	switch r.GetStatus() {
	case pb.LeaseStatus_LEASE_STATUS_HELD:
		t.confirm(l)
	case pb.LeaseStatus_LEASE_STATUS_CANCEL_REQUESTED:
		t.confirm(l)
		if l.result != nil || l.cancelled {
			return
		}
		l.cancelled = true
		l.task.logger(t.log).Info("the task is cancelled", "why", r.GetReason())
		cause := ErrCancelled
		if r.GetReason() != "" {
			cause = fmt.Errorf("%w: %s", ErrCancelled, r.GetReason())
		}
		t.stop(l, cause)
	case pb.LeaseStatus_LEASE_STATUS_LOST:
		// A result that waits gets its own answer.
		if l.result == nil {
			t.lose(l, r.GetReason())
		}
	}
}

// confirm counts the lease from when its renewal was sent, which is before the server had it.
func (t *leaseTable) confirm(l *lease) {
	if l.unanswered.IsZero() {
		return
	}
	l.expires = l.unanswered.Add(t.terms.duration)
	l.unanswered = time.Time{}
	l.expiry.Reset(max(time.Until(l.expires), 0))
}

// answer takes the answer to a result.
func (t *leaseTable) answer(token, reason, message string, retryable bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.leases[token]
	if l == nil || l.result == nil {
		return
	}
	log := l.task.logger(t.log)
	switch {
	case reason == "":
		t.forget(l)
	case retryable:
		if l.queued {
			return // it was put back already, for another stream
		}
		l.queued, l.sent = true, nil
		delay := jittered(t.timing.baseDelay, t.timing.maxResend, l.tries)
		l.tries++
		log.Warn("the result could not be recorded, it is sent again", "reason", reason,
			"message", message, "delay", delay)
		time.AfterFunc(delay, func() { t.requeue(l) })
		return
	case reason == string(ReasonTaskLeaseLost):
		log.Warn("the result came too late and counts for nothing", "message", message)
		t.forget(l)
	case l.replaced:
		log.Error("the failure is refused, it is given up", "reason", reason, "message", message)
		t.forget(l)
	default:
		log.Error("the result is refused, the task fails", "reason", reason, "message", message)
		l.replaced = true
		l.result = acceptable(l.result, reason, message)
		t.enqueue(l)
	}
	t.stir()
}

// acceptable makes a failure of a result that the server refuses; of a failure it leaves type and
// message.
func acceptable(r *pb.TaskResult, reason, message string) *pb.TaskResult {
	out := failedResult(plainFailure(reason, message))
	out.Token = r.GetToken()
	if refused := r.GetFailure(); refused != nil {
		text := refused.GetFailure().GetMessage() + " (the rest was refused: " + message + ")"
		failure := plainFailure(refused.GetFailure().GetType(), text)
		failure.NonRetryable, failure.RetryAfter = refused.GetNonRetryable(), refused.GetRetryAfter()
		out.Outcome = &pb.TaskResult_Failure{Failure: failure}
	}
	return out
}

func (t *leaseTable) requeue(l *lease) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held(l) {
		t.ready = append(t.ready, l)
		t.stir()
	}
}

// drain takes no more tasks from now on.
func (t *leaseTable) drain() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.draining = true
	t.stir()
}

// cancelAll ends all functions.
func (t *leaseTable) cancelAll(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.leases {
		if l.result == nil {
			t.stop(l, cause)
		}
	}
}

// releaseAll gives back all tasks whose functions have not returned.
func (t *leaseTable) releaseAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.leases {
		if l.result == nil {
			t.giveBack(l)
		}
	}
	t.stir()
}

// idle reports whether no function runs; settled whether nothing is left to be said, either. For
// await.
func (t *leaseTable) idle() bool { return t.running() == 0 }

func (t *leaseTable) settled() bool {
	return len(t.leases) == 0 && len(t.releases) == 0
}

// connection says whether the server was heard of lately, and since when there is a stream, or
// none.
func (t *leaseTable) connection() (connected bool, since time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.session == nil || time.Since(t.session.lastHeard()) > t.silence() {
		return false, t.since
	}
	return true, t.since
}

// current returns the stream in use, or nil.
func (t *leaseTable) current() *workerSession {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.session
}

// unsaid takes back progress that could not be sent.
func (t *leaseTable) unsaid(heartbeats []*pb.TaskHeartbeat) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, h := range heartbeats {
		if l := t.leases[h.GetToken()]; l != nil && h.GetProgress() != nil {
			l.unsent = true
		}
	}
}

// tally is what a worker has to account for.
type tally struct {
	running     int // functions
	unconfirmed int // results
	returned    int // tasks that were given back unfinished
}

func (t *leaseTable) tally() tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := tally{running: t.running(), returned: t.returned}
	for _, l := range t.leases {
		if l.result != nil {
			out.unconfirmed++
		}
	}
	return out
}

// arrears is what is due to be said by calls, because there is no stream.
type arrears struct {
	renew    []*pb.TaskHeartbeat
	results  []*pb.TaskResult
	releases []string
}

// overdue returns what must not wait for a stream any longer: after a while without one, renewals
// at their time, results under leases of which less than half is left, and what is given back. A
// worker that ends waits for nothing.
func (t *leaseTable) overdue(now time.Time) (out arrears) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.session != nil || now.Sub(t.since) < t.timing.unaryAfter && !t.draining {
		return out
	}
	for _, l := range t.leases {
		left := l.expires.Sub(now)
		switch {
		case !l.begun: // somebody else may begin sooner
		case l.result != nil:
			if left < t.terms.duration/2 || t.draining {
				out.results = append(out.results, l.result)
			}
		case left < t.terms.duration-t.terms.interval && len(out.renew) < heartbeatsMax:
			l.unanswered = now // one on a stream that is gone has no answer any more
			h := t.renewal(l, now)
			if l.unsent {
				h = t.heartbeat(l, now)
			}
			out.renew = append(out.renew, h)
		}
	}
	out.renew = append(out.renew, t.parting...)
	out.releases, t.parting, t.releases = t.releases, nil, nil
	if out.releases != nil {
		t.tell()
	}
	return out
}

// heartbeatsMax is how many leases one call renews.
const heartbeatsMax = 1000

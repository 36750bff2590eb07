package autan

import (
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// frameBytes bounds the results and the progress in one message, but for a single larger one.
const frameBytes = 1 << 20

// heldMax is how many leases a stream may begin with.
const heldMax = 10_000

// hello fills in what a new stream begins with.
func (t *leaseTable) hello(s *workerSession, hello *pb.Hello) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var ended []string
	for token, l := range t.leases {
		if l.result != nil {
			ended = append(ended, token)
			continue
		}
		hello.HeldTokens = append(hello.HeldTokens, token)
	}
	// Results that wait have said all they need: they come last where there are too many.
	hello.HeldTokens = append(hello.HeldTokens, ended...)
	hello.HeldTokens = hello.HeldTokens[:min(len(hello.HeldTokens), heldMax)]
	s.outstanding = map[string]int{}
	for _, q := range hello.GetQueues() {
		if room := t.rooms[q.GetQueue()]; room != nil && !t.draining {
			s.outstanding[q.GetQueue()] = max(room.limit-room.running, 0)
		}
		q.Credits = int32(s.outstanding[q.GetQueue()])
	}
}

// frame returns the next message for a stream, or nil if there is nothing to say now; then due is
// when there will be. It says ok = false when the stream is no longer in use.
func (t *leaseTable) frame(s *workerSession, now time.Time) (
	frame *pb.ConnectRequest, due time.Time, ok bool,
) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.session != s {
		return nil, time.Time{}, false
	}
	f := &pb.ConnectRequest{Accepts: t.accepts, Heartbeats: t.parting, Releases: t.releases}
	t.accepts, t.parting, t.releases = nil, nil, nil
	if f.Releases != nil {
		t.tell()
	}
	silent := now.Sub(s.renewed) >= t.terms.interval
	used := t.addHeartbeats(f, s, now, silent)
	t.addResults(f, s, used)
	t.addCredits(f, s)
	if t.draining && !s.drained {
		f.Drain, s.drained = &pb.Drain{}, true
	}
	if silent {
		s.renewed = now
		return f, time.Time{}, true
	}
	if len(f.Accepts)+len(f.Heartbeats)+len(f.Results)+len(f.Releases)+len(f.Credits) == 0 &&
		f.Drain == nil {
		return nil, s.renewed.Add(t.terms.interval), true
	}
	return f, time.Time{}, true
}

// addCredits grants the places that are free and were not granted yet.
func (t *leaseTable) addCredits(f *pb.ConnectRequest, s *workerSession) {
	if t.draining {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(t.rooms)) {
		room := t.rooms[name]
		if free := room.limit - room.running - s.outstanding[name]; free > 0 {
			f.Credits = append(f.Credits, &pb.CreditGrant{Queue: name, Count: int32(free)})
			s.outstanding[name] += free
		}
	}
}

// addHeartbeats adds the progress that is due, and all renewals if it is time. It returns the bytes
// of the progress.
func (t *leaseTable) addHeartbeats(
	f *pb.ConnectRequest, s *workerSession, now time.Time, all bool,
) (used int) {
	stirred := t.stirred
	t.stirred = nil
	for _, l := range stirred {
		switch {
		case !t.held(l) || l.result != nil || !l.unsent:
			l.waiting = false
		case used > frameBytes:
			t.stirred = append(t.stirred, l)
		default:
			used += proto.Size(l.progress)
			f.Heartbeats = append(f.Heartbeats, t.heartbeat(l, now))
		}
	}
	if !all {
		return used
	}
	said := map[string]bool{}
	for _, h := range f.Heartbeats {
		said[h.GetToken()] = true
	}
	for token, l := range t.leases {
		// Under a result that is on its way the lease may be gone already.
		switch {
		case said[token] || l.result != nil && l.sent == s:
			continue
		case l.unsent && l.result == nil && used <= frameBytes:
			used += proto.Size(l.progress)
			f.Heartbeats = append(f.Heartbeats, t.heartbeat(l, now))
		default:
			f.Heartbeats = append(f.Heartbeats, t.renewal(l, now))
		}
	}
	return used
}

// heartbeat is a renewal with the progress.
func (t *leaseTable) heartbeat(l *lease, now time.Time) *pb.TaskHeartbeat {
	l.unsent, l.waiting, l.stirAt = false, false, now.Add(t.spacing(l))
	h := t.renewal(l, now)
	h.Progress = l.progress
	return h
}

func (t *leaseTable) renewal(l *lease, now time.Time) *pb.TaskHeartbeat {
	if l.unanswered.IsZero() {
		l.unanswered = now
	}
	return &pb.TaskHeartbeat{Token: l.task.Token}
}

func (t *leaseTable) addResults(f *pb.ConnectRequest, s *workerSession, used int) {
	for len(t.ready) > 0 {
		l := t.ready[0]
		if !t.held(l) {
			t.ready = t.ready[1:]
			continue
		}
		size := proto.Size(l.result)
		if l.unsent {
			size += proto.Size(l.progress)
		}
		if used > 0 && used+size > frameBytes {
			return
		}
		used += size
		t.ready = t.ready[1:]
		if l.unsent { // the next attempt wants the last word
			f.Heartbeats = append(f.Heartbeats,
				&pb.TaskHeartbeat{Token: l.task.Token, Progress: l.progress})
			l.unsent = false
		}
		l.queued, l.sent = false, s
		f.Results = append(f.Results, l.result)
	}
	t.ready = nil
}

package autan

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// timing holds the times of the client in one place, so that tests can shrink them.
type timing struct {
	callTimeout time.Duration // of one attempt
	baseDelay   time.Duration // of the first retry or reconnect, doubled each time
	maxDelay    time.Duration // of a retry
	maxRejoin   time.Duration // of a reconnect of a stream
	maxPushback time.Duration // the longest RetryInfo that is waited for
	heartbeat   time.Duration // asked of the server for streams
	missed      int           // heartbeats without which a stream is dead
	slowReader  time.Duration // how long a full queue may hold up a stream
	outage      time.Duration // how long a stream tries to come back
}

func defaultTiming() timing {
	return timing{
		callTimeout: 15 * time.Second,
		baseDelay:   100 * time.Millisecond,
		maxDelay:    5 * time.Second,
		maxRejoin:   10 * time.Second,
		maxPushback: time.Minute,
		heartbeat:   15 * time.Second,
		missed:      3,
		slowReader:  5 * time.Second,
		outage:      5 * time.Minute,
	}
}

// jittered returns a random pause in [0, base*2^attempt], at most limit: full jitter.
func jittered(base, limit time.Duration, attempt int) time.Duration {
	ceiling := limit
	if attempt < 30 {
		ceiling = min(base<<attempt, limit)
	}
	return rand.N(ceiling + 1)
}

// maxAttempts is how often a call is made in all.
const maxAttempts = 4

// retrier makes unary calls again that the server did not take. It stands on the request ids that
// every changing call carries.
type retrier struct {
	timing timing
	budget retryBudget
}

func newRetrier(t timing) *retrier {
	return &retrier{timing: t, budget: retryBudget{tokens: budgetMax}}
}

// intercept is a grpc.UnaryClientInterceptor. Its errors are *Error.
func (r *retrier) intercept(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn,
	invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	for attempt := 0; ; attempt++ {
		err := r.attempt(ctx, method, req, reply, conn, invoke, opts)
		if err == nil {
			r.budget.succeeded()
			return nil
		}
		failure := rpcError(err)
		if !failure.Retryable || ctx.Err() != nil {
			return failure
		}
		allowed := r.budget.failed()
		if attempt+1 >= maxAttempts || !allowed || !r.pause(ctx, failure, attempt) {
			return failure
		}
	}
}

func (r *retrier) attempt(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn,
	invoke grpc.UnaryInvoker, opts []grpc.CallOption,
) error {
	ctx, cancel := context.WithTimeout(ctx, r.timing.callTimeout)
	defer cancel()
	return invoke(ctx, method, req, reply, conn, opts...)
}

// pause waits before the next attempt. It says false, at once, if the wait would outlast the
// context or the server asks for more than a caller should be held up.
func (r *retrier) pause(ctx context.Context, failure *Error, attempt int) bool {
	delay := jittered(r.timing.baseDelay, r.timing.maxDelay, attempt)
	if failure.RetryDelay > r.timing.maxPushback {
		return false
	}
	// What the server asks for is a minimum; the jitter spreads those that it told the same.
	delay += failure.RetryDelay
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= delay {
		return false
	}
	return sleep(ctx, delay) == nil
}

// sleep waits for d or for the end of ctx, whose error it returns then.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// The budget keeps retries from multiplying the load on a server in trouble: each failure takes a
// token, each success gives a tenth of one back, and retries stop at half of the tokens. These are
// the rules of gRPC's retry throttling.
const (
	budgetMax   = 100.0
	budgetRatio = 0.1
)

type retryBudget struct {
	mu     sync.Mutex
	tokens float64
}

func (b *retryBudget) succeeded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.tokens+budgetRatio, budgetMax)
}

// failed takes a token and says whether a retry is allowed.
func (b *retryBudget) failed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = max(b.tokens-1, 0)
	return b.tokens > budgetMax/2
}

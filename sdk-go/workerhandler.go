package autan

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Handler is a function under the name of the action that it performs. Make one with [NewHandler],
// or with [Handle] at once within a worker.
type Handler struct {
	name        string
	queues      []string
	version     string
	description string
	input       []InputParameter
	timeouts    actionTimeouts
	invoke      func(ctx context.Context, input *Payload) (any, error)
	err         error // what is wrong with it, said by Worker.Run
}

type actionTimeouts struct {
	startToClose, scheduleToStart, heartbeat time.Duration
}

// HandlerOption changes [NewHandler] and [Handle].
type HandlerOption func(*Handler)

// WithStartToClose limits how long one attempt may take; without it there is no limit. An attempt
// that takes longer fails, and the context of its function ends with
// [context.DeadlineExceeded]. Workflows may say otherwise.
func WithStartToClose(d time.Duration) HandlerOption {
	return func(h *Handler) { h.timeouts.startToClose = d }
}

// WithScheduleToStart limits how long a call may wait for a worker; without it there is no limit. A
// call that waits longer fails. Workflows may say otherwise.
func WithScheduleToStart(d time.Duration) HandlerOption {
	return func(h *Handler) { h.timeouts.scheduleToStart = d }
}

// WithHeartbeatTimeout limits how long an attempt may be without a [Heartbeat]; without it the
// worker alone must be alive. An attempt that is silent for longer is handed out again. Workflows
// may say otherwise.
func WithHeartbeatTimeout(d time.Duration) HandlerOption {
	return func(h *Handler) { h.timeouts.heartbeat = d }
}

// WithQueue names the queues from which the action is called, instead of the worker's own. See
// [WithQueueLimit] for how many of a queue run at the same time.
func WithQueue(names ...string) HandlerOption {
	return func(h *Handler) { h.queues = append(h.queues, names...) }
}

// WithVersion says which version of the action it is; at most 255 bytes. Tasks that require one
// (action-version) come only to workers that provide the same; those that require none come to all.
func WithVersion(version string) HandlerOption {
	return func(h *Handler) { h.version = version }
}

// WithSummary says what the action does, for people; at most 4 KiB.
func WithSummary(text string) HandlerOption { return func(h *Handler) { h.description = text } }

// NewHandler makes an action of a function, for [Worker.Add] and [ActionTester].
//
// In is what the input of the task, an object, is decoded to, as [Payload.Decode] does. If it is a
// struct, its fields are the parameters, under the names that encoding/json gives them. A field is
// required unless it is a pointer, or its tag says `json:",omitempty"` or `json:",omitzero"`, or
// gives a default as JSON:
//
//	type Reserve struct {
//		Item  string `json:"item"`
//		Count int    `json:"count" autan:"default=1"`
//		Note  string `json:"note,omitempty"`
//	}
//
// Input with other fields, without a required one, or with a value that does not fit fails the task
// for good, with the type [FailureInvalidInput]. Other types, such as map[string]any, take what
// comes. A nil or absent result is null.
//
// The function gets a context that ends when the task is cancelled, its lease is lost or its time
// is up; [context.Cause] tells which. With it [CurrentTask], [Heartbeat] and [Logger] work. An
// error that it returns fails the attempt, see [ActionError]; so does a panic.
func NewHandler[In, Out any](
	name string, fn func(context.Context, In) (Out, error), opts ...HandlerOption,
) *Handler {
	h := &Handler{name: name}
	for _, opt := range opts {
		opt(h)
	}
	decode, err := inputDecoder[In]()
	h.input = decode.parameters
	h.err = errors.Join(err, h.check(fn == nil))
	h.invoke = func(ctx context.Context, input *Payload) (any, error) {
		var in In
		if err := decode.into(input, &in); err != nil {
			return nil, &ActionError{
				Type: FailureInvalidInput, Message: err.Error(), NonRetryable: true,
			}
		}
		return fn(ctx, in)
	}
	return h
}

// Name returns the name by which workflows call it.
func (h *Handler) Name() string { return h.name }

// Parameters returns the parameters, as far as the type of the input tells.
func (h *Handler) Parameters() []InputParameter { return h.input }

const nameMax = 255

func (h *Handler) check(missing bool) error {
	switch {
	case missing:
		return fmt.Errorf("autan: action %q has no function", h.name)
	case h.name == "":
		return errors.New("autan: an action has no name")
	case len(h.name) > nameMax:
		return fmt.Errorf("autan: the name of action %.40q… has more than %d bytes", h.name, nameMax)
	case strings.HasPrefix(h.name, "std."):
		return fmt.Errorf("autan: action %q: names with std. are the server's", h.name)
	}
	for _, d := range []time.Duration{
		h.timeouts.startToClose, h.timeouts.scheduleToStart, h.timeouts.heartbeat,
	} {
		if d < 0 {
			return fmt.Errorf("autan: action %q has a timeout below 0", h.name)
		}
	}
	return nil
}

func (h *Handler) proto() *pb.WorkerAction {
	out := &pb.WorkerAction{
		Name:                   h.name,
		Version:                h.version,
		Description:            h.description,
		StartToCloseTimeout:    durationOrNil(h.timeouts.startToClose),
		ScheduleToStartTimeout: durationOrNil(h.timeouts.scheduleToStart),
		HeartbeatTimeout:       durationOrNil(h.timeouts.heartbeat),
	}
	for _, p := range h.input {
		out.Input = append(out.Input, &pb.InputParameter{
			Name: p.Name, Required: p.Required, DefaultValue: wireOf(p.Default),
		})
	}
	return out
}

func durationOrNil(d time.Duration) *durationpb.Duration {
	if d <= 0 {
		return nil
	}
	return durationpb.New(d)
}

// run calls the function and turns whatever it does into an outcome. The token is for the caller to
// fill in.
func (h *Handler) run(ctx context.Context, input *Payload) *pb.TaskResult {
	value, err := h.guarded(ctx, input)
	if errors.Is(context.Cause(ctx), ErrCancelled) {
		return failedResult(plainFailure(FailureCancelled, context.Cause(ctx).Error()))
	}
	switch {
	case errors.Is(err, ErrDeferred):
		return &pb.TaskResult{Outcome: &pb.TaskResult_Deferred{Deferred: &pb.Deferral{}}}
	case err != nil:
		return failedResult(failureOf(err))
	}
	payload, err := encodeSound(value)
	if err != nil {
		return failedResult(plainFailure(FailureInvalidOutput, err.Error()))
	}
	return &pb.TaskResult{Outcome: &pb.TaskResult_Result{Result: payload}}
}

// guarded turns a panic, and the end of the goroutine, into an error.
func (h *Handler) guarded(ctx context.Context, input *Payload) (value any, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		returned := false
		defer func() {
			// Without a panic and without a return the goroutine was ended from within.
			if v := recover(); v != nil || !returned {
				value, err = nil, panicked(v)
			}
		}()
		value, err = h.invoke(ctx, input)
		returned = true
	}()
	<-done
	return value, err
}

func failedResult(f *pb.TaskFailure) *pb.TaskResult {
	return &pb.TaskResult{Outcome: &pb.TaskResult_Failure{Failure: f}}
}

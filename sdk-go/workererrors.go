package autan

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Why the context of an action has ended: see [context.Cause]. After the deadline of an attempt the
// cause is [context.DeadlineExceeded].
var (
	// ErrCancelled says that the result is no longer wanted: the task was cancelled. Whatever the
	// function returns then counts as cancelled.
	ErrCancelled = errors.New("autan: the task was cancelled")
	// ErrLeaseLost says that the lease has ended: somebody else may work on the task now, and what
	// the function returns counts for nothing.
	ErrLeaseLost = errors.New("autan: the lease of the task was lost")
	// ErrWorkerStopped says that the worker ends and could not wait longer. A result counts if it
	// comes at once; otherwise the task goes to another worker.
	ErrWorkerStopped = errors.New("autan: the worker is stopped")
)

// ErrDeferred is what an action returns that somebody completes later: with [Client.CompleteTask]
// or [Client.FailTask] and [Task.Token], or with [Client.CompleteActionExecution] and
// [Task.ActionExecutionID]. From then on no lease runs.
var ErrDeferred = errors.New("autan: the task is completed later")

// Types of failures that this package makes.
const (
	// FailureInvalidInput is the type if the input does not fit the function.
	FailureInvalidInput = "InvalidInput"
	// FailureInvalidOutput is the type if the output does not encode to JSON.
	FailureInvalidOutput = "InvalidOutput"
	// FailureCancelled is the type of what a cancelled function gives.
	FailureCancelled = "Cancelled"
	// FailurePanic is the type if the function has panicked.
	FailurePanic = "panic"
)

// ActionError is an error of an action that says more than its text. Actions may return any error:
// it fails the attempt with its text, the name of its type, and those of the errors that it wraps,
// and the `retry` of the task decides what follows. Return or wrap an *ActionError to say more.
type ActionError struct {
	// Type is the kind of failure, for programs; empty = the name of the type of Cause.
	Type string
	// Message is for people; empty = the text of Cause.
	Message string
	// Details is what the workflow sees as the error result, anything that encodes to JSON; nil =
	// it sees the message.
	Details any
	// NonRetryable says that another attempt is of no use.
	NonRetryable bool
	// RetryAfter is how long to wait before the next attempt, instead of what `retry` says; 0 = as
	// it says.
	RetryAfter time.Duration
	// Cause is the error behind it, if any.
	Cause error
}

// NonRetryable marks an error as one that another attempt cannot mend: the `retry` of the task is
// not asked. Use [ActionError] to give it a type or details as well.
func NonRetryable(err error) error { return &ActionError{NonRetryable: true, Cause: err} }

// RetryAfter asks for the next attempt, if the `retry` of the task allows one, after d instead of
// the delay that it gives.
func RetryAfter(d time.Duration, err error) error {
	return &ActionError{RetryAfter: d, Cause: err}
}

// Error returns the message, or the text of the cause.
func (e *ActionError) Error() string {
	switch {
	case e.Message != "":
		return e.Message
	case e.Cause != nil:
		return e.Cause.Error()
	case e.Type != "":
		return e.Type
	}
	return "the action failed"
}

// Unwrap returns the cause.
func (e *ActionError) Unwrap() error { return e.Cause }

// Sizes of the parts of a failure.
const (
	messageMax     = 4 << 10
	stackMax       = 16 << 10
	failureTypeMax = 255
	causesMax      = 8
)

// failureOf says to the server what an action returned or panicked with.
func failureOf(err error) *pb.TaskFailure {
	out := &pb.TaskFailure{Failure: failureChain(err, causesMax)}
	var details any
	eachError(err, func(err error) {
		ae, ok := err.(*ActionError)
		if !ok {
			return
		}
		out.NonRetryable = out.NonRetryable || ae.NonRetryable
		if out.RetryAfter == nil && ae.RetryAfter > 0 {
			out.RetryAfter = durationpb.New(ae.RetryAfter)
		}
		if details == nil {
			details = ae.Details
		}
	})
	if details == nil {
		return out
	}
	var fault error
	if out.Failure.Details, fault = encodeSound(details); fault != nil {
		// The failure matters more than its details.
		text := out.Failure.Message + " (details: " + fault.Error() + ")"
		out.Failure.Message = cutMiddle(text, messageMax)
	}
	return out
}

// eachError visits an error and all that it wraps, the outer ones first.
func eachError(err error, visit func(error)) {
	if err == nil {
		return
	}
	visit(err)
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		eachError(e.Unwrap(), visit)
	case interface{ Unwrap() []error }:
		for _, next := range e.Unwrap() {
			eachError(next, visit)
		}
	}
}

// failureChain turns an error and what it wraps into failures, at most so many of them.
func failureChain(err error, depth int) *pb.Failure {
	err = transparent(err)
	f := &pb.Failure{
		Type:    cutEnd(typeOf(err), failureTypeMax),
		Message: cutMiddle(textOf(err), messageMax),
	}
	if p, ok := err.(*panicError); ok {
		f.Stack = cutMiddle(p.stack, stackMax)
	}
	if next := causeOf(err); next != nil && depth > 1 {
		f.Cause = failureChain(next, depth-1)
	}
	return f
}

// transparent looks through marks that say nothing of their own, such as NonRetryable's.
func transparent(err error) error {
	for {
		ae, ok := err.(*ActionError)
		if !ok || ae.Cause == nil || ae.Type != "" || ae.Message != "" {
			return err
		}
		err = ae.Cause
	}
}

// causeOf is what an error wraps: of several the first.
func causeOf(err error) error {
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if next := e.Unwrap(); next != nil {
			return transparent(next)
		}
	case interface{ Unwrap() []error }:
		for _, next := range e.Unwrap() {
			if next != nil {
				return transparent(next)
			}
		}
	}
	return nil
}

// typeOf names an error by its type, without package. Types that only wrap or hold a text, such as
// those of fmt.Errorf, take the name of what they wrap.
func typeOf(err error) string {
	for next := err; next != nil; next = causeOf(next) {
		switch e := next.(type) {
		case *ActionError:
			if e.Type != "" {
				return e.Type
			}
			continue
		case *panicError:
			return FailurePanic
		}
		t := reflect.TypeOf(next)
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch t.PkgPath() {
		case "errors", "fmt":
			continue
		}
		if t.Name() != "" {
			return t.Name()
		}
	}
	return "error"
}

// textOf is the text of an error, even of one whose method panics, as those of nil pointers do.
func textOf(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("%T", err)
		}
	}()
	return err.Error()
}

// panicError is a panic of an action, or its early end by runtime.Goexit.
type panicError struct {
	value any
	stack string
}

func (e *panicError) Error() string {
	if e.value == nil {
		return "the goroutine of the action ended without returning"
	}
	return fmt.Sprint("panic: ", e.value)
}

func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}

// panicked makes an error of what was recovered. Call it where the stack still shows the panic.
func panicked(value any) *panicError {
	buf := make([]byte, 4*stackMax)
	return &panicError{value: value, stack: string(buf[:runtime.Stack(buf, false)])}
}

// plainFailure is a failure that this package found itself.
func plainFailure(kind, message string) *pb.TaskFailure {
	return &pb.TaskFailure{
		Failure:      &pb.Failure{Type: kind, Message: cutMiddle(message, messageMax)},
		NonRetryable: true,
	}
}

// codeInvalid is the code of arguments that make no sense.
const codeInvalid = codes.InvalidArgument

const cutMark = " … "

// cutMiddle makes text valid UTF-8 of at most limit bytes; what is too long loses its middle.
func cutMiddle(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= limit {
		return text
	}
	head := (limit - len(cutMark)) / 2
	tail := len(text) - (limit - len(cutMark) - head)
	for head > 0 && !utf8.RuneStart(text[head]) {
		head--
	}
	for tail < len(text) && !utf8.RuneStart(text[tail]) {
		tail++
	}
	return text[:head] + cutMark + text[tail:]
}

// cutEnd makes text valid UTF-8 of at most limit bytes.
func cutEnd(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

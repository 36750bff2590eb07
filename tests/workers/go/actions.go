package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	autan "github.com/autan-dev/autan/sdk-go"
)

type (
	number = json.Number
	object = map[string]any
	none   = struct{}
)

// Flaky is an error that passes.
type Flaky struct{ message string }

func (e *Flaky) Error() string { return e.message }

// Outer is an error with a cause.
type Outer struct{ cause error }

func (e *Outer) Error() string { return "outer" }
func (e *Outer) Unwrap() error { return e.cause }

// Inner is the cause of an error.
type Inner struct{}

func (e *Inner) Error() string { return "inner" }

func provide(w *autan.Worker, client *autan.Client) {
	provideCalls(w, client)
	provideValues(w)
	provideFailures(w)
	provideTimes(w)
	autan.Handle(w, "test.deferred", func(context.Context, none) (any, error) {
		return nil, autan.ErrDeferred
	})
	where := func(ctx context.Context, _ none) (object, error) {
		t := autan.CurrentTask(ctx)
		return object{
			"project":             t.Project,
			"execution_uid":       t.ExecutionUID,
			"workflow_name":       t.WorkflowName,
			"task_name":           t.TaskName,
			"task_execution_id":   t.TaskExecutionID,
			"action_execution_id": t.ActionExecutionID,
			"item_index":          t.ItemIndex,
			"action":              t.Action,
			"queue":               t.Queue,
			"attempt":             t.Attempt,
			"delivery":            t.Delivery,
			"idempotency_key":     t.IdempotencyKey,
			"required_version":    t.RequiredVersion,
			"affinity_key":        t.AffinityKey,
		}, nil
	}
	autan.Handle(w, "test.context", where)
	autan.Handle(w, "test.where", where, autan.WithQueue("second"), autan.WithVersion("2"))
	autan.Handle(w, "test.die", func(ctx context.Context, _ none) (object, error) {
		delivery := autan.CurrentTask(ctx).Delivery
		if delivery == 1 {
			os.Exit(9)
		}
		return object{"delivery": delivery}, nil
	})
}

func provideValues(w *autan.Worker) {
	autan.Handle(w, "test.echo", func(_ context.Context, in struct {
		Value json.RawMessage `json:"value"`
	}) (any, error) {
		return in.Value, nil
	})
	autan.Handle(w, "test.add", func(_ context.Context, in struct {
		A number `json:"a"`
		B number `json:"b"`
	}) (any, error) {
		return sum([]number{in.A, in.B}), nil
	})
	autan.Handle(w, "test.sum_list", func(_ context.Context, in struct {
		Items []number `json:"items"`
	}) (any, error) {
		return sum(in.Items), nil
	})
	autan.Handle(w, "test.big", func(_ context.Context, in struct {
		Bytes int `json:"bytes"`
	}) (string, error) {
		return strings.Repeat("x", in.Bytes), nil
	})
}

func provideFailures(w *autan.Worker) {
	autan.Handle(w, "test.fail_n_times", func(ctx context.Context, in struct {
		N       int    `json:"n"`
		Message string `json:"message" autan:"default=\"flaky\""`
	}) (object, error) {
		attempt := autan.CurrentTask(ctx).Attempt
		if attempt <= in.N {
			return nil, &Flaky{in.Message}
		}
		return object{"attempt": attempt}, nil
	})
	autan.Handle(w, "test.non_retryable", func(_ context.Context, in struct {
		Message string `json:"message" autan:"default=\"never\""`
	}) (any, error) {
		return nil, &autan.ActionError{
			Type: "NonRetryable", Message: in.Message, NonRetryable: true,
		}
	})
	autan.Handle(w, "test.retry_after", func(ctx context.Context, in struct {
		Seconds float64 `json:"seconds"`
	}) (int, error) {
		attempt := autan.CurrentTask(ctx).Attempt
		if attempt == 1 {
			return 0, &autan.ActionError{
				Type: "RetryAfter", Message: "not yet", RetryAfter: seconds(in.Seconds),
			}
		}
		return attempt, nil
	})
	autan.Handle(w, "test.raise_with_cause", func(context.Context, none) (any, error) {
		return nil, &Outer{&Inner{}}
	})
}

func provideTimes(w *autan.Worker) {
	autan.Handle(w, "test.slow", func(ctx context.Context, in struct {
		Seconds float64 `json:"seconds"`
		Every   float64 `json:"heartbeat_every"`
	}) (object, error) {
		earlier, _, err := autan.EarlierProgress[any](ctx)
		if err != nil {
			return nil, err
		}
		steps := max(int(math.Ceil(in.Seconds/in.Every)), 1)
		for i := 1; i <= steps; i++ {
			if err := sleep(ctx, seconds(in.Every)); err != nil {
				return nil, err
			}
			if err := autan.Heartbeat(ctx, object{"step": i}); err != nil {
				return nil, err
			}
		}
		return object{"steps": steps, "earlier": earlier}, nil
	})
	autan.Handle(w, "test.until_cancelled", func(ctx context.Context, _ none) (any, error) {
		if err := begun(); err != nil {
			return nil, err
		}
		<-ctx.Done()
		cause := context.Cause(ctx)
		if !errors.Is(cause, autan.ErrCancelled) {
			return nil, cause
		}
		return nil, note("cancelled", autan.CurrentTask(ctx).IdempotencyKey)
	})
	autan.Handle(w, "test.block", func(ctx context.Context, in struct {
		File string `json:"file"`
	}) (string, error) {
		if err := begun(); err != nil {
			return "", err
		}
		for {
			text, err := os.ReadFile(in.File)
			if !errors.Is(err, os.ErrNotExist) {
				return string(text), err
			}
			if err := sleep(ctx, 20*time.Millisecond); err != nil {
				return "", err
			}
		}
	})
}

// provideCalls adds actions that end their tasks by calls.
func provideCalls(w *autan.Worker, client *autan.Client) {
	autan.Handle(w, "test.complete_twice", func(ctx context.Context, _ none) (string, error) {
		for range 2 {
			token := autan.CurrentTask(ctx).Token
			if err := client.CompleteTask(ctx, token, "by call"); err != nil {
				return "", err
			}
		}
		return "by return", nil
	})
	autan.Handle(w, "test.late", func(ctx context.Context, in struct {
		File string `json:"file"`
	}) (string, error) {
		for {
			if _, err := os.Stat(in.File); !errors.Is(err, os.ErrNotExist) {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		// Whoever asks it to stop is not heard.
		ctx = context.WithoutCancel(ctx)
		err := client.CompleteTask(ctx, autan.CurrentTask(ctx).Token, "late")
		var refusal *autan.Error
		if errors.As(err, &refusal) {
			return "late", note("late", string(refusal.Reason))
		}
		return "late", errors.Join(err, note("late"))
	})
}

// note appends a line to the log of the scenario, if it wants one.
func note(words ...string) error {
	path := os.Getenv("AUTAN_TEST_LOG")
	if path == "" {
		return nil
	}
	log, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(log, strings.Join(words, " "))
	return errors.Join(err, log.Close())
}

// begun says that an action runs.
func begun() error {
	path := os.Getenv("AUTAN_TEST_LOG")
	if path == "" {
		return nil
	}
	return os.WriteFile(path+".begun", nil, 0o644)
}

// sleep waits, and returns the cause if ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

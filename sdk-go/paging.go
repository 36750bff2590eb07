package autan

import (
	"context"
	"fmt"
	"iter"
	"math"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// ListOptions says what a list yields. The zero value yields everything, briefly.
type ListOptions struct {
	// Filter chooses rows: comparisons `field op value` with = != < <= > >= and `:` (has), joined
	// by AND, OR, NOT and parentheses; a leading or trailing * in a value matches any text. OR
	// binds tighter than AND, so write parentheses:
	//
	//	state = ERROR AND (workflow_name = "order*" OR labels.team = "eu")
	//
	// Empty chooses all. The fields stand with each method.
	Filter string
	// PageSize is how many rows are fetched at a time, at most 1000; 0 leaves it to the server (50).
	PageSize int
	// Full also yields payloads and source texts.
	Full bool
}

func (o ListOptions) view() pb.View {
	if o.Full {
		return pb.View_VIEW_FULL
	}
	return pb.View_VIEW_BASIC
}

// pages yields the rows of all pages. An empty token is the only end: pages may be short.
func pages[P, T any](
	ctx context.Context, size int, convert func(P) T,
	fetch func(ctx context.Context, size int32, token string) ([]P, string, error),
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		pageSize, err := int32Arg("PageSize", size)
		if err != nil {
			yield(zero, err)
			return
		}
		for token := ""; ; {
			rows, next, err := fetch(ctx, pageSize, token)
			if err != nil {
				yield(zero, err)
				return
			}
			for _, row := range rows {
				if !yield(convert(row), nil) {
					return
				}
			}
			if next == "" {
				return
			}
			token = next
		}
	}
}

// failed yields one error.
func failed[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		yield(zero, err)
	}
}

func noFilter[T any](what string) iter.Seq2[T, error] {
	return failed[T](&Error{
		Code:       codes.InvalidArgument,
		Reason:     ReasonInvalidFilter,
		Message:    "lists of " + what + " take no filter",
		Violations: []Violation{{Field: "filter", Description: "must be empty"}},
	})
}

// int32Arg refuses what the API cannot carry, instead of wrapping it around.
func int32Arg(name string, n int) (int32, error) {
	if n < 0 || n > math.MaxInt32 {
		return 0, invalidArg(name, fmt.Sprintf("must be between 0 and %d, is %d", math.MaxInt32, n))
	}
	return int32(n), nil
}

// invalidArg is the error of an argument that makes no sense, found before it is sent.
func invalidArg(name, text string) error {
	return &Error{
		Code:       codes.InvalidArgument,
		Reason:     ReasonInvalidField,
		Message:    name + " " + text,
		Violations: []Violation{{Field: name, Description: text}},
	}
}

// timeFrom returns the zero time for an absent timestamp.
func timeFrom(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

// mapSlice keeps nil as nil.
func mapSlice[P, T any](in []P, convert func(P) T) []T {
	if in == nil {
		return nil
	}
	out := make([]T, len(in))
	for i, v := range in {
		out[i] = convert(v)
	}
	return out
}

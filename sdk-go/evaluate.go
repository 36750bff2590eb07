package autan

import (
	"context"
	"fmt"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// ExpressionLanguage says how the text of an expression is to be read.
type ExpressionLanguage int32

// Languages of expressions.
const (
	// Template is as in a document: expressions in `<% %>` or `{{ }}`, with or without text around.
	Template ExpressionLanguage = 0
	// YAQL is one YAQL expression without `<% %>`.
	YAQL ExpressionLanguage = 1
	// Jinja is one Jinja2 expression without `{{ }}`.
	Jinja ExpressionLanguage = 2
)

// ExpressionError is a fault of an expression, with its place in the text. It comes from
// [Client.Evaluate] only.
type ExpressionError struct {
	// Message is for people.
	Message string
	// Syntax says that the text does not parse; otherwise its evaluation failed.
	Syntax bool
	// Offset is where it begins, in characters from 0.
	Offset int
	// Length is in characters; 0 if only the beginning is known.
	Length int
	// Line and Column count from 1, columns in characters.
	Line, Column int
	// Excerpt is the line with carets below, several lines of text.
	Excerpt string
}

// Error returns line, column and message in one line.
func (e *ExpressionError) Error() string {
	return fmt.Sprintf("autan: %d:%d: %s", e.Line, e.Column, e.Message)
}

type evaluateConfig struct {
	env      any
	language ExpressionLanguage
}

type languageOption ExpressionLanguage

func (o languageOption) evaluate(c *evaluateConfig) { c.language = ExpressionLanguage(o) }

// WithLanguage says how to read the text of an expression; [Template] without it.
func WithLanguage(language ExpressionLanguage) EvaluateOption { return languageOption(language) }

// Evaluate evaluates an expression of at most 64 KiB over given data, as a document would. The data
// is what `$` and `_` are: anything that encodes to JSON; nil is {}. [WithEnv] says what env()
// gives; what looks at a running workflow, such as task(), is not known.
//
// Errors: an [*ExpressionError] if there is no value, otherwise INVALID_FIELD, PAYLOAD_INVALID,
// PAYLOAD_TOO_LARGE.
func (c *Client) Evaluate(
	ctx context.Context, expression string, data any, opts ...EvaluateOption,
) (*Payload, error) {
	var cfg evaluateConfig
	for _, opt := range opts {
		opt.evaluate(&cfg)
	}
	payload, err := encodePayload(data)
	if err != nil {
		return nil, err
	}
	env, err := encodePayload(cfg.env)
	if err != nil {
		return nil, err
	}
	r, err := c.workflows.EvaluateExpression(ctx, &pb.EvaluateExpressionRequest{
		Project:    c.project,
		Expression: expression,
		Language:   pb.ExpressionLanguage(cfg.language),
		Context:    payload,
		Env:        env,
	})
	if err != nil {
		return nil, err
	}
	if e := r.GetError(); e != nil {
		return nil, &ExpressionError{
			Message: e.GetMessage(),
			Syntax:  e.GetSyntax(),
			Offset:  int(e.GetOffset()),
			Length:  int(e.GetLength()),
			Line:    int(e.GetLine()),
			Column:  int(e.GetColumn()),
			Excerpt: e.GetExcerpt(),
		}
	}
	return payloadFrom(r.GetValue()), nil
}

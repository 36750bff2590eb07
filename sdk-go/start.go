package autan

import (
	"context"
	"maps"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

type startConfig struct {
	request *pb.StartExecutionRequest
	params  map[string]any
	err     error
}

type startFunc func(*startConfig)

func (f startFunc) start(c *startConfig) { f(c) }

// WithID chooses the id of the execution: at most 255 bytes of printable characters, unique in the
// project. Starting with the id of an existing execution returns that one, unchanged, and
// [Execution.Started] is false; so an id taken from your own data starts a thing only once.
func WithID(id string) StartOption {
	return startFunc(func(c *startConfig) { c.request.ExecutionId = id })
}

// WithFailIfExists makes the start fail with EXECUTION_ALREADY_EXISTS if the id given by [WithID]
// exists.
func WithFailIfExists() StartOption {
	return startFunc(func(c *startConfig) {
		c.request.IdConflictPolicy = pb.IdConflictPolicy_ID_CONFLICT_POLICY_FAIL
	})
}

// WithNamespace looks for the workflow in this namespace; the default one without it.
func WithNamespace(namespace string) StartOption {
	return startFunc(func(c *startConfig) { c.request.WorkflowNamespace = namespace })
}

// WithRevision starts this revision of the workflow; the latest one without it.
func WithRevision(revision int) StartOption {
	return startFunc(func(c *startConfig) {
		c.request.WorkflowRevision, c.err = int32Arg("revision", revision)
	})
}

// WithTargetTask names the task that a reverse workflow is to reach; required there.
func WithTargetTask(task string) StartOption {
	return startFunc(func(c *startConfig) { c.params["task_name"] = task })
}

// WithParams adds start parameters: "env", "evaluate_env", "task_name", "notify", and free ones,
// which the workflow reads as execution().params.
func WithParams(params map[string]any) StartOption {
	return startFunc(func(c *startConfig) { maps.Copy(c.params, params) })
}

// WithLabel adds a label, for filtering; at most 64, keys of at most 63 bytes, values of at most
// 255.
func WithLabel(key, value string) StartOption {
	return startFunc(func(c *startConfig) {
		if c.request.Labels == nil {
			c.request.Labels = map[string]string{}
		}
		c.request.Labels[key] = value
	})
}

// WithDescription adds free text; at most 4 KiB.
func WithDescription(text string) StartOption {
	return startFunc(func(c *startConfig) { c.request.Description = text })
}

// Start starts a workflow by its full name. It returns after the start is durable.
//
// The input must encode to a JSON object with the declared inputs: a struct, a map, a
// [json.RawMessage]; nil is {}. The call is safe to repeat with the same [WithID] or
// [WithRequestID], and the client's own retries never start twice. With [WithValidateOnly] nothing
// is started, and the handle names no execution.
//
// Errors: WORKFLOW_NOT_FOUND, INPUT_MISMATCH, EXECUTION_ALREADY_EXISTS, PAYLOAD_INVALID,
// PAYLOAD_TOO_LARGE, REQUEST_ID_REUSED, STORE_UNAVAILABLE.
func (c *Client) Start(
	ctx context.Context, workflow string, input any, opts ...StartOption,
) (*Execution, error) {
	cfg := startConfig{
		request: &pb.StartExecutionRequest{Project: c.project, WorkflowName: workflow},
		params:  map[string]any{},
	}
	for _, opt := range opts {
		opt.start(&cfg)
		if cfg.err != nil {
			return nil, cfg.err
		}
	}
	if cfg.request.RequestId == "" {
		cfg.request.RequestId = newRequestID()
	}
	var err error
	if cfg.request.Input, err = encodePayload(input); err != nil {
		return nil, err
	}
	if len(cfg.params) > 0 {
		if cfg.request.Params, err = encodePayload(cfg.params); err != nil {
			return nil, err
		}
	}
	r, err := c.executions.StartExecution(ctx, cfg.request)
	if err != nil {
		return nil, err
	}
	return &Execution{
		client:  c,
		id:      r.GetExecution().GetExecutionId(),
		uid:     r.GetExecution().GetUid(),
		started: r.GetStarted(),
	}, nil
}

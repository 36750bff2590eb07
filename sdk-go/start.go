package autan

import (
	"context"
	"maps"

	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// launchConfig collects the options of a start and of a run of an action.
type launchConfig struct {
	id            string
	conflict      pb.IdConflictPolicy
	namespace     string
	revision      int32
	params        map[string]any
	environment   string
	env           any
	labels        map[string]string
	description   string
	requestID     string
	validateOnly  bool
	wait          *durationpb.Duration
	timeout       *durationpb.Duration
	target        string
	isSynchronous bool
	isDiscarded   bool
	err           error
}

type startFunc func(*launchConfig)

func (f startFunc) start(c *launchConfig) { f(c) }

type runFunc func(*launchConfig)

func (f runFunc) run(c *launchConfig) { f(c) }

type launchFunc func(*launchConfig)

func (f launchFunc) start(c *launchConfig) { f(c) }
func (f launchFunc) run(c *launchConfig)   { f(c) }

// WithID chooses the id of the execution: at most 255 bytes of printable characters, unique in the
// project. Starting with the id of an existing execution returns that one, unchanged, and
// [Execution.Started] is false; so an id taken from your own data starts a thing only once.
func WithID(id string) LaunchOption {
	return launchFunc(func(c *launchConfig) { c.id = id })
}

// WithFailIfExists makes the start fail with EXECUTION_ALREADY_EXISTS if the id given by [WithID]
// exists.
func WithFailIfExists() LaunchOption {
	return launchFunc(func(c *launchConfig) {
		c.conflict = pb.IdConflictPolicy_ID_CONFLICT_POLICY_FAIL
	})
}

// WithNamespace looks for the workflow or action in this namespace; the default one without it.
func WithNamespace(namespace string) LaunchOption {
	return launchFunc(func(c *launchConfig) { c.namespace = namespace })
}

// WithRevision starts this revision of the workflow; the latest one without it.
func WithRevision(revision int) StartOption {
	return startFunc(func(c *launchConfig) { c.revision, c.err = int32Arg("revision", revision) })
}

// WithTargetTask names the task that a reverse workflow is to reach; required there.
func WithTargetTask(task string) StartOption {
	return startFunc(func(c *launchConfig) { c.params["task_name"] = task })
}

// WithPriority lets calls of the execution go before those of executions with a lower priority,
// where they wait for workers: -100 to 100; 0 without it. Sub-workflows have that of their parent.
func WithPriority(priority int) StartOption {
	return startFunc(func(c *launchConfig) { c.params["priority"] = priority })
}

// WithParams adds start parameters: "evaluate_env", "task_name", "notify", and free ones, which the
// workflow reads as execution().params. "env" may be among them, unless [WithEnv] or
// [WithEnvironment] is given.
func WithParams(params map[string]any) StartOption {
	return startFunc(func(c *launchConfig) { maps.Copy(c.params, params) })
}

// WithEnvironment gives the execution a copy of this stored environment, which expressions read as
// env(). It excludes [WithEnv].
func WithEnvironment(name string) LaunchOption {
	return launchFunc(func(c *launchConfig) { c.environment = name })
}

// WithLabel adds a label, for filtering; at most 64, keys of at most 63 bytes, values of at most
// 255.
func WithLabel(key, value string) LaunchOption {
	return launchFunc(func(c *launchConfig) { c.labels[key] = value })
}

// WithDescription adds free text; at most 4 KiB.
func WithDescription(text string) LaunchOption {
	return launchFunc(func(c *launchConfig) { c.description = text })
}

// Start starts a workflow by its full name. It returns after the start is durable.
//
// The input must encode to a JSON object with the declared inputs: a struct, a map, a
// [json.RawMessage]; nil is {}. The call is safe to repeat with the same [WithID] or
// [WithRequestID], and the client's own retries never start twice. With [WithValidateOnly] nothing
// is started, and the handle names no execution.
//
// Errors: WORKFLOW_NOT_FOUND, ENVIRONMENT_NOT_FOUND, INPUT_MISMATCH, EXPRESSION_FAILED,
// EXECUTION_ALREADY_EXISTS, PAYLOAD_INVALID, PAYLOAD_TOO_LARGE, REQUEST_ID_REUSED,
// STORE_UNAVAILABLE.
func (c *Client) Start(
	ctx context.Context, workflow string, input any, opts ...StartOption,
) (*Execution, error) {
	cfg, env, err := launch(opts, StartOption.start)
	if err != nil {
		return nil, err
	}
	request := &pb.StartExecutionRequest{
		Project:           c.project,
		WorkflowNamespace: cfg.namespace,
		WorkflowName:      workflow,
		WorkflowRevision:  cfg.revision,
		ExecutionId:       cfg.id,
		Labels:            cfg.labels,
		Description:       cfg.description,
		IdConflictPolicy:  cfg.conflict,
		RequestId:         cfg.requestID,
		ValidateOnly:      cfg.validateOnly,
	}
	if request.Input, err = encodePayload(input); err != nil {
		return nil, err
	}
	if len(cfg.params) > 0 {
		if request.Params, err = encodePayload(cfg.params); err != nil {
			return nil, err
		}
	}
	switch {
	case cfg.environment != "":
		request.Environment = &pb.StartExecutionRequest_EnvironmentName{
			EnvironmentName: cfg.environment,
		}
	case env != nil:
		request.Environment = &pb.StartExecutionRequest_EnvironmentVariables{
			EnvironmentVariables: env,
		}
	}
	r, err := c.executions.StartExecution(ctx, request)
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

// launch applies options to a fresh configuration with a request id, and encodes its variables.
func launch[O any](opts []O, apply func(O, *launchConfig)) (launchConfig, *pb.Payload, error) {
	cfg := launchConfig{params: map[string]any{}, labels: map[string]string{}}
	for _, opt := range opts {
		apply(opt, &cfg)
		if cfg.err != nil {
			return cfg, nil, cfg.err
		}
	}
	if cfg.requestID == "" {
		cfg.requestID = newRequestID()
	}
	if cfg.environment != "" && cfg.env != nil {
		return cfg, nil, invalidArg("environment", "is given by name and as variables")
	}
	env, err := encodePayload(cfg.env)
	return cfg, env, err
}

package autan

import "google.golang.org/protobuf/types/known/fieldmaskpb"

// callConfig collects the options of one call. Which options a call takes is a matter of types:
// each option implements the interfaces of the calls that heed it.
type callConfig struct {
	requestID     string
	reason        string
	etag          string
	env           any
	taskID        string
	reset         bool
	input         any
	timeoutsRun   bool
	result        any
	hasResult     bool
	force         bool
	allowMissing  bool
	allowExisting bool
	strict        bool
	validateOnly  bool
}

// StartOption changes [Client.Start].
type StartOption interface{ start(*launchConfig) }

// RunOption changes [Client.RunAction].
type RunOption interface{ run(*launchConfig) }

// LaunchOption changes [Client.Start] and [Client.RunAction].
type LaunchOption interface {
	StartOption
	RunOption
}

// EvaluateOption changes [Client.Evaluate].
type EvaluateOption interface{ evaluate(*evaluateConfig) }

// GetOption changes a call such as [Execution.Get].
type GetOption interface{ get(*getConfig) }

// VerbOption changes a call such as [Execution.Cancel].
type VerbOption interface {
	PauseOption
	ResumeOption
	RerunOption
	RollbackOption
	SkipOption
	DeleteOption
	verb(*callConfig)
}

// PauseOption changes [Execution.Pause].
type PauseOption interface{ pause(*callConfig) }

// ResumeOption changes [Execution.Resume].
type ResumeOption interface{ resume(*callConfig) }

// RerunOption changes [Execution.Rerun].
type RerunOption interface{ rerun(*callConfig) }

// RollbackOption changes [Execution.Rollback].
type RollbackOption interface{ rollback(*callConfig) }

// SkipOption changes [Client.SkipTask].
type SkipOption interface{ skip(*callConfig) }

// DeleteOption changes [Execution.Delete].
type DeleteOption interface{ delete(*callConfig) }

// DefineOption changes the creation and the update of workflows and workbooks.
type DefineOption interface {
	CreateOption
	UpdateOption
	define(*callConfig)
}

// CreateOption changes [Workflows.Create], [Actions.Create] and [Environments.Create].
type CreateOption interface{ create(*callConfig) }

// UpdateOption changes an update, as [Workflows.Update].
type UpdateOption interface{ update(*callConfig) }

// RemoveOption changes the deletion of what is defined, as [Workflows.Delete].
type RemoveOption interface{ remove(*callConfig) }

// Option is an option of every call that changes something.
type Option interface {
	LaunchOption
	VerbOption
	DefineOption
	RemoveOption
}

type requestIDOption string

func (o requestIDOption) start(c *launchConfig)  { c.requestID = string(o) }
func (o requestIDOption) run(c *launchConfig)    { c.requestID = string(o) }
func (o requestIDOption) verb(c *callConfig)     { c.requestID = string(o) }
func (o requestIDOption) pause(c *callConfig)    { c.requestID = string(o) }
func (o requestIDOption) resume(c *callConfig)   { c.requestID = string(o) }
func (o requestIDOption) rerun(c *callConfig)    { c.requestID = string(o) }
func (o requestIDOption) skip(c *callConfig)     { c.requestID = string(o) }
func (o requestIDOption) delete(c *callConfig)   { c.requestID = string(o) }
func (o requestIDOption) define(c *callConfig)   { c.requestID = string(o) }
func (o requestIDOption) create(c *callConfig)   { c.requestID = string(o) }
func (o requestIDOption) update(c *callConfig)   { c.requestID = string(o) }
func (o requestIDOption) remove(c *callConfig)   { c.requestID = string(o) }
func (o requestIDOption) rollback(c *callConfig) { c.requestID = string(o) }

// WithRequestID sets the id that makes a call idempotent: a call with the same id and the same
// content has the outcome of the first one, for 24 hours. The id must be a UUID. Without this
// option the client makes one up for each call, which is enough for its own retries; give one to be
// safe across restarts of your process.
//
// Errors: REQUEST_ID_REUSED if the id was used with other content.
func WithRequestID(id string) Option { return requestIDOption(id) }

type reasonOption string

func (o reasonOption) verb(c *callConfig)     { c.reason = string(o) }
func (o reasonOption) pause(c *callConfig)    { c.reason = string(o) }
func (o reasonOption) resume(c *callConfig)   { c.reason = string(o) }
func (o reasonOption) rerun(c *callConfig)    { c.reason = string(o) }
func (o reasonOption) skip(c *callConfig)     { c.reason = string(o) }
func (o reasonOption) delete(c *callConfig)   { c.reason = string(o) }
func (o reasonOption) rollback(c *callConfig) { c.reason = string(o) }

// WithReason says why, for the record; at most 4 KiB. Cancel and Stop also show it as state info.
func WithReason(reason string) VerbOption { return reasonOption(reason) }

type envOption struct{ env any }

func (o envOption) start(c *launchConfig)      { c.env = o.env }
func (o envOption) run(c *launchConfig)        { c.env = o.env }
func (o envOption) evaluate(c *evaluateConfig) { c.env = o.env }
func (o envOption) resume(c *callConfig)       { c.env = o.env }
func (o envOption) rerun(c *callConfig)        { c.env = o.env }

// WithEnv sets the environment at the start and of an evaluation, or merges variables into it at
// resume and rerun. The value must encode to a JSON object.
func WithEnv(env any) interface {
	LaunchOption
	EvaluateOption
	ResumeOption
	RerunOption
} {
	return envOption{env}
}

type taskOption string

func (o taskOption) rerun(c *callConfig) { c.taskID = string(o) }

// WithTask reruns this task execution only, instead of all that have ended the execution.
func WithTask(taskExecutionID string) RerunOption { return taskOption(taskExecutionID) }

type toTaskOption string

func (o toTaskOption) rollback(c *callConfig) { c.taskID = string(o) }

// WithToTask undoes only what this task execution has led to; the execution is then paused there.
func WithToTask(taskExecutionID string) RollbackOption { return toTaskOption(taskExecutionID) }

type timeoutsRunOption struct{}

func (timeoutsRunOption) pause(c *callConfig) { c.timeoutsRun = true }

// WithTimeoutsRunning lets the timeouts of tasks go on while the execution is paused; one that
// passes meanwhile strikes at the resume.
func WithTimeoutsRunning() PauseOption { return timeoutsRunOption{} }

type taskInputOption struct{ input any }

func (o taskInputOption) rerun(c *callConfig) { c.input = o.input }

// WithTaskInput replaces fields of the input of the task that [WithTask] names, in its first
// attempt. The value must encode to a JSON object.
func WithTaskInput(input any) RerunOption { return taskInputOption{input} }

type resetOption struct{}

func (resetOption) rerun(c *callConfig) { c.reset = true }

// WithReset reruns all items of with-items tasks, not only those that failed or never began.
func WithReset() RerunOption { return resetOption{} }

type resultOption struct{ result any }

func (o resultOption) skip(c *callConfig) { c.result, c.hasResult = o.result, true }

// WithResult says what counts as the result of a skipped task: anything that encodes to JSON.
func WithResult(result any) SkipOption { return resultOption{result} }

// DeletionOption changes the deletion of anything.
type DeletionOption interface {
	DeleteOption
	RemoveOption
}

type forceOption struct{}

func (forceOption) delete(c *callConfig) { c.force = true }
func (forceOption) remove(c *callConfig) { c.force = true }

// WithForce deletes what is in use: an execution that is not finished, a workflow with running
// executions.
func WithForce() DeletionOption { return forceOption{} }

type allowMissingOption struct{}

func (allowMissingOption) delete(c *callConfig) { c.allowMissing = true }
func (allowMissingOption) remove(c *callConfig) { c.allowMissing = true }

// WithAllowMissing makes a deletion succeed if there is no such thing.
func WithAllowMissing() DeletionOption { return allowMissingOption{} }

type etagOption string

func (o etagOption) update(c *callConfig) { c.etag = string(o) }
func (o etagOption) remove(c *callConfig) { c.etag = string(o) }

// WithETag makes an update or deletion fail with ETAG_MISMATCH if somebody has changed the
// definition since the etag was read. With an update, the document must hold one workflow only.
func WithETag(etag string) interface {
	UpdateOption
	RemoveOption
} {
	return etagOption(etag)
}

type strictOption struct{}

func (strictOption) define(c *callConfig) { c.strict = true }
func (strictOption) create(c *callConfig) { c.strict = true }
func (strictOption) update(c *callConfig) { c.strict = true }

// WithStrict treats warnings about the document as errors.
func WithStrict() DefineOption { return strictOption{} }

type validateOnlyOption struct{}

func (validateOnlyOption) start(c *launchConfig) { c.validateOnly = true }
func (validateOnlyOption) run(c *launchConfig)   { c.validateOnly = true }
func (validateOnlyOption) define(c *callConfig)  { c.validateOnly = true }
func (validateOnlyOption) create(c *callConfig)  { c.validateOnly = true }
func (validateOnlyOption) update(c *callConfig)  { c.validateOnly = true }

// WithValidateOnly checks everything as the call would, and changes nothing.
func WithValidateOnly() interface {
	LaunchOption
	DefineOption
} {
	return validateOnlyOption{}
}

type allowExistingOption struct{}

func (allowExistingOption) create(c *callConfig) { c.allowExisting = true }

// WithAllowExisting makes a creation add a revision where a workflow or action of that name exists,
// or replace the environment, instead of failing: "create or update".
func WithAllowExisting() CreateOption { return allowExistingOption{} }

type getConfig struct{ payloads []string }

type payloadsOption []string

func (o payloadsOption) get(c *getConfig) { c.payloads = append(c.payloads, o...) }

// WithOnly brings these payloads only, by the names of the fields in the contract, such as
// "input": for what would be too large together. Other fields are there as ever. The names stand
// with each method.
func WithOnly(names ...string) GetOption { return payloadsOption(names) }

// readMask is what the options of a look choose; nil chooses all.
func readMask(opts []GetOption) *fieldmaskpb.FieldMask {
	var cfg getConfig
	for _, opt := range opts {
		opt.get(&cfg)
	}
	if len(cfg.payloads) == 0 {
		return nil
	}
	return &fieldmaskpb.FieldMask{Paths: cfg.payloads}
}

// collect applies options to a fresh configuration with a request id.
func collect[O any](opts []O, apply func(O, *callConfig)) callConfig {
	var c callConfig
	for _, opt := range opts {
		apply(opt, &c)
	}
	if c.requestID == "" {
		c.requestID = newRequestID()
	}
	return c
}

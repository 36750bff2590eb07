package define

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// TaskBuilder is a task. Make one with [Action], [Subworkflow] or [Noop]; its methods change it and
// return it.
type TaskBuilder struct {
	body      builder
	withItems []string
	branch    *mapping // published to the tasks after it
	global    *mapping // published to the whole execution
	next      map[string]sequence
	publish   builder // collects the faults of published values
}

func newTask() *TaskBuilder {
	return &TaskBuilder{
		branch: newMapping(), global: newMapping(), next: map[string]sequence{},
	}
}

// Action begins a task that runs an action. The name may be an expression.
func Action(name string) *TaskBuilder { return newTask().Set("action", name) }

// Subworkflow begins a task that runs another workflow. The name may be an expression.
func Subworkflow(name string) *TaskBuilder { return newTask().Set("workflow", name) }

// Noop begins a task that does nothing but lead on.
func Noop() *TaskBuilder { return newTask() }

// Description sets free text.
func (t *TaskBuilder) Description(text string) *TaskBuilder { return t.Set("description", text) }

// Tags sets tags.
func (t *TaskBuilder) Tags(tags ...string) *TaskBuilder { return t.Set("tags", tags) }

// Input sets an input of the action or sub-workflow.
func (t *TaskBuilder) Input(name string, value any) *TaskBuilder {
	t.body.put("input", name, value)
	return t
}

// WithItems runs the task once for each element of a list: expression is "<% $.list %>" or a JSON
// array; name is how inputs call the element, "<% $.name %>". Several go in step.
func (t *TaskBuilder) WithItems(name, expression string) *TaskBuilder {
	t.withItems = append(t.withItems, name+" in "+expression)
	return t
}

// Concurrency limits how many elements of [TaskBuilder.WithItems] run at a time.
func (t *TaskBuilder) Concurrency(n int) *TaskBuilder { return t.Set("concurrency", n) }

// Publish makes a variable for the tasks after this one, at success.
func (t *TaskBuilder) Publish(name string, value any) *TaskBuilder {
	t.branch.set(name, t.publish.value("publish "+name, value))
	return t
}

// PublishGlobal makes a variable for the whole execution, at success.
func (t *TaskBuilder) PublishGlobal(name string, value any) *TaskBuilder {
	t.global.set(name, t.publish.value("publish "+name, value))
	return t
}

// PublishOnError makes a variable for the tasks after this one, at failure.
func (t *TaskBuilder) PublishOnError(name string, value any) *TaskBuilder {
	t.body.put("publish-on-error", name, value)
	return t
}

// PublishOnSkip makes a variable for the tasks after this one, when it is skipped.
func (t *TaskBuilder) PublishOnSkip(name string, value any) *TaskBuilder {
	t.body.put("publish-on-skip", name, value)
	return t
}

// OnSuccess names what comes after success: tasks, or "succeed", "fail", "pause", "noop".
func (t *TaskBuilder) OnSuccess(targets ...string) *TaskBuilder { return t.on("success", targets) }

// OnSuccessIf names what comes after success if an expression is true.
func (t *TaskBuilder) OnSuccessIf(condition string, targets ...string) *TaskBuilder {
	return t.onIf("success", condition, targets)
}

// OnError names what comes after failure, which it handles.
func (t *TaskBuilder) OnError(targets ...string) *TaskBuilder { return t.on("error", targets) }

// OnErrorIf names what comes after failure if an expression is true.
func (t *TaskBuilder) OnErrorIf(condition string, targets ...string) *TaskBuilder {
	return t.onIf("error", condition, targets)
}

// OnComplete names what comes after success and failure; it does not handle the failure.
func (t *TaskBuilder) OnComplete(targets ...string) *TaskBuilder {
	return t.on("complete", targets)
}

// OnCompleteIf names what comes after success and failure if an expression is true.
func (t *TaskBuilder) OnCompleteIf(condition string, targets ...string) *TaskBuilder {
	return t.onIf("complete", condition, targets)
}

// OnSkip names what comes after the task if it is skipped, instead of what comes after success.
func (t *TaskBuilder) OnSkip(targets ...string) *TaskBuilder { return t.on("skip", targets) }

// OnSkipIf names what comes after the task if it is skipped and an expression is true.
func (t *TaskBuilder) OnSkipIf(condition string, targets ...string) *TaskBuilder {
	return t.onIf("skip", condition, targets)
}

// Fail is a target that ends the execution in ERROR with a message, which may hold expressions and
// one kind of quotes.
func Fail(message string) string {
	if strings.Contains(message, `"`) {
		return "fail msg='" + message + "'"
	}
	return `fail msg="` + message + `"`
}

// JoinAll waits for all tasks that lead here.
func (t *TaskBuilder) JoinAll() *TaskBuilder { return t.Set("join", "all") }

// JoinOne goes on with the first task that leads here.
func (t *TaskBuilder) JoinOne() *TaskBuilder { return t.Set("join", "one") }

// Join waits for n of the tasks that lead here.
func (t *TaskBuilder) Join(n int) *TaskBuilder { return t.Set("join", n) }

// Requires names the tasks that must succeed before, in reverse workflows.
func (t *TaskBuilder) Requires(tasks ...string) *TaskBuilder { return t.Set("requires", tasks) }

// Retry says how a failed task is tried again.
type Retry struct {
	// Count is how many more attempts there are after the first.
	Count int
	// Delay is the pause before each, in whole seconds.
	Delay time.Duration
	// BreakOn is an expression; attempts end when it is true. Empty for none.
	BreakOn string
	// ContinueOn is an expression; attempts go on after success while it is true, and end when it
	// is false. Empty for none.
	ContinueOn string
}

// Retry sets how the task is tried again.
func (t *TaskBuilder) Retry(r Retry) *TaskBuilder {
	policy := newMapping()
	policy.set("count", t.body.value("retry count", r.Count))
	policy.set("delay", t.seconds("retry delay", r.Delay))
	if r.BreakOn != "" {
		policy.set("break-on", r.BreakOn)
	}
	if r.ContinueOn != "" {
		policy.set("continue-on", r.ContinueOn)
	}
	t.body.setNode("retry", policy)
	return t
}

// WaitBefore waits before the task, whole seconds.
func (t *TaskBuilder) WaitBefore(d time.Duration) *TaskBuilder {
	return t.setSeconds("wait-before", d)
}

// WaitAfter waits after the task, whole seconds.
func (t *TaskBuilder) WaitAfter(d time.Duration) *TaskBuilder {
	return t.setSeconds("wait-after", d)
}

// Timeout fails the task after this time, whole seconds, waits and retries included.
func (t *TaskBuilder) Timeout(d time.Duration) *TaskBuilder { return t.setSeconds("timeout", d) }

// StartToClose fails an attempt of a worker that takes longer than this, whole seconds.
func (t *TaskBuilder) StartToClose(d time.Duration) *TaskBuilder {
	return t.setSeconds("start-to-close", d)
}

// ScheduleToStart fails the task if no worker takes it for so long, whole seconds.
func (t *TaskBuilder) ScheduleToStart(d time.Duration) *TaskBuilder {
	return t.setSeconds("schedule-to-start", d)
}

// Heartbeat hands an attempt out again whose worker says nothing of it for so long, whole seconds.
func (t *TaskBuilder) Heartbeat(d time.Duration) *TaskBuilder {
	return t.setSeconds("heartbeat", d)
}

// PauseBefore pauses the execution before the task.
func (t *TaskBuilder) PauseBefore() *TaskBuilder { return t.Set("pause-before", true) }

// FailOn fails the task after success if an expression is true.
func (t *TaskBuilder) FailOn(condition string) *TaskBuilder { return t.Set("fail-on", condition) }

// Target runs the action on workers of this name: a text or an expression.
func (t *TaskBuilder) Target(name string) *TaskBuilder { return t.Set("target", name) }

// ActionVersion runs the action only on workers that provide this version of it: a text or an
// expression.
func (t *TaskBuilder) ActionVersion(version string) *TaskBuilder {
	return t.Set("action-version", version)
}

// AffinityKey prefers the worker that others with the same text prefer: a text or an expression.
func (t *TaskBuilder) AffinityKey(key string) *TaskBuilder { return t.Set("affinity-key", key) }

// SafeRerun says that the action may be run again when nobody knows whether it ran.
func (t *TaskBuilder) SafeRerun() *TaskBuilder { return t.Set("safe-rerun", true) }

// DiscardResult forgets the result once it has been published.
func (t *TaskBuilder) DiscardResult() *TaskBuilder { return t.Set("keep-result", false) }

// Rollback says what undoes the task when the execution is rolled back. Of undo count the action or
// workflow, its input, retry, times, and which worker it is for; anything else is refused by the
// server.
func (t *TaskBuilder) Rollback(undo *TaskBuilder) *TaskBuilder {
	body, err := undo.render("rollback")
	if err != nil {
		t.body.faults = append(t.body.faults, err)
	}
	t.body.setNode("rollback", body)
	return t
}

// Set sets any key of the task, for those that have no method here, and for expressions where a
// method takes a number: Set("wait-before", "<% $.delay %>").
func (t *TaskBuilder) Set(key string, value any) *TaskBuilder {
	t.body.set(key, value)
	return t
}

func (t *TaskBuilder) setSeconds(key string, d time.Duration) *TaskBuilder {
	t.body.setNode(key, t.seconds(key, d))
	return t
}

func (t *TaskBuilder) seconds(what string, d time.Duration) node {
	if d < 0 || d%time.Second != 0 {
		t.body.fault(what, fmt.Errorf("%v is not a whole number of seconds from 0", d))
	}
	return t.body.value(what, int64(d/time.Second))
}

func (t *TaskBuilder) on(event string, targets []string) *TaskBuilder {
	for _, target := range targets {
		t.checkTarget(event, target)
		t.next[event] = append(t.next[event], target)
	}
	return t
}

func (t *TaskBuilder) onIf(event, condition string, targets []string) *TaskBuilder {
	for _, target := range targets {
		t.checkTarget(event, target)
		item := newMapping()
		item.set(target, condition)
		t.next[event] = append(t.next[event], item)
	}
	return t
}

// targetForm is a name, or a name with parameters.
var targetForm = regexp.MustCompile(
	`^[^\s"'=(]+( +[\w-]+=("[^"]*"|'[^']*'|<%.*?%>|\{\{.*?\}\}|\[.*\]|true|false|null|\d+))*$`)

func (t *TaskBuilder) checkTarget(event, target string) {
	if !targetForm.MatchString(target) {
		t.body.fault("on-"+event, fmt.Errorf("%q cannot be a target: want a name, or a name with "+
			"parameters such as %s (a text holds one kind of quotes)", target, Fail("why")))
	}
}

// render returns the body of the task. It does not change the builder, which may be used twice.
func (t *TaskBuilder) render(where string) (*mapping, error) {
	out := newMapping()
	for _, key := range []string{"description", "tags", "requires", "join"} {
		t.body.move(out, key)
	}
	switch len(t.withItems) {
	case 0:
	case 1:
		out.set("with-items", t.withItems[0])
	default:
		out.set("with-items", texts(t.withItems))
	}
	for _, key := range []string{"action", "workflow", "input"} {
		t.body.move(out, key)
	}
	t.body.moveRest(out, "publish-on-error", "publish-on-skip")
	// With a global variable everything is published in the long form of on-success: the language
	// drops the short `publish` beside a long one that names only globals.
	long := len(t.global.keys) > 0
	if len(t.branch.keys) > 0 && !long {
		out.set("publish", t.branch)
	}
	t.body.move(out, "publish-on-error")
	t.body.move(out, "publish-on-skip")
	for _, event := range []string{"success", "error", "complete", "skip"} {
		targets := t.next[event]
		switch {
		case event == "success" && long:
			out.set("on-success", t.longForm(targets))
		case len(targets) > 0:
			out.set("on-"+event, targets)
		}
	}
	return out, errors.Join(t.body.err(where), t.publish.err(where))
}

func (t *TaskBuilder) longForm(targets sequence) *mapping {
	publish := newMapping()
	if len(t.branch.keys) > 0 {
		publish.set("branch", t.branch)
	}
	publish.set("global", t.global)
	clause := newMapping()
	clause.set("publish", publish)
	if len(targets) > 0 {
		clause.set("next", targets)
	}
	return clause
}

package autan_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	autan "github.com/autan-dev/autan/sdk-go"
	"github.com/autan-dev/autan/sdk-go/autantest"
	"github.com/autan-dev/autan/sdk-go/define"
)

// These tests run against the real server; see package autantest for where it comes from.

// limited ends what hangs.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// create renders workflows and stores them.
func create(ctx context.Context, t *testing.T, c *autan.Client, w ...*define.WorkflowBuilder) {
	t.Helper()
	source, err := define.Document(w...).Source()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Workflows().Create(ctx, source, autan.WithAllowExisting()); err != nil {
		t.Fatalf("%v in\n%s", err, source)
	}
}

// collected drains a list.
func collected[T any](t *testing.T, list func(func(T, error) bool)) []T {
	t.Helper()
	var out []T
	for row, err := range list {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}

func greeting() *define.WorkflowBuilder {
	return define.Workflow("greet").
		Input("name").
		InputDefault("times", 1).
		Output("text", "<% $.text %>").
		Output("times", "<% $.times %>").
		Task("say", define.Action("std.echo").
			Input("output", "Hello, <% $.name %>").
			Publish("text", "<% task().result %>").
			OnSuccess("rest")).
		Task("rest", define.Noop())
}

// approval waits for an action that is completed from outside.
func approval() *define.WorkflowBuilder {
	return define.Workflow("approve").
		Output("answer", "<% $.answer %>").
		Task("ask", define.Action("std.async_noop").
			Publish("answer", "<% task().result %>").
			OnSuccess("done")).
		Task("done", define.Noop())
}

func TestLiveRun(t *testing.T) {
	ctx := limited(t)
	c := autantest.StartLocal(t).Dial(t, autan.WithProject("go"))
	create(ctx, t, c, greeting())

	const big = 9007199254740993 // not a double
	run, err := c.Start(ctx, "greet", map[string]any{"name": "Ada", "times": big},
		autan.WithID("greet-ada"), autan.WithLabel("lang", "go"))
	if err != nil {
		t.Fatal(err)
	}
	if !run.Started() || run.ID() != "greet-ada" {
		t.Errorf("got %+v", run)
	}
	var sequence int64
	var last *autan.HistoryEvent
	for event, err := range run.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if sequence++; event.Sequence != sequence {
			t.Fatalf("event %d has sequence %d", sequence, event.Sequence)
		}
		last = event
	}
	if d, ok := last.Detail.(*autan.ExecutionStateChanged); !ok || d.State != autan.ExecutionSuccess {
		t.Errorf("the last event is %s: %+v", last.Type(), last.Detail)
	}
	type greeted struct {
		Text  string
		Times int64
	}
	out, err := autan.Result[greeted](ctx, run)
	if err != nil || out != (greeted{"Hello, Ada", big}) {
		t.Errorf("got %+v, %v", out, err)
	}
	again, err := c.Start(ctx, "greet", map[string]any{"name": "Bob"}, autan.WithID("greet-ada"))
	if err != nil || again.Started() || again.UID() != run.UID() {
		t.Errorf("got %+v, %v", again, err)
	}
	_, err = c.Start(ctx, "greet", map[string]any{"name": "Bob"}, autan.WithID("greet-ada"),
		autan.WithFailIfExists())
	if !autan.IsReason(err, autan.ReasonExecutionAlreadyExists) {
		t.Errorf("got %v", err)
	}

	if tasks := collected(t, run.Tasks(ctx, autan.ListOptions{Full: true})); len(tasks) != 2 ||
		tasks[0].Name != "say" || tasks[0].State != autan.TaskSuccess ||
		tasks[0].Result.String() != `"Hello, Ada"` {
		t.Errorf("got tasks %+v", tasks)
	}
	if actions := collected(t, run.Actions(ctx, autan.ListOptions{})); len(actions) == 0 ||
		actions[0].Name != "std.echo" || !actions[0].Accepted {
		t.Errorf("got actions %+v", actions)
	}
	history := collected(t, run.History(ctx, autan.HistoryOptions{Descending: true, PageSize: 2}))
	if int64(len(history)) != sequence || history[0].Sequence != sequence {
		t.Errorf("got %d events of %d", len(history), sequence)
	}
	if err := run.Delete(ctx); err != nil {
		t.Error(err)
	}
	if _, err := run.Get(ctx); !autan.IsReason(err, autan.ReasonExecutionNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestLiveListAndCount(t *testing.T) {
	ctx := limited(t)
	c := autantest.StartLocal(t).Dial(t)
	create(ctx, t, c, greeting())
	const runs = 7
	for i := range runs {
		run, err := c.Start(ctx, "greet", map[string]any{"name": "x"},
			autan.WithLabel("odd", fmt.Sprint(i%2 == 1)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
	odd := autan.ListOptions{Filter: `labels.odd = "true" AND state = SUCCESS`, PageSize: 2}
	if got := collected(t, c.List(ctx, odd)); len(got) != runs/2 {
		t.Errorf("%d are odd", len(got))
	}
	total, err := c.Count(ctx, "")
	if err != nil || total != runs {
		t.Errorf("got %d, %v", total, err)
	}
	states, err := c.CountByState(ctx, `workflow_name = "gr*"`)
	if err != nil || states["SUCCESS"] != runs {
		t.Errorf("got %v, %v", states, err)
	}
	if _, err := c.Count(ctx, "nonsense ="); !autan.IsReason(err, autan.ReasonInvalidFilter) {
		t.Errorf("got %v", err)
	}
}

const greet = `
version: '2.0'
greet:
  base: std.echo
  base-input:
    output: "<% env().word %>, <% $.who %>!"
  input:
    - who
`

func TestLiveActionsAndEnvironments(t *testing.T) {
	ctx := limited(t)
	c := autantest.StartLocal(t).Dial(t)
	made, err := c.Actions().Create(ctx, greet)
	if err != nil {
		t.Fatal(err)
	}
	if a := made.Actions[0]; a.Name != "greet" || a.Kind != autan.ActionAdhoc || a.Base != "std.echo" {
		t.Errorf("got %+v", a)
	}
	if found := collected(t, c.Actions().List(ctx, autan.ActionAdhoc, autan.ListOptions{})); len(
		found) != 1 {
		t.Errorf("got %v", found)
	}
	err = c.Actions().Delete(ctx, "std.echo")
	if !autan.IsReason(err, autan.ReasonActionIsSystem) {
		t.Errorf("got %v", err)
	}
	first, err := c.Environments().Create(ctx, "polite", "", map[string]any{"word": "x", "y": 1})
	if err != nil {
		t.Fatal(err)
	}
	change := autan.EnvironmentChange{Set: map[string]any{"word": "Hello"}, Remove: []string{"y"}}
	changed, err := c.Environments().Update(ctx, "polite", change, autan.WithETag(first.ETag))
	if err != nil || changed.Variables.String() != `{"word":"Hello"}` {
		t.Errorf("got %v, %v", changed, err)
	}
	err = c.Environments().Delete(ctx, "polite", autan.WithETag(first.ETag))
	if !autan.IsReason(err, autan.ReasonETagMismatch) {
		t.Errorf("got %v", err)
	}
	who := map[string]any{"who": "Ada"}
	run, err := c.RunAction(ctx, "greet", who, autan.WithEnvironment("polite"))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := autan.ActionResult[string](ctx, run); err != nil || text != "Hello, Ada!" {
		t.Errorf("got %q, %v", text, err)
	}
	info, err := run.Get(ctx, autan.WithOnly("input"))
	if err != nil || info.Kind != autan.ExecutionOfAction || info.Input == nil || info.Output != nil {
		t.Errorf("got %+v, %v", info, err)
	}
	_, err = c.RunAction(ctx, "greet", who, autan.WithEnvironment("rude"))
	if !autan.IsReason(err, autan.ReasonEnvironmentNotFound) {
		t.Errorf("got %v", err)
	}
	brief, err := c.RunAction(ctx, "std.echo", map[string]any{"output": 1}, autan.WithDiscard())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := autan.ActionResult[int](ctx, brief); err != nil || n != 1 {
		t.Errorf("got %v, %v", n, err)
	}
	if _, err := brief.Get(ctx); !autan.IsNotFound(err) {
		t.Errorf("got %v", err)
	}
}

func TestLiveActionRunCompletedFromOutside(t *testing.T) {
	ctx := limited(t)
	c := autantest.StartLocal(t).Dial(t)
	run, err := c.RunAction(ctx, "std.async_noop", nil)
	if err != nil || run.Finished {
		t.Fatalf("got %+v, %v", run, err)
	}
	if _, err := c.CompleteActionExecution(ctx, run.Action.ID, 42); err != nil {
		t.Fatal(err)
	}
	if n, err := autan.ActionResult[int](ctx, run); err != nil || n != 42 {
		t.Errorf("got %v, %v", n, err)
	}
}

func TestLiveEvaluate(t *testing.T) {
	ctx := limited(t)
	c := autantest.StartLocal(t).Dial(t)
	value, err := c.Evaluate(ctx, "<% $.a + env().b %>", map[string]int{"a": 1},
		autan.WithEnv(map[string]int{"b": 2}))
	if err != nil || value.String() != "3" {
		t.Errorf("got %v, %v", value, err)
	}
	_, err = c.Evaluate(ctx, "<% $.a + %>", nil)
	var fault *autan.ExpressionError
	if !errors.As(err, &fault) || !fault.Syntax || fault.Line != 1 {
		t.Errorf("got %v", err)
	}
}

// asked returns the action execution that waits for its answer.
func asked(ctx context.Context, t *testing.T, run *autan.Execution) string {
	t.Helper()
	for event, err := range run.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := event.Detail.(*autan.ActionStarted); ok {
			return d.ActionExecutionID
		}
	}
	t.Fatal("no action was started")
	return ""
}

func TestLiveVerbs(t *testing.T) {
	ctx := limited(t)
	c := autantest.StartLocal(t).Dial(t)
	create(ctx, t, c, approval())
	start := func() *autan.Execution {
		run, err := c.Start(ctx, "approve", nil)
		if err != nil {
			t.Fatal(err)
		}
		return run
	}

	run := start()
	action := asked(ctx, t, run)
	info, err := run.Pause(ctx, autan.WithReason("lunch"))
	if err != nil || info.State != autan.ExecutionPaused {
		t.Fatalf("got %+v, %v", info, err)
	}
	if info, err = run.Resume(ctx); err != nil || info.State != autan.ExecutionRunning {
		t.Fatalf("got %+v, %v", info, err)
	}
	if _, err := c.CompleteActionExecution(ctx, action, map[string]any{"yes": true}); err != nil {
		t.Fatal(err)
	}
	out, err := autan.Result[map[string]json.RawMessage](ctx, run)
	if err != nil || string(out["answer"]) != `{"yes":true}` {
		t.Errorf("got %s, %v", out["answer"], err)
	}
	_, err = c.CompleteActionExecution(ctx, action, nil)
	if !autan.IsReason(err, autan.ReasonActionState) {
		t.Errorf("got %v", err)
	}

	run = start()
	if _, err := c.FailActionExecution(ctx, asked(ctx, t, run), errors.New("no way")); err != nil {
		t.Fatal(err)
	}
	_, err = autan.Result[any](ctx, run)
	var ee *autan.ExecutionError
	if !errors.As(err, &ee) || ee.State != autan.ExecutionFailed ||
		!strings.Contains(err.Error(), "ask") {
		t.Errorf("got %v", err)
	}

	run = start()
	if _, err := run.Cancel(ctx, autan.WithReason("changed my mind")); err != nil {
		t.Fatal(err)
	}
	if _, err = autan.Result[any](ctx, run); !errors.As(err, &ee) ||
		ee.State != autan.ExecutionCancelled {
		t.Errorf("got %v", err)
	}
	if _, err := run.Pause(ctx); !autan.IsReason(err, autan.ReasonExecutionState) {
		t.Errorf("got %v", err)
	}

	run = start()
	if _, err := run.Stop(ctx, autan.ExecutionFailed, autan.WithReason("over")); err != nil {
		t.Fatal(err)
	}
	if info, err := run.Wait(ctx); err != nil || info.State != autan.ExecutionFailed ||
		info.StateInfo != "over" {
		t.Errorf("got %+v, %v", info, err)
	}
}

func TestLiveDefinitions(t *testing.T) {
	ctx := limited(t)
	w := autantest.StartLocal(t).Dial(t).Workflows()
	source, err := greeting().Source()
	if err != nil {
		t.Fatal(err)
	}
	made, err := w.Create(ctx, source)
	if err != nil {
		t.Fatal(err)
	}
	first := made.Workflows[0]
	if first.Name != "greet" || first.Revision != 1 || first.Source == "" ||
		!slices.Equal(first.TaskNames, []string{"say", "rest"}) || !first.Input[0].Required {
		t.Errorf("got %+v", first)
	}
	if _, err := w.Create(ctx, source); !autan.IsReason(err, autan.ReasonWorkflowAlreadyExists) {
		t.Errorf("got %v", err)
	}
	changed := strings.Replace(source, "Hello", "Goodbye", 1)
	if _, err := w.Update(ctx, changed, autan.WithETag(first.ETag)); err != nil {
		t.Error(err)
	}
	_, err = w.Update(ctx, source, autan.WithETag(first.ETag))
	if !autan.IsReason(err, autan.ReasonETagMismatch) {
		t.Errorf("got %v", err)
	}
	if old, err := w.GetRevision(ctx, "greet", 1); err != nil || old.Source != first.Source {
		t.Errorf("got %+v, %v", old, err)
	}
	if all := collected(t, w.ListRevisions(ctx, "greet", autan.ListOptions{})); len(all) != 2 ||
		all[0].Revision != 2 {
		t.Errorf("got %+v", all)
	}
	bad, err := w.Validate(ctx, "version: '2.0'\nw:\n  tasks:\n    t: {on-success: nobody}\n",
		autan.KindWorkflows, false)
	if err != nil || bad.Valid || len(bad.Diagnostics) == 0 || bad.Diagnostics[0].Line != 4 {
		t.Errorf("got %+v, %v", bad, err)
	}
	if _, err := w.Create(ctx, "version: '2.0'\nw: {}\n"); !autan.IsInvalid(err) {
		t.Errorf("got %v", err)
	}
	if err := w.Delete(ctx, "greet"); err != nil {
		t.Error(err)
	}
	if _, err := w.Get(ctx, "greet"); !autan.IsReason(err, autan.ReasonWorkflowNotFound) {
		t.Errorf("got %v", err)
	}
	if err := w.Delete(ctx, "greet", autan.WithAllowMissing()); err != nil {
		t.Error(err)
	}
}

// A server that crashes loses nothing, and a stream that follows an execution does not notice.
func TestLiveCrash(t *testing.T) {
	ctx := limited(t)
	data := autantest.WithDataDir(t.TempDir())
	server := autantest.StartLocal(t, data)
	c := server.Dial(t)
	create(ctx, t, c, approval())
	run, err := c.Start(ctx, "approve", nil)
	if err != nil {
		t.Fatal(err)
	}
	crashed := false
	var sequence int64
	for event, err := range run.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if sequence++; event.Sequence != sequence {
			t.Fatalf("event %d has sequence %d", sequence, event.Sequence)
		}
		if d, ok := event.Detail.(*autan.ActionStarted); ok && !crashed {
			crashed = true
			server.Kill()
			autantest.StartLocal(t, data, autantest.WithListen(server.Addr))
			if _, err := c.CompleteActionExecution(ctx, d.ActionExecutionID, "yes"); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := autan.Result[struct{ Answer string }](ctx, run)
	if err != nil || out.Answer != "yes" || !crashed {
		t.Errorf("got %+v, %v", out, err)
	}
}

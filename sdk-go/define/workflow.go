package define

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// DocumentBuilder is a document of workflows. Make one with [Document].
type DocumentBuilder struct{ workflows []*WorkflowBuilder }

// Document puts workflows together, to be created as one.
func Document(workflows ...*WorkflowBuilder) *DocumentBuilder {
	return &DocumentBuilder{workflows}
}

// Source renders the document as YAML.
//
// Errors: everything that was found wrong with it, joined: names that cannot be names, values that
// do not encode to JSON, durations that are not whole seconds.
func (d *DocumentBuilder) Source() (string, error) {
	var faults []error
	if len(d.workflows) == 0 {
		faults = append(faults, errors.New("define: the document has no workflow"))
	}
	root := newMapping()
	root.set("version", "2.0")
	for _, w := range d.workflows {
		if _, ok := root.values[w.name]; ok && w.name != "version" {
			faults = append(faults, fmt.Errorf("define: workflow %q is there twice", w.name))
		}
		body, err := w.render()
		faults = append(faults, err)
		root.set(w.name, body)
	}
	if err := errors.Join(faults...); err != nil {
		return "", err
	}
	var e emitter
	for i, key := range root.keys {
		if i > 0 {
			e.WriteByte('\n') // workflows are easier to find with a line between them
		}
		entry := newMapping()
		entry.set(key, root.values[key])
		e.mapping(entry, 0, false)
	}
	return e.String(), nil
}

// WorkflowBuilder is a workflow. Make one with [Workflow]; its methods change it and return it.
type WorkflowBuilder struct {
	name     string
	body     builder
	input    sequence
	defaults *TaskBuilder
	tasks    []*TaskBuilder
	names    []string
}

// Workflow begins a workflow: direct, its tasks follow each other by their On methods.
func Workflow(name string) *WorkflowBuilder { return &WorkflowBuilder{name: name} }

// Source renders a document with this workflow only, see [DocumentBuilder.Source].
func (w *WorkflowBuilder) Source() (string, error) { return Document(w).Source() }

// Reverse makes the workflow a reverse one: its tasks name what they require.
func (w *WorkflowBuilder) Reverse() *WorkflowBuilder { return w.Set("type", "reverse") }

// Description sets free text.
func (w *WorkflowBuilder) Description(text string) *WorkflowBuilder {
	return w.Set("description", text)
}

// Tags sets tags.
func (w *WorkflowBuilder) Tags(tags ...string) *WorkflowBuilder { return w.Set("tags", tags) }

// Input declares inputs that the caller must give.
func (w *WorkflowBuilder) Input(names ...string) *WorkflowBuilder {
	w.input = append(w.input, texts(names)...)
	return w
}

// InputDefault declares an input with a default, which is taken literally: expressions in it are
// not evaluated.
func (w *WorkflowBuilder) InputDefault(name string, value any) *WorkflowBuilder {
	item := newMapping()
	item.set(name, w.body.value("input "+name, value))
	w.input = append(w.input, item)
	return w
}

// Var sets a variable, evaluated once at the start.
func (w *WorkflowBuilder) Var(name string, value any) *WorkflowBuilder {
	w.body.put("vars", name, value)
	return w
}

// Output sets a key of the output, evaluated at success.
func (w *WorkflowBuilder) Output(name string, value any) *WorkflowBuilder {
	w.body.put("output", name, value)
	return w
}

// OutputOnError sets a key of the output, evaluated at failure.
func (w *WorkflowBuilder) OutputOnError(name string, value any) *WorkflowBuilder {
	w.body.put("output-on-error", name, value)
	return w
}

// RollbackOn rolls an execution back by itself where it would end in "error", "cancel", or either.
func (w *WorkflowBuilder) RollbackOn(ends ...string) *WorkflowBuilder {
	return w.Set("rollback-on", ends)
}

// CatchExpressionErrors makes wrong expressions, names and parameters errors of their tasks, to
// which on-error applies. Without it they end the execution.
func (w *WorkflowBuilder) CatchExpressionErrors() *WorkflowBuilder {
	return w.Set("catch-expression-errors", true)
}

// TaskDefaults sets policies and transitions for tasks that have none of their own. Use [Noop] to
// begin them.
func (w *WorkflowBuilder) TaskDefaults(defaults *TaskBuilder) *WorkflowBuilder {
	w.defaults = defaults
	return w
}

// Task adds a task.
func (w *WorkflowBuilder) Task(name string, task *TaskBuilder) *WorkflowBuilder {
	w.names = append(w.names, name)
	w.tasks = append(w.tasks, task)
	return w
}

// Set sets any key of the workflow, for those that have no method here.
func (w *WorkflowBuilder) Set(key string, value any) *WorkflowBuilder {
	w.body.set(key, value)
	return w
}

var uuidName = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$`)

func (w *WorkflowBuilder) render() (*mapping, error) {
	where := fmt.Sprintf("define: workflow %q", w.name)
	faults := []error{w.body.err(where)}
	switch {
	case w.name == "" || w.name == "version" || strings.ContainsAny(w.name, " \t\r\n"):
		faults = append(faults, fmt.Errorf("%s: this cannot be a name", where))
	case uuidName.MatchString(w.name):
		faults = append(faults, fmt.Errorf("%s: a name must not look like a UUID", where))
	}
	faults = append(faults, checkText(w.name))
	out := newMapping()
	for _, key := range []string{"description", "tags", "type"} {
		w.body.move(out, key)
	}
	if len(w.input) > 0 {
		out.set("input", w.input)
	}
	w.body.moveRest(out, "output", "output-on-error")
	if w.defaults != nil {
		body, err := w.defaults.render(where + ": task-defaults")
		faults = append(faults, err)
		out.set("task-defaults", body)
	}
	tasks := newMapping()
	for i, name := range w.names {
		at := fmt.Sprintf("%s: task %q", where, name)
		if _, ok := tasks.values[name]; ok {
			faults = append(faults, fmt.Errorf("%s is there twice", at))
		}
		if name == "" {
			faults = append(faults, fmt.Errorf("%s: this cannot be a name", at))
		}
		body, err := w.tasks[i].render(at)
		faults = append(faults, err)
		if len(body.keys) == 0 {
			body.set("action", "std.noop") // a task must have a key
		}
		tasks.set(name, body)
	}
	if len(w.names) == 0 {
		faults = append(faults, fmt.Errorf("%s has no tasks", where))
	}
	out.set("tasks", tasks)
	w.body.move(out, "output")
	w.body.move(out, "output-on-error")
	return out, errors.Join(faults...)
}

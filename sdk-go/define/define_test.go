package define_test

import (
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/autan-dev/autan/sdk-go/define"
)

var update = flag.Bool("update", false, "write the expected texts anew")

// Each document is rendered and compared with testdata/NAME.yaml.
func TestSource(t *testing.T) {
	for name, document := range map[string]*define.DocumentBuilder{
		"order":    define.Document(order()),
		"reverse":  define.Document(reverse()),
		"values":   define.Document(values()),
		"global":   define.Document(global()),
		"several":  define.Document(minimal("a"), minimal("b")),
		"policies": define.Document(policies()),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := document.Source()
			if err != nil {
				t.Fatal(err)
			}
			again, err := document.Source()
			if err != nil || got != again {
				t.Errorf("a second rendering differs: %v\n%s", err, again)
			}
			path := filepath.Join("testdata", name+".yaml")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func minimal(name string) *define.WorkflowBuilder {
	return define.Workflow(name).Task("only", define.Noop())
}

func order() *define.WorkflowBuilder {
	return define.Workflow("ship").
		Description("Ships an order.\nAsks for money first.").
		Tags("shop", "eu: north").
		Input("order_id").
		InputDefault("currency", "EUR").
		InputDefault("gift", nil).
		Var("attempts", 0).
		Output("label", "<% $.label %>").
		OutputOnError("why", "{{ _.why }}").
		Task("charge", define.Action("payments.charge").
			Description("Takes the money.").
			Input("order", "<% $.order_id %>").
			Input("note", "{{ _.currency }}").
			Publish("receipt", "<% task().result %>").
			PublishOnError("why", "<% task().result %>").
			Retry(define.Retry{Count: 3, Delay: 2 * time.Second, BreakOn: "<% $.attempts > 2 %>"}).
			OnSuccess("pack", "print").
			OnErrorIf("<% $.gift %>", "pack").
			OnError(define.Fail("no money"))).
		Task("pack", define.Subworkflow("pack_items").
			Input("items", []string{"a", "b"}).
			OnSuccess("done")).
		Task("print", define.Action("labels.print").
			WithItems("page", "<% range(1, 3) %>").
			Concurrency(2).
			Input("page", "<% $.page %>").
			OnComplete("done").
			OnCompleteIf("<% false %>", "noop")).
		Task("done", define.Noop().JoinAll())
}

func reverse() *define.WorkflowBuilder {
	return define.Workflow("build").Reverse().
		Task("compile", define.Action("std.noop")).
		Task("test", define.Action("std.noop").Requires("compile")).
		Task("release", define.Action("std.noop").Requires("compile", "test"))
}

func values() *define.WorkflowBuilder {
	type point struct {
		Y, X float64
		Name string `json:"name,omitempty"`
	}
	return define.Workflow("values").
		Task("all", define.Action("std.echo").
			Input("big", int64(math.MaxInt64)).
			Input("bigger", uint64(math.MaxUint64)).
			Input("exact", json.Number("9007199254740993")).
			Input("huge", 1e21).
			Input("tiny", -2.5e-9).
			Input("half", 0.5).
			Input("truth", true).
			Input("nothing", nil).
			Input("point", point{Y: 1, X: 2}).
			Input("nested", []any{[]any{1, []any{}}, map[string]any{"b": 1, "a": []int{}}, nil}).
			Input("empty", map[string]any{}).
			Input("text that looks like more", []string{
				"yes", "No", "ON", "null", "~", "", "1", "1.5", "0x1F", "1_000", "12:30:45",
				"2024-01-01", ".inf", "-", "- a", "a: b", "a:", "a #b", "a#b", "#a", "&a", "*a", "!a",
				"|", ">", "%a", "@a", "`a`", "it's", "'quoted'", `"quoted"`, "[a]", "{a}", "a, b",
				" lead", "trail ", "tab\there", "bell\a", "nel\u0085", "ls\u2028", "bom\ufeff",
				"nbsp\u00a0", "é", "日本", "😀", "\\n", "<<", "<% $.x %>", "{{ _.x }}", "---", "...",
				"a\nb", "a\nb\n", "a\n\nb\n\n", "\na", " a\nb", "a\n b", "a\n \nb", "a\r\nb", "\n",
			}))
}

func global() *define.WorkflowBuilder {
	return define.Workflow("global").
		Task("both", define.Noop().
			Publish("here", 1).
			PublishGlobal("everywhere", 2).
			OnSuccess("next")).
		Task("next", define.Noop().PublishGlobal("last", "<% $.here %>"))
}

func policies() *define.WorkflowBuilder {
	return define.Workflow("policies").
		TaskDefaults(define.Noop().Timeout(time.Minute).OnError("fail")).
		Task("t", define.Action("std.noop").
			WaitBefore(time.Second).
			WaitAfter(2*time.Second).
			Timeout(time.Hour).
			PauseBefore().
			FailOn("<% false %>").
			DiscardResult().
			SafeRerun().
			Target("<% $.host %>").
			ActionVersion("2").
			AffinityKey("<% $.host %>").
			PublishOnSkip("skipped", true).
			Rollback(define.Action("undo").
				Input("id", "<% task().result %>").
				Retry(define.Retry{Count: 2, Delay: time.Second}).
				Timeout(time.Minute)).
			OnSuccess("j").
			OnSkip("j")).
		Task("j", define.Action("std.noop").
			Join(1).
			WithItems("a", "<% $.as %>").
			WithItems("b", `[1, 2]`).
			OnSuccess(define.Fail(`says "no"`))).
		RollbackOn("error", "cancel").
		CatchExpressionErrors().
		Set("custom", []int{1})
}

// Each builder has faults; the error must name all of them.
func TestSourceErrors(t *testing.T) {
	for name, c := range map[string]struct {
		document *define.DocumentBuilder
		want     []string
	}{
		"empty document": {define.Document(), []string{"the document has no workflow"}},
		"no tasks":       {define.Document(define.Workflow("w")), []string{`"w" has no tasks`}},
		"names": {
			define.Document(minimal(""), minimal("a b"), minimal("version"),
				minimal("6f1c1e9e-6f5f-4c39-9d3c-0d2ad6a7f9d1"), minimal("x").Task("", define.Noop())),
			[]string{
				`"": this cannot be a name`, `"a b": this cannot be a name`,
				`"version": this cannot be a name`, "must not look like a UUID", `task ""`,
			},
		},
		"twice": {
			define.Document(minimal("w"), minimal("w").Task("only", define.Noop())),
			[]string{`workflow "w" is there twice`, `task "only" is there twice`},
		},
		"values": {
			define.Document(define.Workflow("w").
				Var("v", math.NaN()).
				InputDefault("i", make(chan int)).
				Task("t", define.Action("a").
					Input("x", func() {}).
					Publish("y", math.Inf(1)).
					Input("z", "\xff").
					WaitBefore(1500*time.Millisecond).
					Timeout(-time.Second))),
			[]string{
				"vars v: ", "input i: ", `task "t": input x: `, "publish y: ", "not UTF-8",
				"wait-before: 1.5s is not a whole number of seconds", "timeout: -1s",
			},
		},
		"rollback": {
			define.Document(define.Workflow("w").
				Task("t", define.Action("a").Rollback(define.Action("b").Timeout(-time.Second)))),
			[]string{`task "t": rollback: timeout: -1s`},
		},
		"targets": {
			define.Document(define.Workflow("w").Task("t", define.Noop().
				OnSuccess("two words", "").
				OnErrorIf("<% true %>", define.Fail(`"it's"`)))),
			[]string{`on-success: "two words"`, `on-success: ""`, "on-error: "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := c.document.Source()
			if err == nil {
				t.Fatalf("no error, but\n%s", text)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in:\n%v", want, err)
				}
			}
			var many interface{ Unwrap() []error }
			if !errors.As(err, &many) {
				t.Errorf("%T does not list its faults", err)
			}
		})
	}
}

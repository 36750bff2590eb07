package autan

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// sentText is the last request as JSON with sorted keys, without project and request id.
func sentText(t *testing.T, f *fake) string {
	t.Helper()
	all := requests[proto.Message](f)
	fields := map[string]any{}
	if err := json.Unmarshal(protoJSON(t, all[len(all)-1]), &fields); err != nil {
		t.Fatal(err)
	}
	delete(fields, "project")
	delete(fields, "requestId")
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestThingsSendTheirOptions(t *testing.T) {
	f := newFake()
	c := dialFake(t, f)
	ctx := t.Context()
	ignore := func(_ any, err error) error { return err }
	empty := ""
	for name, tc := range map[string]struct {
		want string
		call func() error
	}{
		"create actions": {
			`{"allowExisting":true,"namespace":"n","source":"s","strict":true}`,
			func() error {
				actions := c.Actions().In("n")
				return ignore(actions.Create(ctx, "s", WithAllowExisting(), WithStrict()))
			},
		},
		"update actions": {`{"etag":"e","source":"s","validateOnly":true}`, func() error {
			return ignore(c.Actions().Update(ctx, "s", WithETag("e"), WithValidateOnly()))
		}},
		"get an action": {`{"name":"a","revision":2,"view":"VIEW_FULL"}`, func() error {
			return ignore(c.Actions().GetRevision(ctx, "a", 2))
		}},
		"list actions": {`{"filter":"x","kind":"ACTION_KIND_ADHOC","view":"VIEW_BASIC"}`,
			func() error {
				for _, err := range c.Actions().List(ctx, ActionAdhoc, ListOptions{Filter: "x"}) {
					return err
				}
				return nil
			}},
		"list revisions": {`{"name":"a","view":"VIEW_BASIC"}`, func() error {
			for _, err := range c.Actions().ListRevisions(ctx, "a", ListOptions{}) {
				return err
			}
			return nil
		}},
		"delete an action": {`{"allowMissing":true,"etag":"e","name":"a"}`, func() error {
			return c.Actions().Delete(ctx, "a", WithETag("e"), WithAllowMissing())
		}},
		"validate actions": {`{"source":"s","strict":true}`, func() error {
			return ignore(c.Actions().Validate(ctx, "s", true))
		}},
		"create an environment": {
			`{"allowExisting":true,"description":"d","name":"e","variables":{"json":"{\"a\":1}"}}`,
			func() error {
				variables := map[string]int{"a": 1}
				return ignore(c.Environments().Create(ctx, "e", "d", variables, WithAllowExisting()))
			},
		},
		"empty a description": {`{"etag":"t","name":"e","updateMask":"description"}`, func() error {
			change := EnvironmentChange{Description: &empty}
			return ignore(c.Environments().Update(ctx, "e", change, WithETag("t")))
		}},
		"replace variables": {
			`{"name":"e","updateMask":"variables","variables":{"json":"{\"a\":1}"}}`,
			func() error {
				change := EnvironmentChange{Variables: map[string]int{"a": 1}}
				return ignore(c.Environments().Update(ctx, "e", change))
			},
		},
		"change single variables": {
			`{"name":"e","updateMask":"variables.a,variables.b",` +
				`"variables":{"json":"{\"a\":1}"}}`,
			func() error {
				change := EnvironmentChange{Set: map[string]any{"a": 1}, Remove: []string{"b"}}
				return ignore(c.Environments().Update(ctx, "e", change))
			},
		},
		"remove a variable": {
			`{"name":"e","updateMask":"variables.b","variables":{"json":"{}"}}`,
			func() error {
				change := EnvironmentChange{Remove: []string{"b"}}
				return ignore(c.Environments().Update(ctx, "e", change))
			},
		},
		"get an environment": {`{"name":"e","view":"VIEW_FULL"}`, func() error {
			return ignore(c.Environments().Get(ctx, "e"))
		}},
		"list environments": {`{"filter":"x","pageSize":2,"view":"VIEW_FULL"}`, func() error {
			opts := ListOptions{Filter: "x", PageSize: 2, Full: true}
			for _, err := range c.Environments().List(ctx, opts) {
				return err
			}
			return nil
		}},
		"delete an environment": {`{"allowMissing":true,"name":"e"}`, func() error {
			return c.Environments().Delete(ctx, "e", WithAllowMissing())
		}},
		"evaluate": {
			`{"context":{"json":"1"},"env":{"json":"{\"a\":1}"},"expression":"$",` +
				`"language":"EXPRESSION_LANGUAGE_YAQL"}`,
			func() error {
				env := WithEnv(map[string]int{"a": 1})
				return ignore(c.Evaluate(ctx, "$", 1, env, WithLanguage(YAQL)))
			},
		},
		"start with an environment": {`{"environmentName":"e","workflowName":"w"}`, func() error {
			return ignore(c.Start(ctx, "w", nil, WithEnvironment("e")))
		}},
		"run an action": {
			`{"actionName":"a","environmentVariables":{"json":"{\"a\":1}"},"executionId":"r1",` +
				`"input":{"json":"{\"b\":2}"},"namespace":"n","save":true,"synchronous":true,` +
				`"target":"gpu","timeout":"1.500s","waitTimeout":"2s"}`,
			func() error {
				return ignore(c.RunAction(ctx, "a", map[string]int{"b": 2}, WithID("r1"),
					WithNamespace("n"), WithEnv(map[string]int{"a": 1}), WithSynchronous(),
					WithWait(2*time.Second), WithTimeout(1500*time.Millisecond), WithTarget("gpu")))
			},
		},
		"run without waiting": {`{"actionName":"a","save":true,"waitTimeout":"0s"}`, func() error {
			return ignore(c.RunAction(ctx, "a", nil))
		}},
		"run without keeping": {`{"actionName":"a","save":false}`, func() error {
			return ignore(c.RunAction(ctx, "a", nil, WithDiscard()))
		}},
		"some payloads of an execution": {
			`{"executionId":"x","readMask":"input,error.details","view":"VIEW_FULL"}`,
			func() error { return ignore(c.GetExecution(ctx, "x", WithOnly("input", "error.details"))) },
		},
		"some payloads of a task": {
			`{"readMask":"result","taskExecutionId":"t","view":"VIEW_FULL"}`,
			func() error { return ignore(c.GetTaskExecution(ctx, "t", WithOnly("result"))) },
		},
		"some payloads of an attempt": {
			`{"actionExecutionId":"a","readMask":"input","view":"VIEW_FULL"}`,
			func() error { return ignore(c.GetActionExecution(ctx, "a", WithOnly("input"))) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tc.call(); !isCode(err, codes.Unimplemented) {
				t.Fatalf("got %v", err)
			}
			if got := sentText(t, f); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestContradictionsAreNotSent(t *testing.T) {
	f := newFake()
	c := dialFake(t, f)
	before := len(requests[proto.Message](f))
	_, start := c.Start(t.Context(), "w", nil, WithEnvironment("e"), WithEnv(map[string]int{}))
	_, update := c.Environments().Update(t.Context(), "e",
		EnvironmentChange{Variables: map[string]int{}, Remove: []string{"a"}})
	if !IsInvalid(start) || !IsInvalid(update) {
		t.Errorf("got %v, %v", start, update)
	}
	if sent := len(requests[proto.Message](f)) - before; sent != 0 {
		t.Errorf("%d were sent", sent)
	}
}

func TestEvaluateTellsThePlaceOfAFault(t *testing.T) {
	f := newFake()
	on(f, "WorkflowService/EvaluateExpression", func(
		_ context.Context, req *pb.EvaluateExpressionRequest,
	) (*pb.EvaluateExpressionResponse, error) {
		if req.GetExpression() == "good" {
			value := &pb.Payload{Encoding: &pb.Payload_Json{Json: "3"}}
			return &pb.EvaluateExpressionResponse{
				Result: &pb.EvaluateExpressionResponse_Value{Value: value},
			}, nil
		}
		fault := &pb.ExpressionError{
			Message: "no such function", Syntax: true, Offset: 3, Length: 2, Line: 1, Column: 4,
			Excerpt: "x",
		}
		return &pb.EvaluateExpressionResponse{
			Result: &pb.EvaluateExpressionResponse_Error{Error: fault},
		}, nil
	})
	c := dialFake(t, f)
	value, err := c.Evaluate(t.Context(), "good", nil)
	if err != nil || value.String() != "3" {
		t.Errorf("got %v, %v", value, err)
	}
	_, err = c.Evaluate(t.Context(), "bad", nil)
	var fault *ExpressionError
	if !errors.As(err, &fault) {
		t.Fatalf("got %v", err)
	}
	want := ExpressionError{"no such function", true, 3, 2, 1, 4, "x"}
	if !reflect.DeepEqual(*fault, want) || err.Error() != "autan: 1:4: no such function" {
		t.Errorf("got %+v, %v", *fault, err)
	}
}

func TestActionRuns(t *testing.T) {
	f := newFake()
	attempt := func(output string) *pb.ActionExecution {
		return &pb.ActionExecution{
			ActionExecutionId: "a1",
			Output:            &pb.Payload{Encoding: &pb.Payload_Json{Json: output}},
		}
	}
	execution := func(state pb.ExecutionState) *pb.Execution {
		return &pb.Execution{
			ExecutionId: "r1", State: state, Kind: pb.ExecutionKind_EXECUTION_KIND_ACTION,
		}
	}
	success, failure := pb.ExecutionState_EXECUTION_STATE_SUCCESS,
		pb.ExecutionState_EXECUTION_STATE_ERROR
	on(f, "ActionService/RunAction", func(
		_ context.Context, req *pb.RunActionRequest,
	) (*pb.RunActionResponse, error) {
		r := &pb.RunActionResponse{Started: true, Finished: true}
		switch req.GetActionName() {
		case "good":
			r.Execution, r.ActionExecution = execution(success), attempt("1")
		case "bad":
			r.Execution, r.ActionExecution = execution(failure), attempt(`"why"`)
		default:
			r.Execution = execution(pb.ExecutionState_EXECUTION_STATE_RUNNING)
			r.ActionExecution, r.Finished = attempt("null"), false
		}
		return r, nil
	})
	on(f, "ExecutionService/WaitExecution", func(
		context.Context, *pb.WaitExecutionRequest,
	) (*pb.WaitExecutionResponse, error) {
		return &pb.WaitExecutionResponse{Execution: execution(success), Finished: true}, nil
	})
	on(f, "TaskService/ListActionExecutions", func(
		context.Context, *pb.ListActionExecutionsRequest,
	) (*pb.ListActionExecutionsResponse, error) {
		first := &pb.ActionExecution{ActionExecutionId: "a0"}
		return &pb.ListActionExecutionsResponse{
			ActionExecutions: []*pb.ActionExecution{first, attempt("null")},
		}, nil
	})
	on(f, "TaskService/GetActionExecution", func(
		_ context.Context, req *pb.GetActionExecutionRequest,
	) (*pb.GetActionExecutionResponse, error) {
		if req.GetActionExecutionId() != "a1" {
			return nil, fail(codes.NotFound, ReasonActionExecutionNotFound)
		}
		return &pb.GetActionExecutionResponse{ActionExecution: attempt("42")}, nil
	})
	c := dialFake(t, f)
	result := func(action string) (int, error) {
		run, err := c.RunAction(t.Context(), action, nil)
		if err != nil {
			return 0, err
		}
		if run.ID() != "r1" || !run.Started() || run.Action == nil {
			t.Errorf("got %+v", run)
		}
		return ActionResult[int](t.Context(), run)
	}
	if got, err := result("good"); got != 1 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := result("slow"); got != 42 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	_, err := result("bad")
	var failed *ExecutionError
	if !errors.As(err, &failed) || failed.Output.String() != `"why"` {
		t.Errorf("got %v", err)
	}
}

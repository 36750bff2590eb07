// The driver runs one scenario through the Go SDK: it reads a case as JSON from stdin and prints
// one JSON object with what the SDK saw. It knows nothing of what is expected: that is for the
// runner.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	autan "github.com/autan-dev/autan/sdk-go"
)

// patience is how long a case may take on a busy machine.
const patience = time.Minute

type testCase struct {
	Address  string `json:"address"`
	Project  string `json:"project"`
	Identity string `json:"identity"`
	Source   string `json:"source"`
	Steps    []step `json:"steps"`
}

// step is one call; which fields count depends on Do.
type step struct {
	Do       string            `json:"do"`
	Kind     string            `json:"kind"`
	Workflow string            `json:"workflow"`
	Input    map[string]any    `json:"input"`
	Params   map[string]any    `json:"params"`
	Labels   map[string]string `json:"labels"`
	ID       string            `json:"id"`
	As       string            `json:"as"`
	Of       string            `json:"of"`
	Task     string            `json:"task"`
	State    string            `json:"state"`
	Item     int               `json:"item"`
	Attempt  int               `json:"attempt"`
	Reset    bool              `json:"reset"`
	Result   any               `json:"result"`
	Error    any               `json:"error"`
	Env      map[string]any    `json:"env"`
	Outcome  string            `json:"outcome"`
	Filter   string            `json:"filter"`

	Reason      string  `json:"reason"`
	Description *string `json:"description"`

	Verb   string   `json:"verb"`
	IDs    []string `json:"ids"`
	Rate   int      `json:"rate"`
	After  int64    `json:"after"`
	Before int64    `json:"before"`
	Types  []string `json:"types"`
	Newest bool     `json:"newest"`
	Resume bool     `json:"resume"`
	Errors bool     `json:"errors"`
	Force  bool     `json:"force"`
	ETag   string   `json:"etag"`

	Source      string         `json:"source"`
	Environment string         `json:"environment"`
	Variables   map[string]any `json:"variables"`
	Set         map[string]any `json:"set"`
	Remove      []string       `json:"remove"`
	Action      string         `json:"action"`
	Expression  string         `json:"expression"`
	Context     any            `json:"context"`

	Bytes       *string           `json:"bytes"`
	ContentType string            `json:"content_type"`
	Metadata    map[string]string `json:"metadata"`
}

type object = map[string]any

func main() {
	if err := drive(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func drive() error {
	var c testCase
	if err := json.NewDecoder(os.Stdin).Decode(&c); err != nil {
		return fmt.Errorf("reading the case: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client, err := autan.Dial(ctx, c.Address,
		autan.WithProject(c.Project), autan.WithCallerIdentity(c.Identity))
	if err != nil {
		return err
	}
	defer client.Close()
	r := &run{client: client, source: c.Source, executions: map[string]*autan.Execution{}}
	answers := []any{}
	for i, s := range c.Steps {
		answer, err := r.perform(ctx, s)
		if err != nil {
			return fmt.Errorf("step %d, %s: %w", i+1, s.Do, err)
		}
		answers = append(answers, answer)
	}
	seen, err := r.outcome(ctx)
	if err != nil {
		return err
	}
	seen["answers"] = answers
	return json.NewEncoder(os.Stdout).Encode(seen)
}

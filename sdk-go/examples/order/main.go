// Command order defines a workflow, starts it, shows what happens and prints the outcome.
//
//	go run ./examples/order [address]
//
// The address of the server is the argument, else the environment variable AUTAN_SERVER, else
// localhost:7233.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"

	autan "github.com/autan-dev/autan/sdk-go"
	"github.com/autan-dev/autan/sdk-go/define"
)

// Order is the input of the workflow.
type Order struct {
	ID    int64    `json:"order_id"`
	Items []string `json:"items"`
}

// Shipment is its output.
type Shipment struct {
	Label  string   `json:"label"`
	Packed []string `json:"packed"`
}

// shipOrder charges, packs item by item, and prints a label when both are done.
func shipOrder() *define.WorkflowBuilder {
	return define.Workflow("ship_order").
		Description("Charges an order, packs its items and ships it.").
		Input("order_id", "items").
		Output("label", "<% $.label %>").
		Output("packed", "<% $.packed %>").
		Task("charge", define.Action("std.echo").
			Input("output", "paid").
			Retry(define.Retry{Count: 3, Delay: 2 * time.Second}).
			OnSuccess("print_label")).
		Task("pack", define.Action("std.echo").
			WithItems("item", "<% $.items %>").
			Concurrency(2).
			Input("output", "<% $.item %>").
			Publish("packed", "<% task().result %>").
			OnSuccess("print_label")).
		Task("print_label", define.Action("std.echo").
			JoinAll().
			Input("output", "order-<% $.order_id %>").
			Publish("label", "<% task().result %>"))
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, address()); err != nil {
		stop()
		log.Fatal(err)
	}
}

func address() string {
	if len(os.Args) > 1 {
		return os.Args[1]
	}
	if addr := os.Getenv("AUTAN_SERVER"); addr != "" {
		return addr
	}
	return "localhost:7233"
}

func run(ctx context.Context, addr string) (err error) {
	client, err := autan.Dial(ctx, addr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()

	source, err := shipOrder().Source()
	if err != nil {
		return err
	}
	if _, err := client.Workflows().Create(ctx, source, autan.WithAllowExisting()); err != nil {
		return err
	}
	order := Order{ID: 42, Items: []string{"lamp", "bulb", "cable"}}
	execution, err := client.Start(ctx, "ship_order", order, autan.WithLabel("team", "eu"))
	if err != nil {
		return err
	}
	fmt.Println("started", execution.ID())
	for event, err := range execution.Events(ctx) {
		if err != nil {
			return err
		}
		switch d := event.Detail.(type) {
		case *autan.TaskStateChanged:
			fmt.Printf("%3d  %-12s %s\n", event.Sequence, event.TaskName, d.State)
		case *autan.ExecutionStateChanged:
			fmt.Printf("%3d  %-12s %s\n", event.Sequence, "(execution)", d.State)
		}
	}
	shipment, err := autan.Result[Shipment](ctx, execution)
	if err != nil {
		return err
	}
	fmt.Printf("shipped %v as %s\n", shipment.Packed, shipment.Label)
	return nil
}

// Package autan is the Go client of Autan, a durable workflow service.
//
// A workflow is written in the Mistral v2 language (YAML), stored on the server, started by name
// and followed to its end:
//
//	c, err := autan.Dial(ctx, "localhost:7233", autan.WithProject("orders"))
//	...
//	defer c.Close()
//	_, err = c.Workflows().Create(ctx, source)
//	run, err := c.Start(ctx, "ship", map[string]any{"order_id": 42}, autan.WithID("ship-42"))
//	out, err := autan.Result[Shipment](ctx, run)
//
// Workflows can also be defined in code, see package
// [github.com/autan-dev/autan/sdk-go/define]; package
// [github.com/autan-dev/autan/sdk-go/autantest] starts a server for tests.
//
// # Workers
//
// A [Worker] performs actions: any action of a workflow that the server does not have itself is
// work for whoever provides one of that name.
//
//	w := autan.NewWorker(c, "default", autan.WithMaxTasks(50))
//	autan.Handle(w, "stock.reserve", func(ctx context.Context, in Reserve) (Reserved, error) {
//		...
//	})
//	err = w.RunUntilSignal(ctx) // drains on SIGTERM
//
// [NewHandler] tells how inputs and outputs are mapped, [ActionError] what errors mean,
// [Heartbeat] how long actions tell where they are, and [ActionTester] tests an action without a
// server. Scripts take single tasks with [Client.PollTasks].
//
// # Calls
//
// Every call takes a context; its end cancels the call. One attempt of a call may take
// [WithCallTimeout] (15 s by default). A call that the server could not take — UNAVAILABLE, or
// overload with a time to come back — is made again, up to four times in all, after a random pause
// of up to 100 ms, then 200 ms and so on to 5 s. That is safe for every call of this package:
// each one that changes something carries a request id, and the server answers a repeated id with
// the outcome of the first call, for 24 hours.
//
// Streams ([Execution.Events]) and waits ([Execution.Wait], [Result]) resume by themselves after
// lost connections and restarts of the server.
//
// # Errors
//
// A failed call gives an [*Error], which carries the code, the stable reason and the faulty fields.
// A failed workflow is not a failed call: only [Result] turns it into an error, an
// [*ExecutionError]. Use [errors.As], or [IsNotFound], [IsReason] and their like.
//
// # Values
//
// Inputs are encoded with encoding/json, and results decoded with it. Integers from -2^63 to
// 2^64-1 are exact on the whole way; where the target is untyped, numbers become [json.Number].
//
// # Concurrency
//
// A [Client] and its handles may be used by many goroutines at once.
package autan

// The worker provides the actions of the scenarios for workers through the Go SDK. Those of the
// other languages provide the same; `tests/workers/README.md` says what they do.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	autan "github.com/autan-dev/autan/sdk-go"
)

func main() {
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func work() error {
	server := flag.String("server", os.Getenv("AUTAN_SERVER"), "address of the server")
	project := flag.String("project", os.Getenv("AUTAN_PROJECT"), "tenant")
	queue := flag.String("queue", "default", "queue to take tasks from")
	maxTasks := flag.Int("max-tasks", 50, "functions that run at the same time")
	drain := flag.Float64("drain-timeout", 30, "seconds to wait for them at the end")
	flag.Parse()

	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr,
		&slog.HandlerOptions{Level: slog.LevelDebug})))
	ctx := context.Background()
	// The server may be away: the worker waits for it.
	client, err := autan.Dial(ctx, *server, autan.WithProject(*project), autan.WithLazyDial())
	if err != nil {
		return err
	}
	defer client.Close()
	worker := autan.NewWorker(client, *queue, autan.WithMaxTasks(*maxTasks),
		autan.WithDrainTimeout(seconds(*drain)), autan.WithWorkerLabel("language", "go"))
	provide(worker, client)
	go func() {
		<-worker.Ready()
		fmt.Println("ready")
	}()
	return worker.RunUntilSignal(ctx)
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// sum adds exactly, as long as all are integers.
func sum(items []number) any {
	var whole int64
	var total float64
	exact := true
	for _, item := range items {
		n, err := strconv.ParseInt(string(item), 10, 64)
		exact = exact && err == nil
		whole += n
		f, _ := item.Float64() // it is a number of JSON
		total += f
	}
	if exact {
		return whole
	}
	return total
}

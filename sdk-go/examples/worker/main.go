// The program provides actions of a stock, as a start for workers of your own:
//
//	go run ./examples/worker localhost:7233
//
// It runs until Ctrl-C, and then waits for what is under way.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	autan "github.com/autan-dev/autan/sdk-go"
)

// Reservation is the input of stock.reserve: its fields are the parameters.
type Reservation struct {
	Item  string `json:"item"`
	Count int    `json:"count" autan:"default=1"`
}

// Reserved is the result.
type Reserved struct {
	Left int `json:"left"`
}

// SoldOut is an error of its own, so that workflows can tell it apart by its name.
type SoldOut struct{ Item string }

func (e *SoldOut) Error() string { return "no more " + e.Item }

// Stock knows what there is, and whose reservation is done: an action may run twice.
type Stock struct {
	mu   sync.Mutex
	left map[string]int
	done map[string]Reserved
}

// Reserve takes some of an item.
func (s *Stock) Reserve(ctx context.Context, in Reservation) (Reserved, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := autan.CurrentTask(ctx).IdempotencyKey
	if out, ok := s.done[key]; ok {
		return out, nil
	}
	left, known := s.left[in.Item]
	switch {
	case !known:
		return Reserved{}, autan.NonRetryable(fmt.Errorf("there is no item %q", in.Item))
	case left < in.Count:
		return Reserved{}, autan.RetryAfter(time.Minute, &SoldOut{in.Item})
	}
	out := Reserved{Left: left - in.Count}
	s.left[in.Item], s.done[key] = out.Left, out
	autan.Logger(ctx).Info("reserved", "item", in.Item, "left", out.Left)
	return out, nil
}

// Count counts all items, slowly, and goes on where an earlier attempt was.
func (s *Stock) Count(ctx context.Context, _ struct{}) (int, error) {
	counted, _, err := autan.EarlierProgress[int](ctx)
	if err != nil {
		return 0, err
	}
	for ; counted < 10; counted++ {
		if err := autan.Heartbeat(ctx, counted); err != nil {
			return 0, err // cancelled, or the lease is lost
		}
		time.Sleep(100 * time.Millisecond)
	}
	return counted, nil
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: worker ADDRESS")
	}
	ctx := context.Background()
	client, err := autan.Dial(ctx, os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	stock := &Stock{left: map[string]int{"tea": 100}, done: map[string]Reserved{}}
	worker := autan.NewWorker(client, "default", autan.WithMaxTasks(10))
	autan.Handle(worker, "stock.reserve", stock.Reserve, autan.WithSummary("takes some of an item"))
	autan.Handle(worker, "stock.count", stock.Count, autan.WithHeartbeatTimeout(10*time.Second))
	if err := worker.RunUntilSignal(ctx); err != nil {
		log.Fatal(err)
	}
}

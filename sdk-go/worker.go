package autan

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"time"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Worker performs actions: it takes tasks from a queue of the server, and runs a function for each.
// Make one with [NewWorker], add functions with [Handle], then call [Worker.Run].
//
// While the connection is lost, functions go on running, and their results are sent when it is
// back. A task is given to another worker only when its lease has ended, which the worker renews as
// long as it is alive: a function may so run twice, in the worst case at the same time.
type Worker struct {
	client   *Client
	cfg      workerConfig
	handlers map[string]*Handler
	faults   []error
	timing   workerTiming

	id      string
	stopped chan struct{} // closed by Stop
	stop    sync.Once
	ready   chan struct{} // closed at the first welcome

	mu        sync.Mutex
	table     *leaseTable // nil before Run
	lastError error
}

// workerTiming holds the times of a worker in one place, so that tests can shrink them.
type workerTiming struct {
	baseDelay  time.Duration // of the first reconnect, doubled each time
	maxDelay   time.Duration // of a reconnect
	maxResend  time.Duration // of a result that could not be recorded
	healthy    time.Duration // after which a stream counts as good
	welcome    time.Duration // how long the server may take for its welcome
	missed     int           // intervals without a message after which a stream is dead
	progress   time.Duration // between two messages with the progress of a task
	unaryAfter time.Duration // without a stream, when calls take its place
	grace      time.Duration // for functions whose worker is stopped
	flush      time.Duration // for the last answers
	retire     time.Duration // for a stream that another one took over from
	terms      leaseTerms    // if the server does not say
}

func defaultWorkerTiming() workerTiming {
	return workerTiming{
		baseDelay:  100 * time.Millisecond,
		maxDelay:   10 * time.Second,
		maxResend:  5 * time.Second,
		healthy:    time.Minute,
		welcome:    10 * time.Second,
		missed:     3,
		progress:   time.Second,
		unaryAfter: 5 * time.Second,
		grace:      time.Second,
		flush:      10 * time.Second,
		retire:     10 * time.Second,
		terms:      leaseTerms{duration: 30 * time.Second, interval: 10 * time.Second},
	}
}

// freshAfter is how many failures in a row make the worker give up a connection for a new one.
const freshAfter = 3

type workerConfig struct {
	queue            string
	maxTasks         int
	limits           map[string]int // of queues that have one of their own
	drainTimeout     time.Duration
	identity         string
	buildID          string
	labels           map[string]string
	logger           *slog.Logger
	outstandingBytes int64
}

// WorkerOption changes [NewWorker].
type WorkerOption func(*workerConfig)

// WithMaxTasks limits how many functions of each queue run at the same time; 50 without it, at most
// 10,000.
func WithMaxTasks(n int) WorkerOption { return func(c *workerConfig) { c.maxTasks = n } }

// WithQueueLimit limits how many functions of one queue run at the same time, whatever runs of
// others. Actions name the queue by [WithQueue]; one without a limit of its own has that of
// [WithMaxTasks]:
//
//	w := autan.NewWorker(c, "default", autan.WithQueueLimit("gpu", 1))
//	autan.Handle(w, "picture.resize", resize)
//	autan.Handle(w, "picture.render", render, autan.WithQueue("gpu"))
func WithQueueLimit(queue string, n int) WorkerOption {
	return func(c *workerConfig) {
		c.limits = maps.Clone(c.limits)
		if c.limits == nil {
			c.limits = map[string]int{}
		}
		c.limits[queueName(queue)] = n
	}
}

// WithDrainTimeout limits how long [Worker.Run] waits at its end for the functions that run; 30 s
// without it.
func WithDrainTimeout(d time.Duration) WorkerOption {
	return func(c *workerConfig) { c.drainTimeout = d }
}

// WithIdentity names the worker for people; "host:pid" without it.
func WithIdentity(name string) WorkerOption { return func(c *workerConfig) { c.identity = name } }

// WithBuildID says which build of the program it is; what Go knows of it without it.
func WithBuildID(id string) WorkerOption { return func(c *workerConfig) { c.buildID = id } }

// WithWorkerLabel adds a label to the worker, for people and tools.
func WithWorkerLabel(key, value string) WorkerOption {
	return func(c *workerConfig) {
		c.labels = maps.Clone(c.labels)
		if c.labels == nil {
			c.labels = map[string]string{}
		}
		c.labels[key] = value
	}
}

// WithLogger logs with this logger; [slog.Default] without it.
func WithLogger(l *slog.Logger) WorkerOption { return func(c *workerConfig) { c.logger = l } }

// WithMaxOutstandingBytes limits the input of all tasks that the worker has at the same time;
// without it there is no limit.
func WithMaxOutstandingBytes(n int64) WorkerOption {
	return func(c *workerConfig) { c.outstandingBytes = n }
}

// NewWorker makes a worker that takes tasks from this queue, "default" if it is empty. It does
// nothing before [Worker.Run].
func NewWorker(c *Client, queue string, opts ...WorkerOption) *Worker {
	cfg := workerConfig{
		queue:        queueName(queue),
		maxTasks:     50,
		drainTimeout: 30 * time.Second,
		identity:     defaultIdentity(),
		buildID:      defaultBuildID(),
		logger:       slog.Default(),
	}
	for _, opt := range opts {
		opt(&cfg)
	}
	return &Worker{
		client:   c,
		cfg:      cfg,
		handlers: map[string]*Handler{},
		timing:   c.workerTiming,
		id:       newRequestID(),
		stopped:  make(chan struct{}),
		ready:    make(chan struct{}),
	}
}

// Handle adds a function to the worker, under the name of the action that it performs. See
// [NewHandler] for the function, its input and its output.
func Handle[In, Out any](
	w *Worker, name string, fn func(context.Context, In) (Out, error), opts ...HandlerOption,
) {
	w.Add(NewHandler(name, fn, opts...))
}

// Add adds actions to the worker. What is wrong with them is said by [Worker.Run].
func (w *Worker) Add(handlers ...*Handler) {
	for _, h := range handlers {
		if w.handlers[h.name] != nil {
			w.faults = append(w.faults, fmt.Errorf("autan: action %q is added twice", h.name))
		}
		w.faults = append(w.faults, h.err)
		w.handlers[h.name] = h
	}
}

// ID returns the id by which [Workers.Get] knows the worker: a random UUID.
func (w *Worker) ID() string { return w.id }

// Ready returns a channel that is closed when the server has welcomed the worker for the first
// time.
func (w *Worker) Ready() <-chan struct{} { return w.ready }

// WorkerHealth says how a worker is.
type WorkerHealth struct {
	// Connected says that the server has welcomed the worker, and was heard of within three of its
	// intervals (30 s): that the worker gets tasks.
	Connected bool
	// Since is since when there is a connection, or since when there is none; zero before Run.
	Since time.Time
	// Running is how many functions run.
	Running int
	// LastError is why a connection has failed last, also when there is one again; nil if none has.
	LastError error
}

// Health tells how the worker is, at once: for probes.
func (w *Worker) Health() WorkerHealth {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.table == nil {
		return WorkerHealth{}
	}
	out := WorkerHealth{LastError: w.lastError}
	out.Connected, out.Since = w.table.connection()
	out.Running = w.table.tally().running
	return out
}

// Stop ends [Worker.Run] at once: what runs is cancelled and given back. It does not wait.
func (w *Worker) Stop() { w.stop.Do(func() { close(w.stopped) }) }

// RunUntilSignal runs the worker until SIGTERM, SIGINT (Ctrl-C) or the end of ctx, as [Worker.Run].
// A second signal ends it at once.
func (w *Worker) RunUntilSignal(ctx context.Context) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	over := make(chan struct{})
	defer close(over)
	go func() {
		for range 2 {
			select {
			case s := <-signals:
				if ctx.Err() != nil {
					w.Stop()
				}
				w.cfg.logger.Info("the worker ends", "signal", s.String())
				cancel()
			case <-over:
				return
			}
		}
	}()
	return w.Run(ctx)
}

// Serve performs actions for the server at addr until SIGTERM, SIGINT or the end of ctx: a client
// with nothing but an address, a worker of the queue "default" with nothing but actions, and
// [Worker.RunUntilSignal]. It waits for a server that is away. An empty address is that of the
// environment variable AUTAN_SERVER, or "localhost:7233" without one.
func Serve(ctx context.Context, addr string, handlers ...*Handler) error {
	if addr == "" {
		addr = os.Getenv("AUTAN_SERVER")
	}
	if addr == "" {
		addr = "localhost:7233"
	}
	c, err := Dial(ctx, addr, WithLazyDial())
	if err != nil {
		return err
	}
	w := NewWorker(c, "")
	w.Add(handlers...)
	return errors.Join(w.RunUntilSignal(ctx), c.Close())
}

// check returns what is wrong with the worker before it runs.
func (w *Worker) check() error {
	faults := slices.Clone(w.faults)
	if len(w.handlers) == 0 {
		faults = append(faults, errors.New("autan: the worker has no actions"))
	}
	for name, limit := range w.limits() {
		if limit < 1 || limit > maxTasksMax {
			faults = append(faults, invalidArg("MaxTasks",
				fmt.Sprintf("of queue %q must be between 1 and %d, is %d", name, maxTasksMax, limit)))
		}
	}
	for name := range w.cfg.limits {
		if _, ok := w.limits()[name]; !ok && len(w.handlers) > 0 {
			faults = append(faults, fmt.Errorf("autan: no action is called from queue %q", name))
		}
	}
	return errors.Join(faults...)
}

const maxTasksMax = 10_000

// queueName is how the server calls a queue.
func queueName(name string) string {
	if name == "" {
		return "default"
	}
	return name
}

// queues returns the queues from which an action is called.
func (w *Worker) queues(h *Handler) []string {
	if len(h.queues) == 0 {
		return []string{w.cfg.queue}
	}
	names := make([]string, 0, len(h.queues))
	for _, name := range h.queues {
		names = append(names, queueName(name))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// limits returns how many functions of each queue may run at the same time.
func (w *Worker) limits() map[string]int {
	limits := map[string]int{}
	for _, h := range w.handlers {
		for _, name := range w.queues(h) {
			limits[name] = w.cfg.maxTasks
			if own, ok := w.cfg.limits[name]; ok {
				limits[name] = own
			}
		}
	}
	return limits
}

func (w *Worker) hello() *pb.Hello {
	byName := map[string]*pb.QueueSubscription{}
	for _, action := range slices.Sorted(maps.Keys(w.handlers)) {
		for _, name := range w.queues(w.handlers[action]) {
			if byName[name] == nil {
				byName[name] = &pb.QueueSubscription{Queue: name}
			}
			byName[name].Actions = append(byName[name].Actions, w.handlers[action].proto())
		}
	}
	subscriptions := make([]*pb.QueueSubscription, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		subscriptions = append(subscriptions, byName[name])
	}
	return &pb.Hello{
		Project: w.client.project,
		Worker: &pb.WorkerIdentity{
			WorkerId: w.id,
			Identity: cutEnd(w.cfg.identity, nameMax),
			Sdk:      sdkName,
			BuildId:  cutEnd(w.cfg.buildID, nameMax),
			Labels:   w.cfg.labels,
		},
		Queues:              subscriptions,
		MaxOutstandingBytes: w.cfg.outstandingBytes,
	}
}

const sdkName = "autan-go/" + Version

func defaultIdentity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}

// defaultBuildID is the version of the program, or the revision that it was built from.
func defaultBuildID() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	if info.Main.Version == "(devel)" {
		return ""
	}
	return info.Main.Version
}

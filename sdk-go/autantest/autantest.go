// Package autantest starts an Autan server for tests.
//
//	func TestShipping(t *testing.T) {
//		server := autantest.StartLocal(t)
//		client := server.Dial(t)
//		...
//	}
//
// The server is the real binary `autan`: the one that the environment variable AUTAN_BINARY names,
// else the one on the PATH. Without a binary the test is skipped, and says so; where CI=true it
// fails, so that a green run has run something.
package autantest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	autan "github.com/autan-dev/autan/sdk-go"
)

// Server is a running server. It is stopped at the end of the test that started it.
type Server struct {
	// Addr is the address of the server, "host:port".
	Addr string

	process *process
	log     *tail
}

// Option changes how [StartLocal] starts the server.
type Option func(*config)

type config struct {
	binary  string
	dataDir string
	listen  string
	args    []string
	timeout time.Duration
}

// WithBinary runs this binary instead of looking for one.
func WithBinary(path string) Option { return func(c *config) { c.binary = path } }

// WithDataDir keeps the data in this folder, so that a server started later with the same folder
// goes on with it. Without it the data is gone with the server.
func WithDataDir(dir string) Option { return func(c *config) { c.dataDir = dir } }

// WithListen listens at this address instead of a free port of 127.0.0.1; for a server that is to
// come back where its clients look for it.
func WithListen(addr string) Option { return func(c *config) { c.listen = addr } }

// WithArgs adds arguments to `autan serve`.
func WithArgs(args ...string) Option {
	return func(c *config) { c.args = append(c.args, args...) }
}

// WithStartTimeout limits the time until the server is ready; 30 s without it.
func WithStartTimeout(d time.Duration) Option { return func(c *config) { c.timeout = d } }

// StartLocal starts a server and returns when it is ready. It ends the test if that fails, with the
// last lines that the server wrote.
func StartLocal(t testing.TB, opts ...Option) *Server {
	t.Helper()
	cfg := config{listen: "127.0.0.1:0", timeout: 30 * time.Second}
	for _, opt := range opts {
		opt(&cfg)
	}
	binary := findBinary(t, cfg.binary)
	portFile := filepath.Join(t.TempDir(), "address")
	args := []string{"serve", "--dev", "--listen", cfg.listen, "--port-file", portFile}
	if cfg.dataDir != "" {
		args = append(args, "--data-dir", cfg.dataDir)
	}
	server := &Server{log: new(tail)}
	command := exec.Command(binary, append(args, cfg.args...)...)
	command.Stdout, command.Stderr = server.log, server.log
	var err error
	if server.process, err = startProcess(command); err != nil {
		t.Fatalf("autantest: start %s: %v", binary, err)
	}
	t.Cleanup(server.Kill)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("autantest: the server wrote last:\n%s", server.log)
		}
	})

	ctx, cancel := context.WithTimeout(context.Background(), cfg.timeout)
	defer cancel()
	if server.Addr, err = server.waitForAddress(ctx, portFile); err == nil {
		err = server.waitForHealth(ctx)
	}
	if err != nil {
		t.Fatalf("autantest: %s is not ready: %v", command, err)
	}
	return server
}

// Dial returns a client of the server, closed at the end of the test.
func (s *Server) Dial(t testing.TB, opts ...autan.DialOption) *autan.Client {
	t.Helper()
	client, err := autan.Dial(t.Context(), s.Addr, opts...)
	if err != nil {
		t.Fatalf("autantest: %v", err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Errorf("autantest: close the client: %v", err)
		}
	})
	return client
}

// Kill ends the server at once, as a crash does, and waits until it is gone.
func (s *Server) Kill() {
	s.process.kill()
	<-s.process.done
}

// Stop asks the server to end, waits for it, and returns what it ended with. A server that is not
// gone when ctx ends is killed.
func (s *Server) Stop(ctx context.Context) error {
	if err := s.process.interrupt(); err != nil {
		return err
	}
	select {
	case <-s.process.done:
		return s.process.err
	case <-ctx.Done():
		s.Kill()
		return fmt.Errorf("autantest: the server had to be killed: %w", ctx.Err())
	}
}

// Log returns the last 64 KiB that the server wrote.
func (s *Server) Log() string { return s.log.String() }

func findBinary(t testing.TB, path string) string {
	t.Helper()
	if path == "" {
		path = os.Getenv("AUTAN_BINARY")
	}
	if path == "" {
		path = "autan"
	}
	found, err := exec.LookPath(path)
	if err == nil {
		return found
	}
	text := fmt.Sprintf("autantest: no server to test with: %v; "+
		"set AUTAN_BINARY to the binary `autan`, or put it on the PATH", err)
	if os.Getenv("CI") == "true" {
		t.Fatal(text)
	}
	t.Skip("SKIPPED " + text)
	return ""
}

// The pauses between two looks at something that cannot tell by itself.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = 200 * time.Millisecond
)

// poll asks until the answer is yes, the process ends or ctx does.
func (s *Server) poll(ctx context.Context, what string, ask func() (bool, error)) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("no %s: %w; the server wrote:\n%s", what, ctx.Err(), s.log)
		case <-s.process.done:
			return fmt.Errorf("no %s: the server ended with %v, and wrote:\n%s", what,
				s.process.state(), s.log)
		case <-timer.C:
		}
		if ok, err := ask(); ok || err != nil {
			return err
		}
		timer.Reset(pause)
	}
}

// waitForAddress waits for the file that the server writes once it listens.
func (s *Server) waitForAddress(ctx context.Context, file string) (addr string, err error) {
	err = s.poll(ctx, "address", func() (bool, error) {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			return false, nil
		}
		addr = strings.TrimSpace(string(text))
		return addr != "", err
	})
	return addr, err
}

func (s *Server) waitForHealth(ctx context.Context) error {
	conn, err := grpc.NewClient(s.Addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // nothing is open on it
	health := healthpb.NewHealthClient(conn)
	return s.poll(ctx, "health", func() (bool, error) {
		answer, err := health.Check(ctx, &healthpb.HealthCheckRequest{})
		return err == nil && answer.GetStatus() == healthpb.HealthCheckResponse_SERVING, nil
	})
}

// tail keeps the last part of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 64 << 10

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailSize; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

// String returns what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

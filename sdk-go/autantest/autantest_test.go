package autantest_test

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/autan-dev/autan/sdk-go/autantest"
	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// asServer makes this test binary a stand-in for the server; its value says how it behaves.
const asServer = "AUTANTEST_AS_SERVER"

func TestMain(m *testing.M) {
	if mode := os.Getenv(asServer); mode != "" {
		if err := serve(mode, os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(7)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serve understands the arguments of `autan serve` that autantest gives.
func serve(mode string, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.Bool("dev", false, "")
	listen := flags.String("listen", "", "")
	portFile := flags.String("port-file", "", "")
	dataDir := flags.String("data-dir", "none", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if mode == "fails" {
		return fmt.Errorf("no such thing as %s", *listen)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	state := health.NewServer()
	healthpb.RegisterHealthServer(server, state)
	pb.RegisterSystemServiceServer(server, info{storage: *dataDir})
	if mode == "unhealthy" {
		state.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING)
	}
	if mode != "stubborn" {
		interrupted := make(chan os.Signal, 1)
		signal.Notify(interrupted, os.Interrupt)
		go func() { <-interrupted; server.GracefulStop() }()
	} else {
		signal.Ignore(os.Interrupt)
	}
	fmt.Println("listening on", listener.Addr())
	if err := os.WriteFile(*portFile, []byte(listener.Addr().String()+"\n"), 0o600); err != nil {
		return err
	}
	return server.Serve(listener)
}

type info struct {
	pb.UnimplementedSystemServiceServer
	storage string
}

func (i info) GetServerInfo(
	context.Context, *pb.GetServerInfoRequest,
) (*pb.GetServerInfoResponse, error) {
	return &pb.GetServerInfoResponse{Storage: i.storage}, nil
}

func asMode(t *testing.T, mode string) autantest.Option {
	t.Helper()
	t.Setenv(asServer, mode)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return autantest.WithBinary(self)
}

func TestStartLocal(t *testing.T) {
	dir := t.TempDir()
	server := autantest.StartLocal(t, asMode(t, "good"), autantest.WithDataDir(dir))
	got, err := server.Dial(t).ServerInfo(t.Context())
	if err != nil || got.Storage != dir {
		t.Errorf("got %+v, %v", got, err)
	}
	if !strings.Contains(server.Log(), "listening on "+server.Addr) {
		t.Errorf("log: %q", server.Log())
	}
	server.Kill()
	server.Kill() // a second time is no fault
	again := autantest.StartLocal(t, asMode(t, "good"), autantest.WithListen(server.Addr))
	if again.Addr != server.Addr {
		t.Errorf("got %s, want %s", again.Addr, server.Addr)
	}
	if err := again.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := again.Stop(t.Context()); err != nil {
		t.Errorf("the second time: %v", err)
	}
}

func TestStopKillsAServerThatDoesNotListen(t *testing.T) {
	server := autantest.StartLocal(t, asMode(t, "stubborn"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := server.Stop(ctx); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("got %v", err)
	}
}

// recorder is a test that may fail without harm. Its Fatal and Skip end the goroutine, as those of
// a real test do.
type recorder struct {
	testing.TB
	text            strings.Builder
	failed, skipped bool
	cleanups        []func()
}

type ended struct{}

func (r *recorder) Helper()          {}
func (r *recorder) Failed() bool     { return r.failed }
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Logf(format string, args ...any) {
	fmt.Fprintf(&r.text, format, args...)
}

func (r *recorder) Fatal(args ...any) {
	r.failed = true
	fmt.Fprint(&r.text, args...)
	panic(ended{})
}

func (r *recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }

func (r *recorder) Skip(args ...any) {
	r.skipped = true
	fmt.Fprint(&r.text, args...)
	panic(ended{})
}

func TestStartLocalSaysWhatIsWrong(t *testing.T) {
	nowhere := autantest.WithBinary(filepath.Join(t.TempDir(), "autan"))
	soon := autantest.WithStartTimeout(200 * time.Millisecond)
	for name, c := range map[string]struct {
		mode    string // of the stand-in; empty for no binary
		ci      string
		skipped bool
		want    string
	}{
		"no binary":        {"", "", true, "SKIPPED autantest: no server to test with"},
		"no binary, in CI": {"", "true", false, "set AUTAN_BINARY"},
		"server ends":      {"fails", "", false, "exit status 7, and wrote:\nno such thing as 127"},
		"never healthy":    {"unhealthy", "", false, "no health: context deadline exceeded"},
		"unknown argument": {"good", "", false, "flag provided but not defined"},
		"bad address":      {"good", "", false, "no address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("CI", c.ci)
			opts := []autantest.Option{soon, nowhere}
			if c.mode != "" {
				opts[1] = asMode(t, c.mode)
			}
			switch name {
			case "unknown argument":
				opts = append(opts, autantest.WithArgs("--nonsense"))
			case "bad address":
				opts = append(opts, autantest.WithListen("256.0.0.1:0"))
			}
			r := &recorder{TB: t}
			func() {
				defer func() {
					if p := recover(); p != nil && p != (ended{}) {
						panic(p)
					}
				}()
				autantest.StartLocal(r, opts...)
			}()
			for i := len(r.cleanups) - 1; i >= 0; i-- {
				r.cleanups[i]()
			}
			if r.skipped != c.skipped || r.failed == c.skipped {
				t.Errorf("skipped %v, failed %v", r.skipped, r.failed)
			}
			if !strings.Contains(r.text.String(), c.want) {
				t.Errorf("got %q, want %q", r.text.String(), c.want)
			}
		})
	}
}

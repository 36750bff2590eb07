package autan

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// fake is a server in this process. A test sets the functions that it expects to be called, by
// full method name; the others are UNIMPLEMENTED.
type fake struct {
	unary map[string]func(ctx context.Context, req proto.Message) (proto.Message, error)
	watch func(*pb.WatchExecutionRequest, watchStream) error
	many  func(*pb.WatchExecutionsRequest, manyStream) error
	// connects gets the streams of workers, which the test then holds in its hands.
	connects chan *fakeStream
	// connect, if set, decides about a stream of a worker before; an error refuses it.
	connect func() error

	mu    sync.Mutex
	calls []proto.Message
}

type (
	watchStream = grpc.ServerStreamingServer[pb.WatchExecutionResponse]
	manyStream  = grpc.ServerStreamingServer[pb.WatchExecutionsResponse]
)

// watchService serves streams; unary calls never get to it, the interceptor answers them.
type watchService struct {
	pb.UnimplementedExecutionServiceServer
	fake *fake
}

func (s watchService) WatchExecution(r *pb.WatchExecutionRequest, stream watchStream) error {
	if s.fake.watch == nil {
		return status.Error(codes.Unimplemented, "no streams")
	}
	s.fake.record(r)
	return s.fake.watch(r, stream)
}

func (s watchService) WatchExecutions(r *pb.WatchExecutionsRequest, stream manyStream) error {
	s.fake.record(r)
	return s.fake.many(r, stream)
}

func newFake() *fake {
	return &fake{
		unary:    map[string]func(context.Context, proto.Message) (proto.Message, error){},
		connects: make(chan *fakeStream, 100),
	}
}

// on sets the answer to a method, such as "ExecutionService/GetExecution".
func on[Q, R proto.Message](f *fake, method string, answer func(context.Context, Q) (R, error)) {
	f.unary["/autan.v1."+method] = func(
		ctx context.Context, req proto.Message,
	) (proto.Message, error) {
		return answer(ctx, req.(Q))
	}
}

func (f *fake) record(req proto.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, proto.Clone(req))
}

// requests returns the recorded requests of one type, in order.
func requests[Q proto.Message](f *fake) []Q {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Q
	for _, call := range f.calls {
		if q, ok := call.(Q); ok {
			out = append(out, q)
		}
	}
	return out
}

func (f *fake) intercept(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler,
) (any, error) {
	f.record(req.(proto.Message))
	answer, ok := f.unary[info.FullMethod]
	if !ok {
		return nil, status.Error(codes.Unimplemented, info.FullMethod)
	}
	return answer(ctx, req.(proto.Message))
}

// fastTiming keeps the proportions of the real times.
func fastTiming() timing {
	return timing{
		callTimeout: 10 * time.Second,
		baseDelay:   time.Millisecond,
		maxDelay:    5 * time.Millisecond,
		maxRejoin:   5 * time.Millisecond,
		maxPushback: 100 * time.Millisecond,
		heartbeat:   10 * time.Second,
		missed:      3,
		slowReader:  10 * time.Millisecond,
		outage:      10 * time.Second,
	}
}

// dialFake starts the server and returns a client of it. Options come after the test's own.
func dialFake(t *testing.T, f *fake, opts ...DialOption) *Client {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.UnaryInterceptor(f.intercept))
	pb.RegisterExecutionServiceServer(server, watchService{fake: f})
	pb.RegisterActionServiceServer(server, pb.UnimplementedActionServiceServer{})
	pb.RegisterEnvironmentServiceServer(server, pb.UnimplementedEnvironmentServiceServer{})
	pb.RegisterTaskServiceServer(server, pb.UnimplementedTaskServiceServer{})
	pb.RegisterWorkflowServiceServer(server, pb.UnimplementedWorkflowServiceServer{})
	pb.RegisterWorkbookServiceServer(server, pb.UnimplementedWorkbookServiceServer{})
	pb.RegisterSystemServiceServer(server, pb.UnimplementedSystemServiceServer{})
	pb.RegisterWorkerServiceServer(server, workerService{fake: f})
	pb.RegisterWorkerAdminServiceServer(server, pb.UnimplementedWorkerAdminServiceServer{})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	base := []DialOption{
		func(c *dialConfig) { c.timing = fastTiming() },
		WithGRPCOptions(grpc.WithContextDialer(
			func(ctx context.Context, _ string) (net.Conn, error) {
				return listener.DialContext(ctx)
			})),
	}
	c, err := Dial(t.Context(), "passthrough:///fake", append(base, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// fail makes an error as the server does.
func fail(code codes.Code, reason Reason, more ...protoadapt.MessageV1) error {
	info := &errdetails.ErrorInfo{
		Reason: string(reason), Domain: "autan", Metadata: map[string]string{"limit": "7"},
	}
	s, err := status.New(code, "it failed").WithDetails(append([]protoadapt.MessageV1{info},
		more...)...)
	if err != nil {
		return err
	}
	return s.Err()
}

// protoJSON writes a request as JSON; the spaces in it vary from build to build.
func protoJSON(t *testing.T, m proto.Message) []byte {
	t.Helper()
	text, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

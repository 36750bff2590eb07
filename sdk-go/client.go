package autan

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	pb "github.com/autan-dev/autan/sdk-go/internal/pb/autan/v1"
)

// Version is the version of this package, sent to the server as part of the user agent.
const Version = "0.1.0"

// Client talks to one Autan server, or to several behind one address. It holds one connection for
// calls and opens others for streams. Make one with [Dial], share it, and Close it at the end.
type Client struct {
	project string
	timing  timing
	calls   *grpc.ClientConn
	watches *watchPool

	actions      pb.ActionServiceClient
	environments pb.EnvironmentServiceClient
	executions   pb.ExecutionServiceClient
	tasks        pb.TaskServiceClient
	workflows    pb.WorkflowServiceClient
	workbooks    pb.WorkbookServiceClient
	system       pb.SystemServiceClient
	workers      pb.WorkerServiceClient
	workerAdmin  pb.WorkerAdminServiceClient

	workerID     string // of calls that are made without a Worker
	workerTiming workerTiming
	dialStream   func() (*grpc.ClientConn, error)
	closed       chan struct{}
	closing      sync.Once
	ahead        atomic.Int64 // of the server's clock before this one, in nanoseconds
}

// Dial connects to the server at addr: "host:port", "http://host:port", or "https://host:port",
// which implies TLS with the certificates of the system.
//
// Dial returns when the server has answered. It tries until ctx ends, or for [WithDialTimeout]
// (10 s by default); with [WithLazyDial] it does not connect at all, the first call does.
//
// Errors: UNAVAILABLE or DEADLINE_EXCEEDED if nobody answers, UNAUTHENTICATED and
// PERMISSION_DENIED for a wrong token.
func Dial(ctx context.Context, addr string, opts ...DialOption) (*Client, error) {
	cfg := defaultDialConfig()
	for _, opt := range opts {
		opt(&cfg)
	}
	if err := checkIdentity(cfg.identity); err != nil {
		return nil, err
	}
	target, secure, err := splitAddress(addr)
	if err != nil {
		return nil, err
	}
	if secure && cfg.tls == nil {
		cfg.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c, err := newClient(target, cfg)
	if err != nil {
		return nil, err
	}
	if cfg.lazy {
		return c, nil
	}
	if err := c.waitReady(ctx, cfg.dialTimeout); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func newClient(target string, cfg dialConfig) (*Client, error) {
	// The retrier is outermost: interceptors of the user see each attempt.
	retries := grpc.WithChainUnaryInterceptor(newRetrier(cfg.timing).intercept)
	conn, err := grpc.NewClient(target, slices.Concat(cfg.transport(),
		[]grpc.DialOption{retries}, cfg.grpc)...)
	if err != nil {
		return nil, fmt.Errorf("autan: address %q: %w", target, err)
	}
	dialStream := func() (*grpc.ClientConn, error) {
		return grpc.NewClient(target, slices.Concat(cfg.transport(), cfg.grpc)...)
	}
	return &Client{
		project:      cfg.project,
		timing:       cfg.timing,
		calls:        conn,
		watches:      newWatchPool(dialStream),
		actions:      pb.NewActionServiceClient(conn),
		environments: pb.NewEnvironmentServiceClient(conn),
		executions:   pb.NewExecutionServiceClient(conn),
		tasks:        pb.NewTaskServiceClient(conn),
		workflows:    pb.NewWorkflowServiceClient(conn),
		workbooks:    pb.NewWorkbookServiceClient(conn),
		system:       pb.NewSystemServiceClient(conn),
		workers:      pb.NewWorkerServiceClient(conn),
		workerAdmin:  pb.NewWorkerAdminServiceClient(conn),
		workerID:     newRequestID(),
		workerTiming: defaultWorkerTiming(),
		dialStream:   dialStream,
		closed:       make(chan struct{}),
	}, nil
}

// waitReady asks for the server's info and lets gRPC wait for the connection meanwhile.
func (c *Client) waitReady(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		_, err := c.system.GetServerInfo(ctx, &pb.GetServerInfoRequest{Project: c.project},
			grpc.WaitForReady(true))
		switch {
		case isCode(err, codes.Unimplemented):
			return nil // a server without the service is still a server
		case isCode(err, codes.DeadlineExceeded) && ctx.Err() == nil:
			continue // one attempt of a call is shorter than the wait that was asked for
		}
		return err
	}
}

// Close closes the connections. Running calls, streams and workers of this client end with
// CANCELLED.
func (c *Client) Close() error {
	c.closing.Do(func() { close(c.closed) })
	return errors.Join(c.calls.Close(), c.watches.close())
}

// Project returns the project that the client works in.
func (c *Client) Project() string { return c.project }

// Workflows returns the client's access to definitions of workflows.
func (c *Client) Workflows() *Workflows { return &Workflows{client: c} }

// Workbooks returns the client's access to workbooks.
func (c *Client) Workbooks() *Workbooks { return &Workbooks{client: c} }

// Actions returns the client's access to actions, built-in and ad-hoc.
func (c *Client) Actions() *Actions { return &Actions{client: c} }

// Workers returns the client's access to the programs that provide actions. To be one, see
// [NewWorker].
func (c *Client) Workers() *Workers { return &Workers{client: c} }

// Queues returns the client's access to the queues that tasks wait in for workers.
func (c *Client) Queues() *Queues { return &Queues{client: c} }

// Environments returns the client's access to environments.
func (c *Client) Environments() *Environments { return &Environments{client: c} }

// Batches returns the access to verbs for many executions.
func (c *Client) Batches() *Batches { return &Batches{client: c} }

// ServerInfo says what the server is.
type ServerInfo struct {
	// Version is the version of the server, in semantic versioning.
	Version string
	// Capabilities says what the server can do beyond the first version of the API.
	Capabilities []string
	// Limits holds limits by name: bytes, counts or milliseconds, as the name says.
	Limits map[string]int64
	// StartTime is when the server started.
	StartTime time.Time
	// CurrentTime is the server's clock.
	CurrentTime time.Time
	// Storage is "sqlite" or "memory".
	Storage string
	// AuditViolations counts executions that the auditor has found running without anything that
	// would move them, since the server started; each was loaded again.
	AuditViolations int64
	// AuditFailures counts those of them that loading again has not mended.
	AuditFailures int64
}

// ServerInfo returns version, capabilities and limits of the server.
func (c *Client) ServerInfo(ctx context.Context) (*ServerInfo, error) {
	r, err := c.system.GetServerInfo(ctx, &pb.GetServerInfoRequest{Project: c.project})
	if err != nil {
		return nil, err
	}
	return &ServerInfo{
		Version:      r.GetVersion(),
		Capabilities: r.GetCapabilities(),
		Limits:       r.GetLimits(),
		StartTime:    timeFrom(r.GetStartTime()),
		CurrentTime:  timeFrom(r.GetCurrentTime()),
		Storage:      r.GetStorage(),

		AuditViolations: r.GetAuditViolations(),
		AuditFailures:   r.GetAuditFailures(),
	}, nil
}

// Cluster is the servers that share a database; of one that has its database for itself, that one.
type Cluster struct {
	// Servers holds those that are there, and those that have gone and whose place nobody has taken.
	Servers []ClusterServer
	// Shards counts the parts that executions are divided into; each belongs to one server at a time.
	Shards int
	// FreeShards counts those that nobody has at this moment.
	FreeShards int
}

// ClusterServer is a server of those that share a database.
type ClusterServer struct {
	// ServerID is its place, and which server it is of those that have had the place.
	ServerID string
	// Address is where the others reach it, host:port; empty if there are no others.
	Address string
	// Version is its version, in semantic versioning.
	Version string
	// State is "LIVE", "LEFT" in order, or "FENCED" by the others, who took it for dead.
	State string
	// StartTime is when it came.
	StartTime time.Time
	// Shards counts the shards that it has.
	Shards int
	// HandsOutWork tells whether it hands work out to workers, for all.
	HandsOutWork bool
	// Answers tells whether it is the one that answered.
	Answers bool
}

// Cluster returns the servers that share the database, and what each of them has.
func (c *Client) Cluster(ctx context.Context) (*Cluster, error) {
	r, err := c.system.GetCluster(ctx, &pb.GetClusterRequest{})
	if err != nil {
		return nil, err
	}
	cluster := &Cluster{Shards: int(r.GetShards()), FreeShards: int(r.GetFreeShards())}
	for _, s := range r.GetServers() {
		cluster.Servers = append(cluster.Servers, ClusterServer{
			ServerID:     s.GetServerId(),
			Address:      s.GetAddress(),
			Version:      s.GetVersion(),
			State:        strings.TrimPrefix(s.GetState().String(), "SERVER_STATE_"),
			StartTime:    timeFrom(s.GetStartTime()),
			Shards:       int(s.GetShards()),
			HandsOutWork: s.GetHandsOutWork(),
			Answers:      s.GetAnswers(),
		})
	}
	return cluster, nil
}

// splitAddress takes the scheme off an address. Other schemes, such as "dns:///" and
// "passthrough:///", are gRPC's own and stay.
func splitAddress(addr string) (target string, secure bool, err error) {
	if addr == "" {
		return "", false, errors.New("autan: the address is empty")
	}
	if !strings.HasPrefix(addr, "http://") && !strings.HasPrefix(addr, "https://") {
		return addr, false, nil
	}
	u, err := url.Parse(addr)
	if err != nil {
		return "", false, fmt.Errorf("autan: address %q: %w", addr, err)
	}
	if u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.User != nil {
		return "", false, fmt.Errorf("autan: address %q: want scheme, host and port only", addr)
	}
	secure = u.Scheme == "https"
	if u.Port() == "" {
		port := ":80"
		if secure {
			port = ":443"
		}
		return u.Host + port, secure, nil
	}
	return u.Host, secure, nil
}

// newRequestID returns a UUID of version 7 (RFC 9562): it begins with the time in milliseconds, so
// that those of one hour lie side by side in the server's index; the rest is random.
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, by its contract
	now := uint64(time.Now().UnixMilli())
	binary.BigEndian.PutUint16(b[:2], uint16(now>>32))
	binary.BigEndian.PutUint32(b[2:6], uint32(now))
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// transport returns the options that all connections share.
func (cfg *dialConfig) transport() []grpc.DialOption {
	transport := insecure.NewCredentials()
	if cfg.tls != nil {
		transport = credentials.NewTLS(cfg.tls)
	}
	return []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithPerRPCCredentials(callMetadata{
			project: cfg.project, identity: cfg.identity, token: cfg.token,
		}),
		grpc.WithUserAgent("autan-go/" + Version),
		grpc.WithDisableServiceConfig(),
		// One policy of retries is enough: the retrier's. Streams are resumed, not retried.
		grpc.WithDisableRetry(),
		// gRPC's own pauses grow to 2 min, too long for a server that was restarted.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay:  cfg.timing.baseDelay,
				Multiplier: 1.6,
				Jitter:     0.2,
				MaxDelay:   cfg.timing.maxDelay,
			},
			MinConnectTimeout: 10 * time.Second,
		}),
		// Finds dead peers. Servers tolerate one ping a minute while calls are open.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time:    60 * time.Second,
			Timeout: 20 * time.Second,
		}),
	}
}

package autan

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"google.golang.org/grpc"
)

// DialOption changes how [Dial] connects.
type DialOption func(*dialConfig)

type dialConfig struct {
	project     string
	identity    string
	tls         *tls.Config
	token       func(context.Context) (string, error)
	dialTimeout time.Duration
	lazy        bool
	timing      timing
	grpc        []grpc.DialOption
}

func defaultDialConfig() dialConfig {
	return dialConfig{
		project:     "default",
		identity:    callerIdentity(),
		dialTimeout: 10 * time.Second,
		timing:      defaultTiming(),
	}
}

// WithProject chooses the project (tenant) of all calls; "default" without it.
func WithProject(project string) DialOption {
	return func(c *dialConfig) {
		if project != "" {
			c.project = project
		}
	}
}

// WithCallerIdentity is how the program names itself to people: what it starts and steers has that
// in its history, for example in "paused by …". It is at most 200 printable ASCII characters;
// "user@host/pid" without it. A worker names itself by [WithIdentity].
func WithCallerIdentity(identity string) DialOption {
	return func(c *dialConfig) { c.identity = identity }
}

// WithTLS turns TLS on, with this configuration. Client certificates in it are sent.
func WithTLS(config *tls.Config) DialOption {
	return func(c *dialConfig) { c.tls = config }
}

// WithToken sends a bearer token with each call. Without TLS it goes over the wire as it is; that
// is meant for servers on the same machine and behind the proxy of a service mesh.
func WithToken(token string) DialOption {
	return WithTokenSource(func(context.Context) (string, error) { return token, nil })
}

// WithTokenSource sends a bearer token with each call, as [WithToken], and asks the function for
// it each time. The function must be safe for concurrent use and cache what is costly.
func WithTokenSource(source func(context.Context) (string, error)) DialOption {
	return func(c *dialConfig) { c.token = source }
}

// WithDialTimeout limits how long [Dial] waits for the server; 10 s without it.
func WithDialTimeout(d time.Duration) DialOption {
	return func(c *dialConfig) { c.dialTimeout = d }
}

// WithLazyDial makes [Dial] return at once: the first call connects.
func WithLazyDial() DialOption {
	return func(c *dialConfig) { c.lazy = true }
}

// WithCallTimeout limits each attempt of a call; 15 s without it. The whole call is limited by its
// context. It must be above 10 s, or waits by call end early.
func WithCallTimeout(d time.Duration) DialOption {
	return func(c *dialConfig) { c.timing.callTimeout = d }
}

// WithGRPCOptions adds options to all connections, for interceptors, tracing, or a dialer of your
// own. They come last and win.
func WithGRPCOptions(options ...grpc.DialOption) DialOption {
	return func(c *dialConfig) { c.grpc = append(c.grpc, options...) }
}

// identityMax is the longest name of a caller, in bytes.
const identityMax = 200

// callerIdentity is "user@host/pid", as it can stand in a header.
func callerIdentity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	name := fmt.Sprintf("%s/%d", host, os.Getpid())
	if who, err := user.Current(); err == nil && who.Username != "" {
		name = who.Username + "@" + name
	}
	fit := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, name)
	return fit[:min(len(fit), identityMax)]
}

// checkIdentity refuses what cannot stand in a header.
func checkIdentity(identity string) error {
	unfit := func(r rune) bool { return r < ' ' || r > '~' }
	if len(identity) > identityMax || strings.ContainsFunc(identity, unfit) {
		return fmt.Errorf("autan: the identity %q is not at most %d printable ASCII characters",
			identity, identityMax)
	}
	return nil
}

// callMetadata sends the token, and the project as a header, so that a proxy can route and allow
// by project without reading messages.
type callMetadata struct {
	project  string
	identity string
	token    func(context.Context) (string, error)
}

// GetRequestMetadata returns the headers of one call.
func (m callMetadata) GetRequestMetadata(
	ctx context.Context, _ ...string,
) (map[string]string, error) {
	headers := map[string]string{"autan-project": m.project}
	if m.identity != "" {
		headers["autan-identity"] = m.identity
	}
	if m.token == nil {
		return headers, nil
	}
	token, err := m.token(ctx)
	if err != nil {
		return nil, err
	}
	if token != "" {
		headers["authorization"] = "Bearer " + token
	}
	return headers, nil
}

// RequireTransportSecurity allows plain text: see [WithToken].
func (m callMetadata) RequireTransportSecurity() bool { return false }

package autan

import (
	"errors"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// maxWatchesPerConn bounds how many streams can be held up by one that is not read.
const maxWatchesPerConn = 4

// watchPool owns the connections of streams. They are apart from the connection of calls, because a
// reader that stalls fills the window of its whole connection.
type watchPool struct {
	dial func() (*grpc.ClientConn, error)

	mu     sync.Mutex
	conns  []*watchConn
	closed bool
}

type watchConn struct {
	*grpc.ClientConn
	users int
}

// errClosed is what streams of a closed client end with.
var errClosed error = &Error{Code: codes.Canceled, Message: "the client is closed"}

func newWatchPool(dial func() (*grpc.ClientConn, error)) *watchPool {
	return &watchPool{dial: dial}
}

// acquire returns a connection with room for one more stream; give it back with release.
func (p *watchPool) acquire() (*watchConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	for _, conn := range p.conns {
		if conn.users < maxWatchesPerConn {
			conn.users++
			return conn, nil
		}
	}
	raw, err := p.dial() // does not block: gRPC connects at the first use
	if err != nil {
		return nil, err
	}
	conn := &watchConn{ClientConn: raw, users: 1}
	p.conns = append(p.conns, conn)
	return conn, nil
}

// release keeps one idle connection for the next stream and closes the others.
func (p *watchPool) release(conn *watchConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	conn.users--
	if conn.users > 0 || len(p.conns) <= 1 || p.closed {
		return
	}
	p.conns = slices.DeleteFunc(p.conns, func(c *watchConn) bool { return c == conn })
	_ = conn.Close() // fails only if it is closed already
}

func (p *watchPool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for _, conn := range p.conns {
		errs = append(errs, conn.Close())
	}
	p.conns = nil
	return errors.Join(errs...)
}

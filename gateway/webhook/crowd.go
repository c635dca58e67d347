package webhook

import (
	"container/list"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
)

// maxOpen is how many connections a listener has open. Platforms need few, and
// for moments; each may cost a first part of a body and some 64 KiB for its head
// and for TLS, and a file of the thousands that a process commonly may have.
const maxOpen = 2048

// crowd is a listener that makes room for whoever comes, because to let them
// wait, as netutil.LimitListener does, would leave the platforms outside for as
// long as strangers hold what is open. Closed is the connection that has been
// longest without a call, which is idle or sends its head slowly; and where all
// have one, the call that has lasted longest. A platform sends and is answered
// within moments, and repeats what was not answered.
type crowd struct {
	*net.TCPListener
	most int
	log  *seldom

	mu            sync.Mutex
	waiting, busy list.List // of *guest; who has been there longest is the first
}

// guest is an open connection. It is a *net.TCPConn still, whose CloseWrite
// net/http needs so that an answer is read before the connection ends.
type guest struct {
	*net.TCPConn
	crowd *crowd
	in    *list.List // nil when closed
	place *list.Element
	hurry context.CancelFunc
}

// Accept gives the next connection.
func (c *crowd) Accept() (net.Conn, error) {
	conn, err := c.AcceptTCP()
	if err != nil {
		return nil, err
	}
	g := &guest{TCPConn: conn, crowd: c}
	if out := c.enter(g); out != nil {
		c.log.log(slog.LevelWarn, "connection closed to make room for another", "address", c.Addr().String(), "most", c.most)
		_ = out.Close()
	}
	return g, nil
}

// enter lets a connection in, and names the one that has to go for it.
func (c *crowd) enter(g *guest) (out *guest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting.Len()+c.busy.Len() >= c.most {
		first := c.waiting.Front()
		if first == nil {
			first = c.busy.Front()
		}
		out = first.Value.(*guest)
		c.move(out, nil)
	}
	c.move(g, &c.waiting)
	return out
}

// move puts a connection at the end of a list, or in none.
func (c *crowd) move(g *guest, to *list.List) {
	if g.in != nil {
		g.in.Remove(g.place)
	}
	g.in = to
	if to != nil {
		g.place = to.PushBack(g)
	}
}

// changed is told by net/http that a call's head has arrived, or that a call is
// over.
func (c *crowd) changed(conn net.Conn, state http.ConnState) {
	g := guestOf(conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case g.in == nil:
	case state == http.StateActive:
		c.move(g, &c.busy)
	case state == http.StateIdle:
		c.move(g, &c.waiting)
	}
}

// lifetime is the context of a connection's calls. It ends with the connection,
// so that the call of one that was closed does not wait on for room.
func lifetime(ctx context.Context, conn net.Conn) context.Context {
	ctx, guestOf(conn).hurry = context.WithCancel(ctx)
	return ctx
}

func guestOf(conn net.Conn) *guest {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	return conn.(*guest)
}

// Close ends the connection, and leaves its place to another. The server calls
// it and, before it takes the next connection, so does the crowd.
func (g *guest) Close() error {
	g.crowd.mu.Lock()
	g.crowd.move(g, nil)
	g.crowd.mu.Unlock()
	g.hurry()
	return g.TCPConn.Close()
}

package load

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"
)

const (
	// answerTime is how long a platform waits for an answer here. It is longer
	// than any real one's, so that late answers are seen and not guessed.
	answerTime = 15 * time.Second
	// idleTime is after how long a connection is not used again: servers close
	// those that are idle, and a call that meets that is lost on the way.
	idleTime = 20 * time.Second
	// maxAnswer is how long a body may be that is read to its end.
	maxAnswer = 64 << 10
)

// Client is one connection over which a platform calls a gateway. It writes what
// is ready and reads the status and where the answer ends, which costs a fraction
// of what net/http's client does: processor time that would be missing in the
// gateway that is measured on the same machine.
type Client struct {
	address string
	tls     *tls.Config // nil for plain http
	conn    net.Conn
	in      *bufio.Reader
	used    time.Time
}

// NewClient makes a client of a gateway, http:// or https://; it connects with
// the first call. A path is left to the calls themselves.
func NewClient(gateway string) (*Client, error) {
	u, err := url.Parse(gateway)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is not the address of a gateway, such as http://127.0.0.1:8080", gateway)
	}
	c := &Client{address: u.Host}
	port := "80"
	if u.Scheme == "https" {
		port = "443"
		c.tls = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	}
	if u.Port() == "" {
		c.address = net.JoinHostPort(u.Hostname(), port)
	}
	return c, nil
}

// Send makes a call and returns the status of its answer. Where there is none,
// the gateway may have accepted it all the same. ctx bounds only the connecting:
// a call that has left is waited for.
func (c *Client) Send(ctx context.Context, call *Call) (status int, err error) {
	if c.conn != nil && time.Since(c.used) > idleTime {
		c.Close()
	}
	if err := c.Connect(ctx); err != nil {
		return 0, err
	}
	status, again, err := c.exchange(call.bytes)
	c.used = time.Now()
	if !again {
		c.Close()
	}
	return status, err
}

// Connect makes the connection, unless it is there.
func (c *Client) Connect(ctx context.Context) error {
	if c.conn != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.address)
	if err != nil {
		return fmt.Errorf("the gateway at %s cannot be reached", c.address)
	}
	if c.tls != nil {
		conn = tls.Client(conn, c.tls)
	}
	c.conn, c.in = conn, bufio.NewReader(conn)
	return nil
}

// exchange writes a call and reads its answer; again tells that the connection
// is good for another.
func (c *Client) exchange(call []byte) (status int, again bool, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return 0, false, err
	}
	if _, err := c.conn.Write(call); err != nil {
		return 0, false, errors.New("the call was cut off")
	}
	return readAnswer(c.in)
}

// readAnswer reads an answer of HTTP/1.1 to its end. One whose end only the
// connection's tells, or that comes in chunks, is not read on: its status is
// known, and the connection is not used again.
func readAnswer(in *bufio.Reader) (status int, again bool, err error) {
	for length := -1; ; {
		line, err := in.ReadSlice('\n')
		switch {
		case err != nil:
			return 0, false, errors.New("no answer")
		case status == 0:
			// HTTP/1.1 200 OK
			if len(line) < 12 || string(line[:7]) != "HTTP/1." {
				return 0, false, errors.New("an answer that is no HTTP")
			}
			status, err = strconv.Atoi(string(line[9:12]))
			again = line[7] == '1'
		case len(line) <= 2:
			if length < 0 || length > maxAnswer {
				return status, false, nil
			}
			_, err = in.Discard(length)
			return status, again && err == nil, nil
		case header(line, "content-length:"):
			length, err = strconv.Atoi(string(bytes.TrimSpace(line[len("content-length:"):])))
		case header(line, "connection:"):
			again = again && !bytes.Contains(bytes.ToLower(line), []byte("close"))
		}
		if err != nil {
			return 0, false, errors.New("an answer that is no HTTP")
		}
	}
}

// header tells whether a line of an answer's head is of that name.
func header(line []byte, name string) bool {
	return len(line) > len(name) && bytes.EqualFold(line[:len(name)], []byte(name))
}

// Close ends the connection; the next call makes another.
func (c *Client) Close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

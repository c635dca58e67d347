package redisserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// ErrNotRunning means that no server of this package works in the folder.
var ErrNotRunning = errors.New("no gateway runs with this data folder")

// Running returns the socket of the server that another process has started in
// dir, and starts, locks and makes nothing itself. Its error unwraps to
// ErrNotRunning if there is none, and to fs.ErrPermission if it is another
// user's.
func Running(ctx context.Context, dir string) (socket string, err error) {
	if dir, err = filepath.Abs(dir); err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("redisserver: %w: there is no %s", ErrNotRunning, dir)
	}
	if err != nil {
		return "", fmt.Errorf("redisserver: %w", err)
	}
	for _, socket := range sockets(dir) {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
		if errors.Is(err, fs.ErrPermission) {
			return "", fmt.Errorf("redisserver: %w", err)
		}
		if err == nil {
			_ = conn.Close()
			return socket, nil
		}
	}
	return "", fmt.Errorf("redisserver: %w: nobody listens in %s", ErrNotRunning, dir)
}

// sockets are the places at which a server of this folder may listen.
func sockets(dir string) []string {
	list := []string{filepath.Join(dir, socketFile)}
	if other, err := os.ReadFile(filepath.Join(dir, elsewhereFile)); err == nil && placed(dir, string(other)) {
		list = append(list, string(other))
	}
	return list
}

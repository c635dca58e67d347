package queuetest

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// readReply reads one whole frame of Redis' protocol, version 2 or 3.
func readReply(from *bufio.Reader) ([]byte, error) {
	line, err := from.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	frame, parts := line, 0
	switch line[0] {
	case '$', '=', '!':
		if n := count(string(line)); n >= 0 {
			body := make([]byte, n+2)
			if _, err := io.ReadFull(from, body); err != nil {
				return nil, err
			}
			frame = append(frame, body...)
		}
	case '*', '~', '>':
		parts = count(string(line))
	case '%':
		parts = 2 * count(string(line))
	case '|': // attributes stand before the reply that they belong to
		parts = 2*count(string(line)) + 1
	}
	for range max(0, parts) {
		part, err := readReply(from)
		if err != nil {
			return nil, err
		}
		frame = append(frame, part...)
	}
	return frame, nil
}

// count reads the number in a frame's first line; -1 stands for nothing there.
func count(line string) int {
	n, err := strconv.Atoi(strings.TrimSpace(line[1:]))
	if err != nil {
		return -1
	}
	return n
}

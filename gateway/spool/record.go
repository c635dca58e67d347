package spool

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// A segment is a head and records behind it. All numbers are little-endian, all
// sums CRC-32C. Other releases read these files: what follows changes with the
// version only, but for the first 32 bytes of a segment and the head of a
// record, which every version begins with.
//
//	segment   0 magic   8 version   12 marker   20 sum of the bytes before
//	         32 how far it is drained   40 zero   44 sum of those two and the marker
//	record    0 marker  8 version   12 length of the body   16 arrival, in ms
//	         24 sum of the body     28 sum of the bytes before
//
// The marker is random for each segment. It shows where a record begins, also
// behind one that is broken, and no consumer can know it and so forge one.
const (
	magic       = "LLSPOOL\n"
	version     = 1
	segmentHead = 64
	recordHead  = 32
	markerSize  = 8
	progressAt  = 32
)

var (
	errNotSegment = errors.New("the head of the file cannot be read")
	errNewer      = errors.New("written by a newer release")
)

type marker [markerSize]byte

func sum(parts ...[]byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // made once, by its documentation
	var s uint32
	for _, p := range parts {
		s = crc32.Update(s, table, p)
	}
	return s
}

// packSegment makes the head of a new segment.
func packSegment(m marker) []byte {
	head := make([]byte, segmentHead)
	copy(head, magic)
	binary.LittleEndian.PutUint16(head[8:], version)
	copy(head[12:], m[:])
	binary.LittleEndian.PutUint32(head[20:], sum(head[:20]))
	copy(head[progressAt:], packProgress(m, segmentHead))
	return head
}

// packProgress makes the part of a segment's head that tells how far it is
// drained. It lies within one sector, and is written in place: that takes no
// room on a disk that is full.
func packProgress(m marker, drained int64) []byte {
	p := make([]byte, 16)
	binary.LittleEndian.PutUint64(p, uint64(drained))
	binary.LittleEndian.PutUint32(p[12:], sum(p[:12], m[:]))
	return p
}

// unpackSegment reads the head of a segment. Progress that cannot be read is
// none: what is handed in again is only a repeat.
func unpackSegment(head []byte) (m marker, drained int64, err error) {
	switch {
	case len(head) < segmentHead, string(head[:8]) != magic, binary.LittleEndian.Uint32(head[20:]) != sum(head[:20]):
		return m, 0, errNotSegment
	case binary.LittleEndian.Uint16(head[8:]) > version:
		return m, 0, errNewer
	}
	m = marker(head[12:])
	p := head[progressAt:]
	drained = int64(binary.LittleEndian.Uint64(p))
	if binary.LittleEndian.Uint32(p[12:]) != sum(p[:12], m[:]) || drained < segmentHead {
		return m, segmentHead, nil
	}
	return m, drained, nil
}

// appendRecord adds a record to what is to be written.
func appendRecord(to []byte, m marker, arrived time.Time, body []byte) []byte {
	var head [recordHead]byte
	copy(head[:], m[:])
	binary.LittleEndian.PutUint16(head[8:], version)
	binary.LittleEndian.PutUint32(head[12:], uint32(len(body)))
	binary.LittleEndian.PutUint64(head[16:], uint64(arrived.UnixMilli()))
	binary.LittleEndian.PutUint32(head[24:], sum(body))
	binary.LittleEndian.PutUint32(head[28:], sum(head[:28]))
	return append(append(to, head[:]...), body...)
}

// head is the head of a record, read.
type head struct {
	version uint16
	length  int64
	arrived time.Time
	sum     uint32
}

// unpackHead tells whether a record of this segment begins here.
func unpackHead(b []byte, m marker) (head, bool) {
	if !bytes.HasPrefix(b, m[:]) || binary.LittleEndian.Uint32(b[28:]) != sum(b[:28]) {
		return head{}, false
	}
	return head{
		version: binary.LittleEndian.Uint16(b[8:]), length: int64(binary.LittleEndian.Uint32(b[12:])),
		arrived: time.UnixMilli(int64(binary.LittleEndian.Uint64(b[16:]))), sum: binary.LittleEndian.Uint32(b[24:]),
	}, true
}

// contents are the events of one webhook for one queue, as the journal would
// have got them.
type contents struct {
	items   []queue.Item
	letters []queue.Letter
}

func (c contents) keys() []string {
	var keys []string
	for _, l := range c.letters {
		keys = append(keys, l.Key)
	}
	for _, i := range c.items {
		keys = append(keys, i.Key)
	}
	return keys
}

// The first line of a body is JSON, and behind it follow the payloads and raw
// events, which may be any bytes, in the order of the line.
type (
	firstLine struct {
		Letters []letterLine `json:"letters,omitempty"`
		Items   []itemLine   `json:"items,omitempty"`
	}
	letterLine struct {
		queue.Letter
		Bytes int `json:"bytes"`
	}
	itemLine struct {
		Kind    queue.ItemKind `json:"kind"`
		Key     string         `json:"key"`
		Party   string         `json:"party"`
		Message string         `json:"message,omitempty"`
		Lane    string         `json:"lane,omitempty"`
		Digest  string         `json:"digest,omitempty"`
		Bytes   int            `json:"bytes"`
	}
)

// pack writes contents as the body of a record.
func (c contents) pack() ([]byte, error) {
	var first firstLine
	var rest [][]byte
	for _, l := range c.letters {
		first.Letters = append(first.Letters, letterLine{l, len(l.Raw)})
		rest = append(rest, l.Raw)
	}
	for _, i := range c.items {
		first.Items = append(first.Items, itemLine{i.Kind, i.Key, i.Party, i.Message, i.Lane, i.Digest, len(i.Payload)})
		rest = append(rest, i.Payload)
	}
	line, err := json.Marshal(first)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	return append(append(line, '\n'), bytes.Join(rest, nil)...), nil
}

// unpack reads the body of a record.
func unpack(body []byte) (contents, error) {
	line, rest, _ := bytes.Cut(body, []byte{'\n'})
	var first firstLine
	if err := json.Unmarshal(line, &first); err != nil {
		return contents{}, errors.New("spool: the first line of a record does not parse")
	}
	var c contents
	short := false
	cut := func(n int) []byte {
		if n < 0 || n > len(rest) {
			short, n = true, 0
		}
		part := rest[:n:n]
		rest = rest[n:]
		return part
	}
	for _, l := range first.Letters {
		l.Raw = cut(l.Bytes)
		c.letters = append(c.letters, l.Letter)
	}
	for _, i := range first.Items {
		c.items = append(c.items, queue.Item{
			Kind: i.Kind, Key: i.Key, Party: i.Party, Message: i.Message, Lane: i.Lane, Digest: i.Digest, Payload: cut(i.Bytes),
		})
	}
	if short || len(rest) != 0 {
		return contents{}, errors.New("spool: a record is not as long as it says")
	}
	return c, nil
}

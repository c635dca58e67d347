package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Markers of ITU-T T.81, table B.1.
const (
	SOF0  = 0xc0
	SOF2  = 0xc2
	DHT   = 0xc4
	DAC   = 0xcc
	RST0  = 0xd0
	RST7  = 0xd7
	SOI   = 0xd8
	EOI   = 0xd9
	SOS   = 0xda
	DQT   = 0xdb
	DNL   = 0xdc
	DRI   = 0xdd
	APP0  = 0xe0
	APP1  = 0xe1
	APP2  = 0xe2
	APP14 = 0xee
	APP15 = 0xef
	COM   = 0xfe
	TEM   = 0x01
)

// ErrCutOff says that the file ends before its picture does.
var ErrCutOff = errors.New("the file is cut off")

// ErrNoPicture says that the file ends well and holds no picture.
var ErrNoPicture = errors.New("there is no picture in the file")

// Segments steps through a JPEG from marker to marker.
type Segments struct {
	// Data is the file; Pos is 2, behind its SOI, at the beginning.
	Data []byte
	// Start is where the current marker begins, Pos where the walk goes on.
	Start, Pos int
	// Marker is the current one, Body its segment without the length: nil
	// where the segment is cut off, and for a marker that has none.
	Marker byte
	Body   []byte
}

// Next moves to the next marker that means something here, skipping fill bytes
// and what other programs left between segments. It is false at the end of the
// data; body is nil where the segment itself is cut off.
func (s *Segments) Next() bool {
	for {
		at := bytes.IndexByte(s.Data[s.Pos:], 0xff)
		if at < 0 || s.Pos+at+1 >= len(s.Data) {
			return false
		}
		s.Pos += at + 1
		s.Marker = s.Data[s.Pos]
		if s.Marker == 0xff {
			continue
		}
		s.Pos++
		if s.Marker != 0 && !IsRestart(s.Marker) && s.Marker != TEM {
			break
		}
	}
	s.Start = s.Pos - 2
	s.readBody()
	return true
}

// readBody takes the segment's content, without its length.
func (s *Segments) readBody() {
	s.Body = nil
	if s.Marker == EOI || s.Marker == SOI || s.Pos+2 > len(s.Data) {
		return
	}
	n := int(binary.BigEndian.Uint16(s.Data[s.Pos:]))
	if n < 2 || s.Pos+n > len(s.Data) {
		return
	}
	s.Body = s.Data[s.Pos+2 : s.Pos+n]
	s.Pos += n
}

// SkipScan moves behind the coded data of a scan, to the next marker or to the
// end.
func (s *Segments) SkipScan() {
	for {
		at := bytes.IndexByte(s.Data[s.Pos:], 0xff)
		if at < 0 {
			s.Pos = len(s.Data)
			return
		}
		s.Pos += at
		if s.Pos+1 >= len(s.Data) {
			return
		}
		switch next := s.Data[s.Pos+1]; {
		case next == 0xff:
			s.Pos++
		case next == 0 || IsRestart(next):
			s.Pos += 2
		default:
			return
		}
	}
}

// IsRestart tells whether the marker restarts the coder within a scan.
func IsRestart(marker byte) bool { return marker >= RST0 && marker <= RST7 }

// IsFrame tells whether the marker begins a frame, in whatever process.
func IsFrame(marker byte) bool {
	return marker >= SOF0 && marker <= 0xcf && marker != DHT && marker != 0xc8 && marker != DAC
}

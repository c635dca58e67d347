package jpeg

import (
	"bytes"
	"errors"
	"image"
	stdjpeg "image/jpeg"
	"slices"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

// checkStandard decodes with image/jpeg too, and returns its verdict on the
// same bytes, and ours. Where both have a picture, they are compared.
func checkStandard(t *testing.T, data []byte) (theirs, ours error) {
	t.Helper()
	img, theirs := stdjpeg.Decode(bytes.NewReader(data))
	rows, ours := decodeRows(t, data)
	if theirs != nil || ours != nil || !mustAgree(t, data) {
		return theirs, ours
	}
	d, err := NewDecoder(data)
	if err != nil {
		t.Fatal(err)
	}
	switch img := img.(type) {
	case *image.Gray:
		comparePlane(t, rows, &d.planes[0], 1, 0, func(x, y int) byte { return img.Pix[img.PixOffset(x, y)] })
	case *image.YCbCr:
		comparePlane(t, rows, &d.planes[0], 3, 0, func(x, y int) byte { return img.Y[y*img.YStride+x] })
		comparePlane(t, rows, &d.planes[1], 3, 1, func(x, y int) byte { return img.Cb[y*img.CStride+x] })
		comparePlane(t, rows, &d.planes[2], 3, 2, func(x, y int) byte { return img.Cr[y*img.CStride+x] })
	case *image.RGBA: // repeats its samples
		for i := range 3 {
			p := &d.planes[i]
			comparePlane(t, rows, p, 3, i, func(x, y int) byte {
				return img.Pix[img.PixOffset(min(x*p.ratioH, d.frame.Width-1), min(y*p.ratioV, d.frame.Height-1))+i]
			})
		}
	}
	return nil, nil
}

// comparePlane compares the rows with the samples of a plane. A pixel of a
// component that is smoothed lies between the samples around it.
func comparePlane(t *testing.T, rows [][]byte, p *plane, n, i int, at func(x, y int) byte) {
	t.Helper()
	reachX, reachY := 0, 0
	if p.ratioH == 2 && p.ratioV <= 2 {
		reachX = 1
	}
	if p.smoothV() {
		reachY = 1
	}
	for y, row := range rows {
		for x := range len(row) / n {
			low, high := 255, 0
			for sy := max(y/p.ratioV-reachY, 0); sy <= min(y/p.ratioV+reachY, p.height-1); sy++ {
				for sx := max(x/p.ratioH-reachX, 0); sx <= min(x/p.ratioH+reachX, p.width-1); sx++ {
					low, high = min(low, int(at(sx, sy))), max(high, int(at(sx, sy)))
				}
			}
			if v := int(row[n*x+i]); v < low-1 || v > high+1 {
				t.Fatalf("component %d, pixel %d, %d: got %d, want %d to %d", i, x, y, v, low, high)
			}
		}
	}
}

// mustAgree tells whether two right decoders have to agree on the pixels: the
// scans come in the order of T.81, G.1.1.1, tables stay, and no coefficient is larger
// than pixels can make it.
func mustAgree(t *testing.T, data []byte) bool {
	t.Helper()
	d, err := NewDecoder(data)
	if err != nil || d.interval > 0 && !d.stream {
		return false // image/jpeg counts the MCUs of a scan of one component otherwise
	}
	var seen Scans
	segments := Segments{Data: data, Pos: 2}
	quants := 0
	for scans := 0; segments.Next() && segments.Body != nil && segments.Marker != EOI; {
		switch body := segments.Body; {
		case segments.Marker == DQT && scans > 0, segments.Marker == DRI && scans > 0:
			return false
		case segments.Marker == DQT:
			quants++
		case segments.Marker == SOS:
			if !inOrder(&seen, body, &d.frame) || d.stream && scans > 0 {
				return false
			}
			scans++
			segments.SkipScan()
		}
	}
	d.stream, d.bands = false, 0 // so that the coefficients are kept
	_ = d.ReadRow(t.Context(), make([]byte, d.frame.Width*len(d.planes)))
	return !slices.ContainsFunc(d.planes, func(p plane) bool { return p.wild() })
}

// inOrder tells whether a scan brings what is new, and adds it.
func inOrder(seen *Scans, body []byte, f *Frame) bool {
	n := int(body[0])
	before := *seen
	if seen.Add(body, f) != nil {
		return false
	}
	first, high := body[1+2*n], int8(body[3+2*n]>>4)
	if f.Marker != SOF2 {
		first, high = 0, 0
	}
	for i := range n {
		at := slices.IndexFunc(f.Components, func(c Component) bool { return c.ID == body[1+2*i] })
		for k := first; k < 64 && seen.sent[at][k]; k++ {
			if f.Marker == SOF2 && k > body[2+2*n] {
				break
			}
			if before.sent[at][k] != (high > 0) || high > 0 && before.bit[at][k] != high {
				return false
			}
		}
	}
	return true
}

// wild tells whether a block is none that 64 pixels of 8 bits can give. Then
// image/jpeg reckons otherwise.
func (p *plane) wild() bool {
	for at := 0; at < len(p.coefs); at += 64 {
		sum := 0
		for k, c := range p.coefs[at : at+64] {
			v := int(c) * int(p.quant.steps[k])
			sum += max(v, -v)
		}
		if sum > 1<<13 {
			return true
		}
	}
	return false
}

func TestSamplesAgainstStandard(t *testing.T) {
	withoutRace(t)
	const reason = "image/jpeg refuses it"
	odd := map[string]string{
		"jpeg/go-video-001.221212.jpeg": "",
		"jpeg/ljt-monkey12.jpg":         reason,
		"jpeg/ljt-testimgari.jpg":       reason,
		"jpeg/pil-hopper_bad_exif.jpg":  reason,
	}
	names := mediatest.PhotosIn(t, "jpeg")
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			data := mediatest.Photo(t, name)
			theirs, ours := checkStandard(t, data)
			if (theirs == nil) != (ours == nil) || (ours != nil) != (odd[name] == reason) {
				t.Errorf("got %v, and image/jpeg says %v", ours, theirs)
			}
		})
	}
}

func TestMadeAgainstStandard(t *testing.T) {
	files := smallFilms()
	files["a picture"] = madeByStandard(t, 333, 222)
	for _, s := range samplings {
		if !s.odd {
			files[string(s.factors)] = newFilm(SOF0, 100, 70, s.factors...).whole(len(s.factors) == 1)
		}
	}
	compared := 0
	for name, data := range files {
		theirs, ours := checkStandard(t, data)
		if ours != nil {
			t.Errorf("%q: %v", name, ours)
		}
		if theirs == nil && mustAgree(t, data) {
			compared++
		}
	}
	if compared < 12 {
		t.Errorf("compared %d pictures, want more", compared)
	}
}

// djpeg gives out the samples as they are where a file says that they are RGB.
func TestAgainstDjpeg(t *testing.T) {
	needDjpeg(t)
	for _, factors := range [][]byte{{0x11, 0x11, 0x11}, {0x21, 0x11, 0x11}, {0x22, 0x11, 0x11}, {0x41, 0x11, 0x11}, {0x22, 0x21, 0x12}, {0x11, 0x21, 0x11}} {
		for _, width := range []int{64, 101} {
			f := newFilm(SOF0, width, 99, factors...)
			for i, c := range "RGB" {
				f.Components[i].ID = byte(c)
			}
			data := f.whole(true)
			pixels := runDjpeg(t, data, 3*width*99)
			got, err := decodeRows(t, data)
			if err != nil {
				t.Fatal(err)
			}
			checkRows(t, got, slices.Collect(slices.Chunk(pixels, 3*width)), 1)
		}
	}
}

// refusal tells whether the error is one of the reasons why a picture that
// image/jpeg reads is none for us.
func refusal(d *Decoder, err error) bool {
	return errors.Is(err, errBeyond) || // it ends the block there
		errors.Is(err, errRun) || // it ends the run with the scan, and knows runs in sequential scans
		errors.Is(err, errTooLarge) || // it has 32 bits for each
		errors.Is(err, errRestart) || // it searches on for the marker
		errors.Is(err, errBadScan) || // it shifts by more bits than the 13 of T.81, table B.3
		errors.Is(err, errNoQuant) || // it takes a table of zeros
		d.scans.Missing(&d.frame, false) != nil // it shows a component without a scan as gray
}

// tolerated tells whether the error is one of the reasons why a picture that we read is
// none for image/jpeg.
func tolerated(d *Decoder, data []byte, err error) bool {
	for _, reason := range []string{
		"bad Td value", "bad Ta value", "bad Th value", // two tables of a kind are all that baseline files may have
		"bad successive approximation",                                  // bits that come in another order
		"missing 0xff00 sequence",                                       // 0xff may be repeated
		"unknown marker", "short segment length", "unknown color model", // what nobody needs is stepped over
		"subsampling ratio", "total sampling factors", // it knows the usual ones
		"Huffman table has zero length", "uninitialized Huffman table", // of tables that nobody uses
	} {
		if strings.Contains(err.Error(), reason) {
			return true
		}
	}
	// What comes behind the last scan, or does not, is no part of the picture.
	_, err = stdjpeg.Decode(bytes.NewReader(d.upToHere(data)))
	return err == nil
}

// upToHere is the file without what comes behind the scan that was read last.
func (d *Decoder) upToHere(data []byte) []byte {
	at := d.segments.Pos
	return append(data[:at:at], 0xff, EOI)
}

func FuzzDecode(f *testing.F) {
	for _, data := range smallFilms() {
		f.Add(data)
	}
	f.Add(madeByStandard(f, 40, 30))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := NewDecoder(data)
		if err != nil {
			return
		}
		width, height := d.Size()
		scans := bytes.Count(data, []byte{0xff, SOS})
		if width*height > 1<<18 || scans > 20 {
			return
		}
		rows, err := d.rowsLeft(t)
		if err == nil && len(rows) != height {
			t.Errorf("got %d rows of a whole picture, want %d", len(rows), height)
		}
		if d.stream && scans == 1 && err == nil {
			kept, _ := NewDecoder(d.upToHere(data))
			kept.stream, kept.bands = false, 0
			again, err := kept.rowsLeft(t)
			if err != nil {
				t.Errorf("got %v where the coefficients are kept", err)
			}
			checkRows(t, again, rows, 0)
		}
		theirs, ours := checkStandard(t, data)
		if theirs == nil && ours != nil && !refusal(d, ours) {
			t.Errorf("got %v of a picture that image/jpeg reads", ours)
		}
		if theirs != nil && ours == nil && !tolerated(d, data, theirs) {
			t.Errorf("read a picture of which image/jpeg says: %v", theirs)
		}
	})
}

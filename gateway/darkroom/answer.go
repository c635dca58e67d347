package darkroom

import (
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/lightlock/lightlock/media"
)

// maxDetail is the most bytes of a rejection's Detail that are passed on.
const maxDetail = 300

// sourceType is what the type of an original may look like.
var sourceType = regexp.MustCompile(`^[a-z]{1,20}/[a-z0-9.+-]{1,60}$`)

// errLate is the answer of a child whose time was over.
var errLate = errors.New("the child's time was over")

// readAnswer reads a child's first answer, and judges it where it is no request
// for memory: then need is zero. A *media.Rejection is a verdict, errLate a child
// in good order; every other error is a child that must not be believed.
func readAnswer(r io.Reader, s media.Settings) (developed *media.Developed, need int64, err error) {
	var a answer
	if err := readFrame(r, maxAnswer, &a); err != nil {
		return nil, 0, err
	}
	if a.Need == 0 {
		developed, err = judge(r, a, s)
		return developed, 0, err
	}
	if a != (answer{Need: a.Need}) || a.Need < 0 || a.Need > s.MaxMemory {
		return nil, 0, errors.New("a need that no photo has")
	}
	return nil, a.Need, nil
}

// readVerdict reads the answer of a child that has had its memory.
func readVerdict(r io.Reader, s media.Settings) (*media.Developed, error) {
	var a answer
	if err := readFrame(r, maxAnswer, &a); err != nil {
		return nil, err
	}
	if a.Need != 0 {
		return nil, errors.New("a second need")
	}
	return judge(r, a, s)
}

// judge reads what belongs to an answer and judges both.
func judge(r io.Reader, a answer, s media.Settings) (*media.Developed, error) {
	if a == (answer{Late: true}) {
		return nil, errLate
	}
	if a.Late {
		return nil, errors.New("a verdict that comes too late")
	}
	if err := checkSource(a.Source); err != nil {
		return nil, err
	}
	if a.Reason != "" {
		return nil, readRejection(r, a)
	}
	return readDeveloped(r, a, s)
}

// readRejection returns the rejection that a holds, or why it is none.
func readRejection(r io.Reader, a answer) error {
	if !childMaySay(a.Reason) {
		return errors.New("a reason that no child may give")
	}
	if a.Preview != (size{}) || a.Thumbnail != (size{}) {
		return errors.New("a rejection with pictures")
	}
	if err := readEnd(r); err != nil {
		return err
	}
	if a.Damage != "" || a.Profile != "" || a.CutOff && a.Reason != media.Corrupt {
		return errors.New("a rejection with what belongs to a picture")
	}
	return &media.Rejection{Reason: a.Reason, Detail: plain(a.Detail, maxDetail), Source: a.Source, CutOff: a.CutOff}
}

// childMaySay tells whether reason can come out of a development. The others
// are for the gateway to find.
func childMaySay(reason media.Reason) bool {
	switch reason {
	case media.TooLarge, media.UnsupportedType, media.Animated, media.TooManyPixels, media.TooComplex, media.Corrupt:
		return true
	case media.Expired, media.Unreachable, media.Disabled:
	}
	return false
}

// checkSource refuses what no original can be.
func checkSource(s media.Source) error {
	if s.Type != "" && !sourceType.MatchString(s.Type) {
		return errors.New("a source of no type")
	}
	// No header of an accepted format can say more than 32 bits.
	if min(s.Width, s.Height) < 0 || int64(max(s.Width, s.Height)) >= 1<<32 {
		return errors.New("a source of an impossible size")
	}
	return nil
}

// readDeveloped reads the two pictures and checks them against what s asks for.
func readDeveloped(r io.Reader, a answer, s media.Settings) (*media.Developed, error) {
	if err := checkRemarks(a, s); err != nil {
		return nil, err
	}
	if a.Source.Width < 1 || a.Source.Height < 1 || int64(a.Source.Width) > s.MaxPixels/int64(a.Source.Height) {
		return nil, errors.New("a source with more pixels than allowed")
	}
	preview, err := readPicture(r, a.Preview, s.Preview)
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	thumbnail, err := readPicture(r, a.Thumbnail, s.Thumbnail)
	if err != nil {
		return nil, fmt.Errorf("thumbnail: %w", err)
	}
	if preview.Width > a.Source.Width || preview.Height > a.Source.Height {
		return nil, errors.New("the preview is larger than the source")
	}
	if thumbnail.Width != thumbnail.Height {
		return nil, errors.New("the thumbnail is not square")
	}
	if err := readEnd(r); err != nil {
		return nil, err
	}
	return &media.Developed{
		Source: a.Source, Preview: preview, Thumbnail: thumbnail,
		Damage: plain(a.Damage, maxDetail), CutOff: a.CutOff, Profile: a.Profile,
	}, nil
}

// checkRemarks refuses what cannot be said of a picture.
func checkRemarks(a answer, s media.Settings) error {
	switch {
	case a.Detail != "":
		return errors.New("a picture with a detail")
	case a.Damage != "" && !s.ShowDamaged:
		return errors.New("a damaged picture, which is not to be shown")
	case a.CutOff && a.Damage == "":
		return errors.New("a whole picture that is cut off")
	case a.Profile != media.ProfileNone && a.Profile != media.ProfileConverted && a.Profile != media.ProfileIgnored:
		return errors.New("an unknown use of a profile")
	}
	return nil
}

// readPicture reads one picture of the announced size and checks that it is a
// JPEG of ours that keeps to t.
func readPicture(r io.Reader, announced size, t media.Target) (media.Picture, error) {
	data, err := readBytes(r, announced.Bytes, t.MaxBytes)
	if err != nil {
		return media.Picture{}, err
	}
	p := media.Picture{Data: data, Width: announced.Width, Height: announced.Height}
	return p, p.Check(t)
}

package darkroom

import (
	"context"
	"errors"
	"fmt"

	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/media"
)

// turn is a place and memory for one photo's children.
type turn struct {
	pass    *budget.Pass
	judging int64 // bytes that judging it takes
	granted int64 // bytes beyond them
}

// errNotAtOnce ends a child that needs more than there is at the moment.
type errNotAtOnce struct{ granted int64 }

func (e errNotAtOnce) Error() string {
	return fmt.Sprintf("%d bytes are not to be had at once", e.granted)
}

// developInTurn develops a photo when there is room for it. A child that asks for
// memory when there is none ends, and another begins when there is: waiting, it
// would hold a place, the photo and itself, and a few giants so would hold up
// everybody. To start one and to judge a photo again takes some 20 ms.
func (d *Darkroom) developInTurn(ctx context.Context, original []byte, s media.Settings) (*media.Developed, error) {
	judging := budget.Judged(int64(len(original)))
	s.MaxMemory = min(s.MaxMemory, budget.MostNeed(d.gate.Size()-judging))
	if s.MaxMemory < 1 {
		return nil, tooLarge(len(original), d.gate.Size())
	}
	pass, err := d.gate.Enter(ctx, judging)
	if err != nil {
		return nil, err
	}
	defer pass.Leave()
	t := &turn{pass: pass, judging: judging}
	for {
		developed, err := d.developNow(ctx, photo{original, s, t.grant})
		var later errNotAtOnce
		if !errors.As(err, &later) {
			return developed, err
		}
		if err := pass.Again(ctx, judging+later.granted); err != nil {
			return nil, err
		}
		t.granted = later.granted
	}
}

// grant gives a child that needs so many bytes what it may take.
func (t *turn) grant(need int64) (int64, error) {
	bytes := budget.Developed(need)
	switch {
	case bytes <= t.granted:
	case t.granted > 0:
		return 0, errors.New("a larger need than before")
	case !t.pass.More(bytes):
		return 0, errNotAtOnce{bytes}
	default:
		t.granted = bytes
	}
	return t.granted, nil
}

// tooLarge is the verdict on an original that no child could hold.
func tooLarge(size int, most int64) error {
	return &media.Rejection{
		Reason: media.TooComplex, Source: media.Source{Bytes: int64(size)},
		Detail: fmt.Sprintf("a file of %d MB needs more than the %d MB of memory that there are for photos", size>>20, most>>20),
	}
}

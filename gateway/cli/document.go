package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lightlock/lightlock/media"
)

// document is the part of a queue's document that the demo reads. It is not the
// gateway's own type: the demo stands where agents' software stands.
type document struct {
	Source string `json:"source"`
	Data   struct {
		Seq    int64 `json:"seq"`
		Photos []struct {
			Status    string         `json:"status"`
			Reason    string         `json:"reason"`
			Damaged   bool           `json:"damaged"`
			Source    source         `json:"source"`
			Preview   *remotePicture `json:"preview"`
			Thumbnail *remotePicture `json:"thumbnail"`
		} `json:"photos"`
	} `json:"data"`
}

// remotePicture is a picture that the gateway has.
type remotePicture struct {
	Href   string `json:"href"`
	Type   string `json:"type"`
	Bytes  int64  `json:"bytes"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

func readDocument(raw []byte) (document, error) {
	var d document
	err := json.Unmarshal(raw, &d)
	return d, err
}

// sentence says in words why a photo is not shown, with what was found and what
// is allowed where both are known.
func sentence(reason string, s source, channel string, limit int64) string {
	switch media.Reason(reason) {
	case media.TooLarge:
		return fmt.Sprintf("%s allows %s", channel, limitText(limit))
	case media.UnsupportedType:
		if strings.HasPrefix(s.Type, "image/hei") {
			return "a HEIC photo; send it as a JPEG"
		}
		return cmp.Or(s.Type, "no known kind of file") + "; accepted are " + strings.Join(media.Default().Formats, ", ")
	case media.Animated:
		return "it moves; only still photos are shown"
	case media.TooManyPixels:
		return fmt.Sprintf("%d × %d pixels is too many", s.Width, s.Height)
	case media.Corrupt:
		return "the file is broken"
	case media.Expired:
		return channel + " no longer had it"
	case media.Unreachable:
		return channel + " did not deliver it"
	case media.Disabled:
		return "photos are off for this account"
	case media.TooComplex:
		return "developing it would take too much work or memory"
	default:
		return ""
	}
}

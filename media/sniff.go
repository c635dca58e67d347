package media

import (
	"bytes"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// The names of formats as Settings.Formats has them.
const (
	formatJPEG = "jpeg"
	formatPNG  = "png"
	formatGIF  = "gif"
	formatWebP = "webp"
)

const (
	pngSignature = "\x89PNG\r\n\x1a\n"
	typeUnknown  = "application/octet-stream"
)

// format is what a file is by its content. A name or a declared type is never
// looked at.
type format struct {
	// name is one of the formats above, or empty where we have no decoder.
	name string
	// mediaType is the type by content, empty where nothing is known.
	mediaType string
	// words say it to people, with an article.
	words string
}

// sniff tells what the file is and judges whether that is accepted. It returns
// the format with the verdict too.
func sniff(data []byte, accepted []string) (format, error) {
	f := identify(data)
	if f.name == "" || !slices.Contains(accepted, f.name) {
		return f, reject(UnsupportedType, "%s%s; accepted are %s", f.words, advice(f, accepted), strings.Join(accepted, ", "))
	}
	return f, nil
}

// identify goes by signature for what we have a decoder for. mimetype's opinion
// serves for the words on everything else: it reads 3 kB only, and is wrong
// about files made to mislead it.
func identify(data []byte) format {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")), string(data) == "\xff\xd8":
		if odd := oddJPEG(data); odd != "" {
			return format{mediaType: "image/jpeg", words: odd + " (image/jpeg)"}
		}
		return format{formatJPEG, "image/jpeg", "a JPEG (image/jpeg)"}
	case bytes.HasPrefix(data, []byte(pngSignature)):
		return format{formatPNG, "image/png", "a PNG (image/png)"}
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		return format{formatGIF, "image/gif", "a GIF (image/gif)"}
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return format{formatWebP, "image/webp", "a WebP picture (image/webp)"}
	case len(data) == 0:
		return format{words: "an empty file"}
	}
	return describe(data)
}

// describe names a file that we have no decoder for.
func describe(data []byte) format {
	mediaType, _, _ := strings.Cut(mimetype.Detect(data).String(), ";")
	if mediaType == typeUnknown {
		return format{words: "no known kind of file"}
	}
	// The claim of one of our own types without its signature is a broken or
	// disguised file, and must not be repeated as if it were one.
	switch mediaType {
	case "image/jpeg", "image/png", "image/gif", "image/webp", "image/vnd.mozilla.apng":
		return format{words: "no known kind of file"}
	}
	return format{mediaType: mediaType, words: article(mediaType) + " (" + mediaType + ")"}
}

// article names the types that people really send; the rest is a file.
func article(mediaType string) string {
	switch mediaType {
	case "image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence":
		return "a HEIC photo"
	case "application/pdf":
		return "a PDF"
	case "text/html":
		return "a web page"
	case "image/svg+xml":
		return "an SVG drawing"
	case "application/zip":
		return "a ZIP archive"
	case "text/plain":
		return "a text file"
	}
	switch kind, _, _ := strings.Cut(mediaType, "/"); kind {
	case "image":
		return "another kind of picture"
	case "video":
		return "a video"
	case "audio":
		return "a sound recording"
	}
	return "a file"
}

// advice helps whoever sent a picture that can be had in another way.
func advice(f format, accepted []string) string {
	switch {
	case f.name != "" || !slices.Contains(accepted, formatJPEG):
		return ""
	case f.mediaType == "image/jpeg":
		return "; send it as an ordinary JPEG"
	case strings.HasPrefix(f.mediaType, "image/"):
		return "; send it as a JPEG"
	}
	return ""
}

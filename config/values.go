package config

import (
	"encoding"
	"fmt"
	"log/slog"
	"time"
)

const hidden = "[secret]"

// Secret is a text that does not print: every verb of fmt, every encoder and
// every logger shows "[secret]" instead. Reveal is the only way to read it, so
// that a search for it finds all places where a secret leaves its box.
type Secret struct{ text string }

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the text itself.
func (s Secret) Reveal() string { return s.text }

// IsZero tells whether there is no secret at all.
func (s Secret) IsZero() bool { return s.text == "" }

// String implements fmt.Stringer.
func (s Secret) String() string { return hidden }

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return hidden }

// Format implements fmt.Formatter, so that no verb reaches the text.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText implements encoding.TextMarshaler, which JSON and YAML use.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

var (
	_ fmt.Formatter          = Secret{}
	_ encoding.TextMarshaler = Secret{}
	_ slog.LogValuer         = Secret{}
)

// Secrets are the values of one secret that are valid at the moment: one, or
// two while it is being replaced. In YAML it is a single value or a list.
type Secrets []Secret

// Bytes is a size. In YAML it has a unit: "10 MB", where 1 MB = 1,048,576
// bytes.
type Bytes int64

// The units of Bytes.
const (
	KB Bytes = 1 << 10
	MB Bytes = 1 << 20
	GB Bytes = 1 << 30
)

// Duration is a time.Duration. In YAML it has a unit: "30s", "5m".
type Duration time.Duration

package connectortest

import "testing"

// TestToy runs the suite over toy channels of all manners. None may fail.
func TestToy(t *testing.T) {
	for name, m := range allManners() {
		t.Run(name, func(t *testing.T) { Run(t, m.subject()) })
	}
}

func allManners() map[string]toyManners {
	return map[string]toyManners{
		"plain": {}, "resend": {resend: true}, "tokens": {tokens: true}, "both": {resend: true, tokens: true},
	}
}

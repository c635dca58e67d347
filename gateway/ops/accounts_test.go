package ops_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/ops"
)

// Only a refusal of the credentials raises the warning, and only a success ends it.
func TestNote(t *testing.T) {
	accounts := ops.NewAccounts([]string{"line/acme"}, time.Now)
	refused := func() bool {
		return strings.Contains(accounts.Check(t.Context())[0].Note, "credentials refused")
	}
	unavailable := connectors.Errorf(connectors.Unavailable, "test", "away")
	for i, step := range []struct {
		err  error
		want bool
	}{
		{unavailable, false},
		{connectors.Errorf(connectors.Misconfigured, "test", "token"), true},
		{unavailable, true},
		{errors.New("without a kind"), true},
		{nil, false},
	} {
		accounts.Note("line/acme", step.err)
		if got := refused(); got != step.want {
			t.Errorf("step %d, %v: got refused %v, want %v", i, step.err, got, step.want)
		}
	}
}

package s3test_test

import (
	"testing"

	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/gateway/store/s3test"
)

func TestKilledAndStartedAgain(t *testing.T) {
	server := s3test.Start(t)
	s, err := store.OpenS3(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 2 {
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("Check: %v", err)
		}
		server.Kill()
		if err := s.Check(t.Context()); err == nil {
			t.Error("Check: got nil from a server that is gone")
		} else {
			t.Log(err)
		}
		server.Restart()
	}
}

package connectortest

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lightlock/lightlock/connectors"
)

// checkParseNeighbours breaks the second of three messages in every way and
// looks at the first and the third.
func checkParseNeighbours(b *bench) error {
	requests, err := b.deliver(batch()...)
	if err != nil {
		return err
	}
	if len(requests) != 1 {
		return fmt.Errorf("the simulated platform made %d calls for three short texts, want 1", len(requests))
	}
	want, err := parse(b.connector, requests)
	if err != nil {
		return err
	}
	root, err := asJSON(document(requests[0]))
	if err != nil {
		return err
	}
	lists := 0
	err = eventLists(root, func(list []any) error {
		return broken(list, func() error {
			return unharmed(b.connector, with(requests[0], mustJSON(root)), want, &lists)
		})
	})
	if err == nil && lists == 0 {
		err = errors.New("no list of events was found in the platform's body")
	}
	return err
}

// eventLists visits every array of three below v.
func eventLists(v any, visit func([]any) error) error {
	if list, ok := v.([]any); ok && len(list) == 3 {
		if err := visit(list); err != nil {
			return err
		}
	}
	return places(v, func(old any, _ func(any)) error {
		if list, ok := old.([]any); ok && len(list) == 3 {
			return visit(list)
		}
		return nil
	})
}

// broken calls try with list's second member replaced by something else, and
// with each value below it replaced.
func broken(list []any, try func() error) error {
	junk := []any{json.Number("5"), "x", []any{}, map[string]any{}, true, nil}
	old := list[1]
	defer func() { list[1] = old }()
	for _, j := range junk {
		list[1] = j
		if err := try(); err != nil {
			return fmt.Errorf("the second of three is %s: %w", mustJSON(j), err)
		}
	}
	list[1] = old
	return places(old, func(value any, put func(any)) error {
		defer put(value)
		for _, j := range junk {
			put(j)
			if err := try(); err != nil {
				return fmt.Errorf("the second of three is %s: %w", mustJSON(old), err)
			}
		}
		return nil
	})
}

// unharmed returns an error unless the first and the third of want are still
// there. Lists whose members are no events do not count: breaking them leaves
// all three as they were.
func unharmed(c connectors.Connector, r *connectors.Request, want []connectors.Event, lists *int) error {
	got, err := c.Parse(r)
	if err != nil {
		return fmt.Errorf("Parse: %w", err)
	}
	if len(got) != len(want) {
		return fmt.Errorf("got %d events, want %d:\n%s", len(got), len(want), show(got))
	}
	for _, i := range []int{0, len(want) - 1} {
		one, two := got[i], want[i]
		if one.Kind != two.Kind || one.ID != two.ID || one.Text != two.Text || one.Consumer != two.Consumer {
			return fmt.Errorf("got event %d\n%s\nwant\n%s", i+1, show(got[i:i+1]), show(want[i:i+1]))
		}
	}
	if got[1].Kind == connectors.Broken {
		*lists++
	}
	return nil
}

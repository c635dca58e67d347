package consoletest

import (
	"strings"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// codes are the virtual key codes of keys that have a name.
func codes() map[string]int64 {
	return map[string]int64{
		"Enter": 13, "Escape": 27, "Tab": 9, "Backspace": 8, "Home": 36, "End": 35,
		"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
	}
}

// Press presses keys by their names, with Shift where one says so, as in
// "Shift+Enter". As with a real key, nothing is written if the page takes it for
// a command.
func (p *Page) Press(names ...string) {
	p.t.Helper()
	for _, name := range names {
		name, shift := strings.CutPrefix(name, "Shift+")
		down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: name, WindowsVirtualKeyCode: codes()[name]}
		switch {
		case name == "Enter":
			down.Text = "\r"
		case down.WindowsVirtualKeyCode == 0:
			down.Text = name
		}
		if shift {
			down.Modifiers = int64(chromedp.ModifierShift)
		}
		up := down
		up.Type, up.Text = input.DispatchKeyEventTypeKeyUp, ""
		for _, event := range []input.DispatchKeyEventParams{down, up} {
			if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, event); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}

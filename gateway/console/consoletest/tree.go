package consoletest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

// Node is an element as a screen reader is given it: what it is, what it is
// called, and all the text in it. What is hidden, or inert below a dialog, is
// none.
type Node struct{ Role, Name, Text string }

// String is the node in one line.
func (n Node) String() string { return fmt.Sprintf("%s %q: %s", n.Role, n.Name, n.Text) }

// Tree is the browser's accessibility tree, in the order in which it is read.
func (p *Page) Tree() []Node {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	answer, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		p.t.Fatal(err)
	}
	r := reader{nodes: map[accessibility.NodeID]*accessibility.Node{}}
	for _, n := range answer.Nodes {
		r.nodes[n.NodeID] = n
	}
	if len(answer.Nodes) > 0 {
		r.read(answer.Nodes[0])
	}
	return r.all
}

// reader goes through a tree from its root.
type reader struct {
	nodes map[accessibility.NodeID]*accessibility.Node
	all   []Node
}

// read adds a node and all below it, and returns their text.
func (r *reader) read(n *accessibility.Node) string {
	at, role := len(r.all), said(n.Role)
	if role == "StaticText" {
		return said(n.Name)
	}
	if !n.Ignored {
		r.all = append(r.all, Node{Role: role, Name: said(n.Name)})
	}
	var texts []string
	for _, id := range n.ChildIDs {
		if child := r.nodes[id]; child != nil {
			if text := r.read(child); text != "" {
				texts = append(texts, text)
			}
		}
	}
	text := strings.Join(strings.Fields(strings.Join(texts, " ")), " ")
	if !n.Ignored {
		r.all[at].Text = text
	}
	return text
}

func said(v *accessibility.Value) string {
	var text string
	if v != nil {
		_ = json.Unmarshal([]byte(v.Value), &text) // what is no text says nothing
	}
	return text
}

// AwaitHeard waits until a screen reader has an element of a role in which a text
// is, by its name or by what stands in it.
func (p *Page) AwaitHeard(role, text string) {
	p.t.Helper()
	p.AwaitNode(fmt.Sprintf("%s in which %q is", role, text), func(n Node) bool {
		return n.Role == role && (strings.Contains(n.Name, text) || strings.Contains(n.Text, text))
	})
}

// AwaitNode waits until a screen reader has an element that is as wanted.
func (p *Page) AwaitNode(wanted string, is func(Node) bool) {
	p.t.Helper()
	p.AwaitTree(wanted, func(tree []Node) bool { return slices.ContainsFunc(tree, is) })
}

// AwaitTree waits until all that a screen reader has is as wanted: chromium builds it
// some time after the page.
func (p *Page) AwaitTree(wanted string, is func([]Node) bool) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		tree := p.Tree()
		if is(tree) {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("no %s; a screen reader has:\n%s", wanted, lines(tree))
		}
	}
}

func lines(tree []Node) string {
	var b strings.Builder
	for _, n := range tree {
		fmt.Fprintln(&b, n)
	}
	return b.String()
}

package consoletest

import (
	"fmt"
	"os"
	"strings"

	"github.com/chromedp/chromedp"
)

// Axe runs axe-core on what is seen, by all rules or by those that are named, and
// fails the test for each violation. Its script is the file at path, and is not
// subject to the page's policy.
func (p *Page) Axe(path, state string, rules ...string) {
	p.t.Helper()
	script, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	if p.Eval("typeof globalThis.axe") != "object" {
		p.do(chromedp.Evaluate[chromedp.Void](string(script)))
	}
	only := ""
	if len(rules) > 0 {
		only = ", runOnly: ['" + strings.Join(rules, "', '") + "']"
	}
	found, _ := p.Eval(`axe.run(document, {resultTypes: ['violations']` + only + `}).then((r) => r.violations.flatMap((v) =>
		v.nodes.map((n) => v.id + ': ' + v.help + '\n  ' + n.target.join(' ') + '\n  ' + n.html.slice(0, 200) + '\n  ' + (n.failureSummary ?? ''))))`).([]any)
	for _, one := range found {
		p.t.Errorf("%s: axe: %s", state, strings.TrimSpace(fmt.Sprint(one)))
	}
}

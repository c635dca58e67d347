package consoletest

import "github.com/chromedp/chromedp"

// ChooseFile has the first such field for files hold the file at path, as if a person
// had chosen it.
func (p *Page) ChooseFile(selector, path string) {
	p.t.Helper()
	p.do(chromedp.SetUploadFiles(selector, []string{path}))
}

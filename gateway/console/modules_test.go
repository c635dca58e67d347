package console_test

import (
	"os"
	"testing"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
)

// modules opens a page that has the modules as they are written, each for itself.
func modules(t *testing.T) *consoletest.Page {
	t.Helper()
	g := consoletest.New(t, ben())
	g.Static("/modules", os.DirFS("assets"))
	p := blank(t, g)
	p.Go("/assets/icon.svg") // nothing of the page runs
	return p
}

// holds fails the test where a script, given what the named module exports as m,
// does not return what is wanted.
func holds(t *testing.T, p *consoletest.Page, module, script string, want any) {
	t.Helper()
	if got := p.Eval("import('/modules/" + module + ".js').then(async (m) => { " + script + " })"); got != want {
		t.Errorf("%s: %s\ngot  %v\nwant %v", module, script, got, want)
	}
}

// clock is a time that the script passes on, and a stream of updates in the
// script's hand.
const clock = `
	const timers = new Map();
	let now = 0, id = 0;
	const clock = {
		setTimeout: (f, wait) => { timers.set(++id, { f, at: now + wait }); return id; },
		clearTimeout: (n) => timers.delete(n),
	};
	const pass = async (ms) => {
		const end = now + ms;
		for (;;) {
			const due = [...timers].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
			if (!due) break;
			timers.delete(due[0]);
			now = due[1].at;
			due[1].f();
			await 0; await 0; await 0;
		}
		now = end;
	};
	const opened = [], told = [];
	let strange = false;
	class Source { constructor(url) { this.url = url; this.on = {}; opened.push(this); }
		addEventListener(name, f) { this.on[name] = f; } close() { this.closed = true; } }
	const s = new m.Stream({ open: (url) => new Source(url), stranger: async () => strange, tell: (e) => told.push(e), clock });
	const last = () => opened.at(-1);
`

// TestModules: one page is enough for all of them.
func TestModules(t *testing.T) {
	t.Parallel()
	p := modules(t)
	for name, test := range map[string]func(*testing.T, *consoletest.Page){
		"stream": testStream, "format": testWords, "zoom": testZoom, "store": testStore, "messages": testMessages, "listnote": testNotes,
	} {
		t.Run(name, func(t *testing.T) { test(t, p) })
	}
}

func testStream(t *testing.T, p *consoletest.Page) {
	for name, row := range map[string]struct {
		script string
		want   any
	}{
		"begins where the answer was true": {`s.start('a=1'); return last().url;`, "/v1/events?since=a%3D1"},
		"goes on from what was heard": {`s.start('a=1'); last().onopen(); last().on.heartbeat({ lastEventId: 'a=7' });
			last().onerror(); await pass(1000); return last().url + opened.length;`, "/v1/events?since=a%3D72"},
		"is made anew after 40 s of silence": {`s.start('a=1'); last().onopen(); await pass(39000); const before = opened.length;
			last().on.heartbeat({ lastEventId: 'a=2' }); await pass(39000); const beaten = opened.length; await pass(3000); return before + ' ' + beaten + ' ' + opened.length;`, "1 1 2"},
		"waits longer each time, 30 s at most": {`s.start(''); const at = [];
			for (let i = 0; i < 9; i++) { last().onerror(); await 0; const n = opened.length; while (opened.length === n) await pass(100); at.push(now); }
			const gaps = at.map((t, i) => t - (at[i - 1] ?? 0)).map((g, i) => g <= Math.min(30000, 1000 * 2 ** i) + 100 && g >= Math.min(30000, 1000 * 2 ** i) / 2 - 100);
			return gaps.every(Boolean);`, true},
		"tries at once when the network is back": {`s.start(''); last().onerror(); await 0; s.nudge(); return opened.length;`, 2.0},
		"stops for a stranger":                   {`s.start(''); strange = true; last().onerror(); await pass(1); await pass(60000); return opened.length + told.at(-1).state;`, "1signedOut"},
		"begins again after a sign-in": {`s.start(''); strange = true; last().onerror(); await pass(1); strange = false; s.start('');
			last().onopen(); return opened.length + told.at(-1).state + told.at(-1).fresh;`, "2opentrue"},
		"asks to fetch again only if something may be missing": {`s.start('a=1'); last().onopen(); const first = told.at(-1).fresh; last().onerror();
			await pass(1000); last().onopen(); return first || told.at(-1).fresh;`, false},
		"passes a reset on and goes on from there": {`s.start('a=1'); last().onopen(); last().on.reset({ lastEventId: 'a=9', data: '{}' });
			last().onerror(); await pass(1000); return told.map((e) => e.name).join('') + last().url;`, "reset/v1/events?since=a%3D9"},
	} {
		t.Run(name, func(t *testing.T) { holds(t, p, "stream", clock+row.script, row.want) })
	}
}

func testWords(t *testing.T, p *consoletest.Page) {
	const now = `const now = new Date(2026, 10, 12, 15, 0).getTime(); const at = (...d) => m.moment(new Date(2026, ...d).toISOString(), now); `
	for script, want := range map[string]any{
		now + `return at(10, 12, 14, 59, 30);`:                                            "now",
		now + `return at(10, 12, 14, 56);`:                                                "4 min",
		now + `return at(10, 12, 13, 32);`:                                                "13:32",
		now + `return at(10, 10, 14, 32);`:                                                "Tue 14:32",
		now + `return at(10, 1, 14, 32);`:                                                 "1 Nov",
		now + `return at(-2, 12);`:                                                        "12 Nov 2025",
		now + `return m.moment(undefined, now);`:                                          "",
		`return m.sizes(32715571, 10485760).join(' of ');`:                                "31.2 MB of 10 MB",
		`return m.sizes(10485761, 10485760).join(' of ');`:                                "10.000001 MB of 10 MB",
		`return m.sizes(26214400 + 60000, 26214400).join(' of ');`:                        "25.1 MB of 25 MB",
		`return m.plain('\u202eevil\u202c  x\n y');`:                                      "evil x y",
		`return m.plain('👍'.repeat(9), 3);`:                                               "👍👍👍…",
		`return m.badge(99) + m.badge(100);`:                                              "9999+",
		`return [m.count(1, 'try', 'tries'), m.count(2, 'try', 'tries')].join(', ');`:     "1 try, 2 tries",
		`return m.dayName(new Date(2026, 10, 11, 23), new Date(2026, 10, 12, 1) * 1);`:    "Yesterday",
		`return m.moment(new Date(Date.now() + 30000).toISOString(), Date.now());`:        "now",
		`return m.channelName({ channel: 'fax' }) + m.consumerName({ consumer: { } });`:   "faxUnknown",
		`return m.timeOfDay(new Date(2026, 10, 12, 0, 5)) + m.inFull(undefined) + '.';`:   "00:05.",
		`return m.number(24000) + ' × ' + m.number(1.25, 1) + ' × ' + m.number(1.26, 1);`: "24,000 × 1.3 × 1.3",
	} {
		holds(t, p, "format", script, want)
	}
}

// testNotes: what is fast does not flicker, what is slow says so.
func testNotes(t *testing.T, p *consoletest.Page) {
	for script, want := range map[string]any{
		`since: Date.now() - 100`:                   "{}",
		`since: Date.now() - 200`:                   `{"skeleton":6}`,
		`since: Date.now() - 10_100`:                `{"text":"This takes longer than usual.","button":"Try again"}`,
		`since: Date.now() - 100, status: 'failed'`: `{"text":"The list could not be loaded.","button":"Try again"}`,
	} {
		holds(t, p, "listnote", "return JSON.stringify(m.waitingNote({ "+script+" }, 'The list'));", want)
	}
}

func testZoom(t *testing.T, p *consoletest.Page) {
	const given = `const photo = { width: 2000, height: 1000 }, stage = { width: 1000, height: 800 }; let v = m.fitted(); `
	for script, want := range map[string]any{
		`return m.factor(v, photo, stage);`:                                                                      .5,
		`return m.factor(m.rotate(v, 1), photo, stage);`:                                                         .388, // a little stays free above and below
		`return m.factor(v, { width: 20, height: 10 }, stage);`:                                                  1.0,  // never enlarged
		`return m.rotate(m.rotate(v, -1), 2).turn;`:                                                              1.0,
		`v = m.to(v, 1, photo, stage, { x: 100, y: 0 }); return v.x;`:                                            -100.0,
		`v = m.to(v, 1, photo, stage); v = m.pan(v, 9999, 9999, photo, stage); return v.x + ' ' + v.y;`:          "500 100",
		`v = m.to(v, 1, photo, stage); v = m.centre(v, { x: 30, y: -40 }, photo, stage); return v.x+' '+v.y;`:    "-30 40",
		`const s = []; for (let i = 0; i < 6; i++) s.push((v = m.step(v, 1, photo, stage)).scale); return s+'';`: "1,1.5,2,3,4,4",
		`v = m.to(v, 1.2, photo, stage); return m.step(v, -1, photo, stage).scale;`:                              1.0,
		`v = m.to(v, 1, photo, stage); return m.step(v, -1, photo, stage).scale;`:                                "fit",
		`return m.step(v, 1, { width: 20, height: 10 }, stage).scale;`:                                           1.5,
	} {
		holds(t, p, "zoom", given+script, want)
	}
}

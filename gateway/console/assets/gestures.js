// Pointers and the wheel on the viewer's stage, as what they mean. Points are
// given from the stage's middle.

const slop = 6; // px within which a press is a click
const swipeBy = 60; // px
const doubleWithin = 250; // ms
const wheelStep = 60; // of deltaY, so that a trackpad does not race through the steps

export function watch(stage, does) {
  const down = new Map(); // pointer -> where it is
  let start = null;
  let moved = false;
  let spread = 0; // of two fingers
  let wheel = 0;
  let clickTimer = 0;

  const point = (e) => {
    const box = stage.getBoundingClientRect();
    return { x: e.clientX - box.left - box.width / 2, y: e.clientY - box.top - box.height / 2 };
  };

  stage.addEventListener('wheel', (e) => {
    e.preventDefault();
    wheel += e.deltaY * (e.deltaMode ? 20 : 1);
    if (Math.abs(wheel) < wheelStep) return;
    does.wheel(wheel < 0 ? 1 : -1, point(e));
    wheel = 0;
  }, { passive: false });

  function fingers() {
    const [a, b] = [...down.values()];
    return { apart: Math.hypot(a.x - b.x, a.y - b.y), middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } };
  }

  stage.addEventListener('pointerdown', (e) => {
    if (e.button || e.target.closest('button')) return;
    stage.setPointerCapture(e.pointerId);
    down.set(e.pointerId, point(e));
    if (down.size === 1) {
      start = point(e);
      moved = false;
    }
    if (down.size === 2) {
      moved = true;
      spread = fingers().apart;
    }
  });

  stage.addEventListener('pointermove', (e) => {
    const before = down.get(e.pointerId);
    if (!before) return;
    const now = point(e);
    down.set(e.pointerId, now);
    if (down.size === 2) {
      const { apart, middle } = fingers();
      if (spread > 0) does.pinch(apart / spread, middle);
      spread = apart;
      return;
    }
    if (Math.hypot(now.x - start.x, now.y - start.y) > slop) moved = true;
    if (moved && !does.still()) does.pan(now.x - before.x, now.y - before.y);
  });

  function up(e) {
    const pinched = down.size > 1;
    if (!down.delete(e.pointerId) || pinched || e.type === 'pointercancel') return;
    const now = point(e);
    if (!moved) click(now);
    else if (e.pointerType !== 'mouse' && does.still() && spread === 0) swipe(now.x - start.x, now.y - start.y);
    if (!down.size) spread = 0;
  }
  stage.addEventListener('pointerup', up);
  stage.addEventListener('pointercancel', up);

  function swipe(dx, dy) {
    if (Math.abs(dx) > swipeBy && Math.abs(dx) > 2 * Math.abs(dy)) does.swipe(dx < 0 ? 'left' : 'right');
    else if (dy > swipeBy && dy > 2 * Math.abs(dx)) does.swipe('down');
  }

  // A click is known to be single only after a while.
  function click(where) {
    if (clickTimer) {
      clearTimeout(clickTimer);
      clickTimer = 0;
      does.double(where);
      return;
    }
    clickTimer = setTimeout(() => {
      clickTimer = 0;
      does.click(where);
    }, doubleWithin);
  }
}

// The geometry of the viewer: where a photo lies on its stage, turned and
// enlarged. Pure. A view is {scale, x, y, turn}: scale is "fit" or a factor of
// the photo's own pixels, x and y say how far its middle is from the stage's,
// turn is in quarters, clockwise.

export const steps = [1, 1.5, 2, 3, 4];
const margin = 12; // px that stay free above and below a photo that is seen whole

export const fitted = (turn = 0) => ({ scale: 'fit', x: 0, y: 0, turn });

const turned = (photo, turn) => (turn % 2 ? { width: photo.height, height: photo.width } : photo);

// fit is the factor at which the whole photo is seen; it is never enlarged.
export function fit(photo, stage, turn) {
  const p = turned(photo, turn);
  return Math.min(1, stage.width / p.width, Math.max(1, stage.height - 2 * margin) / p.height);
}

export const factor = (view, photo, stage) => (view.scale === 'fit' ? fit(photo, stage, view.turn) : view.scale);

// within keeps the photo's edges from coming into the stage.
function within(view, photo, stage) {
  const f = factor(view, photo, stage);
  const p = turned(photo, view.turn);
  const room = (size, around) => Math.max(0, (size * f - around) / 2);
  const clamp = (v, most) => Math.min(most, Math.max(-most, v));
  return { ...view, x: clamp(view.x, room(p.width, stage.width)), y: clamp(view.y, room(p.height, stage.height)) };
}

// to changes the factor, and what lies at a point (from the stage's middle) stays
// there.
export function to(view, scale, photo, stage, at = { x: 0, y: 0 }) {
  const smallest = fit(photo, stage, view.turn);
  const before = factor(view, photo, stage);
  const after = scale === 'fit' || scale <= smallest ? smallest : Math.min(scale, steps.at(-1));
  if (after === smallest) return fitted(view.turn);
  const grow = after / before;
  return within({ ...view, scale: after, x: at.x - (at.x - view.x) * grow, y: at.y - (at.y - view.y) * grow }, photo, stage);
}

// step is the next larger or smaller of fit, 100, 150, 200, 300 and 400 %.
export function step(view, direction, photo, stage, at) {
  const now = factor(view, photo, stage);
  const all = [fit(photo, stage, view.turn), ...steps].filter((s, i, list) => i === 0 || s > list[0]);
  const next = direction > 0 ? all.find((s) => s > now + 0.001) : all.findLast((s) => s < now - 0.001);
  return to(view, next ?? (direction > 0 ? all.at(-1) : 'fit'), photo, stage, at);
}

// toggle is what a double click does.
export const toggle = (view, photo, stage, at) => to(view, view.scale === 'fit' ? 1 : 'fit', photo, stage, at);

export const pan = (view, dx, dy, photo, stage) => within({ ...view, x: view.x + dx, y: view.y + dy }, photo, stage);

// centre brings a point of the stage into its middle.
export const centre = (view, at, photo, stage) => pan(view, -at.x, -at.y, photo, stage);

export const rotate = (view, quarters) => fitted((view.turn + quarters + 4) % 4);

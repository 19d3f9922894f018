/**
 * The part of the picture that is seen: pure functions.
 *
 * @typedef {{zoom: number, x: number, y: number}} View
 *   `zoom` is 1 where the whole picture is seen; x and y are the picture's shares in the middle.
 */

/** Most zoom. */
const NEAREST = 16;
/** CSS pixels around the whole picture. */
const MARGIN = 6;

/** All of the picture. @type {View} */
export const WHOLE = { zoom: 1, x: 0.5, y: 0.5 };

/** CSS pixels of one pixel of a picture of `size`. @param {View} view */
export function scaleOf({ zoom }, size, { width, height }) {
  const [wide, high] = [Math.max(1, width - 2 * MARGIN), Math.max(1, height - 2 * MARGIN)];
  return zoom * Math.min(wide / size[0], high / size[1]);
}

/** The place on the stage of a point of the picture. @param {View} view */
export function toStage(view, size, stage, [x, y]) {
  const scale = scaleOf(view, size, stage);
  return [
    stage.width / 2 + (x - view.x * size[0]) * scale,
    stage.height / 2 + (y - view.y * size[1]) * scale,
  ];
}

/** The point of the picture at a place on the stage. @param {View} view */
export function toPicture(view, size, stage, [x, y]) {
  const scale = scaleOf(view, size, stage);
  return [
    view.x * size[0] + (x - stage.width / 2) / scale,
    view.y * size[1] + (y - stage.height / 2) / scale,
  ];
}

/** Zoomed by `factor`, with the picture's point `around` staying where it is. @returns {View} */
export function zoom(view, factor, size, around) {
  const next = Math.min(Math.max(view.zoom * factor, 1), NEAREST);
  const stay = view.zoom / next;
  const [x, y] = [around[0] / size[0], around[1] / size[1]];
  return within({ zoom: next, x: x + (view.x - x) * stay, y: y + (view.y - y) * stay });
}

/** Moved by shares of the picture. @param {View} view @returns {View} */
export const pan = (view, x, y) => within({ ...view, x: view.x + x, y: view.y + y });

/** The whole picture stays in the middle, and a part of it within the picture. */
function within({ zoom, x, y }) {
  if (zoom === 1) return WHOLE;
  const rest = 0.5 / zoom;
  const clamp = (share) => Math.min(Math.max(share, rest), 1 - rest);
  return { zoom, x: clamp(x), y: clamp(y) };
}

/** The same zoom, with a point of the picture in sight. @param {View} view @returns {View} */
export function showing(view, size, stage, point) {
  const [x, y] = toStage(view, size, stage, point);
  if (x >= 0 && x <= stage.width && y >= 0 && y <= stage.height) return view;
  return within({ ...view, x: point[0] / size[0], y: point[1] / size[1] });
}

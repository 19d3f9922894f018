/** Helpers of the canvases: sharp pixels, the theme's colours, lines. */

/** Most pixels of a canvas for one CSS pixel. */
const SHARPEST = 4;

/**
 * The context of `canvas` in CSS pixels, sharp at the zoom at which it is shown, and its size;
 * null while it is not shown.
 * @param {HTMLCanvasElement} canvas
 */
export function sharpContext(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return null;
  const shown = canvas.getBoundingClientRect().width / width;
  const ratio = Math.min(SHARPEST, Math.max(1, shown) * window.devicePixelRatio);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return { context, size: { width, height } };
}

/**
 * The theme's colours by the names that a drawing uses for them.
 * @param {HTMLElement} element @param {Record<string, string>} names of `--musedance-*` properties
 */
export function colours(element, names) {
  const style = getComputedStyle(element);
  return Object.fromEntries(
    Object.entries(names).map(([name, property]) => [
      name,
      style.getPropertyValue(`--musedance-${property}`).trim(),
    ]),
  );
}

/** @param {CanvasRenderingContext2D} context */
export function line(context, x1, y1, x2, y2, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

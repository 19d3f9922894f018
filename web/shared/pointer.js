/** Presses on a canvas as gestures: a click, or a drag of more than a few pixels. */

/** Pixels of the screen within which a press is a click. */
const STILL = 3;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{press: (event: PointerEvent) => any, cursor: (event: PointerEvent) => string,
 *   drag: (gesture: any, event: PointerEvent, by: {x: number, y: number}) => void,
 *   drop: (gesture: any) => void, click: (gesture: any) => void, cancel: () => void}} handlers
 *   `press` returns the gesture that the others get; `by` is in pixels of the screen.
 */
export function attachPointer(canvas, handlers) {
  /** @type {{gesture: any, x: number, y: number, moved: boolean} | null} */
  let held = null;

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    const gesture = handlers.press(event);
    canvas.setPointerCapture(event.pointerId);
    held = { gesture, x: event.clientX, y: event.clientY, moved: false };
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!held) {
      canvas.style.cursor = handlers.cursor(event);
      return;
    }
    const by = { x: event.clientX - held.x, y: event.clientY - held.y };
    held.moved ||= Math.hypot(by.x, by.y) > STILL;
    if (held.moved) handlers.drag(held.gesture, event, by);
  });

  canvas.addEventListener("pointerup", () => {
    if (!held) return;
    const { gesture, moved } = held;
    held = null;
    if (moved) handlers.drop(gesture);
    else handlers.click(gesture);
  });

  canvas.addEventListener("pointercancel", () => {
    held = null;
    handlers.cancel();
  });
}

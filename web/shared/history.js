/**
 * Undo and redo: pure functions.
 *
 * @template Value
 * @typedef {{past: (Value | null)[], now: Value | null, future: (Value | null)[]}} History
 *   `now` is null while nothing is edited.
 */

/** Steps that can be undone. */
const MOST = 200;

/** @returns {History} */
export const begin = (now) => ({ past: [], now, future: [] });

/** @param {History} history @returns {History} */
export const commit = ({ past, now: before }, now) => ({
  past: [...past.slice(1 - MOST), before],
  now,
  future: [],
});

/** @param {History} history @returns {History} */
export function undo({ past, now, future }) {
  if (!past.length) return { past, now, future };
  return { past: past.slice(0, -1), now: past[past.length - 1], future: [now, ...future] };
}

/** @param {History} history @returns {History} */
export function redo({ past, now, future }) {
  if (!future.length) return { past, now, future };
  return { past: [...past, now], now: future[0], future: future.slice(1) };
}

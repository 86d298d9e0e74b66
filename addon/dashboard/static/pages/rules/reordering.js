/** Moving a rule by dragging its grip, with a mouse, a pen or a finger. */

import { useRef, useState } from "../../html.js";

const EDGE = 60;
const SCROLL = 12;

/**
 * @param {(from: number, to: number) => void} onMove
 * @returns {{from: number, to: number, start: (event: PointerEvent, from: number) => void}}
 *   `from` and `to` are -1 while nothing is dragged
 */
export function useDragging(onMove) {
  const [place, setPlace] = useState({ from: -1, to: -1 });
  const latest = useRef(onMove);
  latest.current = onMove;

  const start = (/** @type {PointerEvent} */ event, /** @type {number} */ from) => {
    if (event.button !== 0) return;
    event.preventDefault();
    const grip = /** @type {HTMLElement} */ (event.currentTarget);
    const rows = [...(grip.closest("ol")?.children ?? [])].filter((row) => row.hasAttribute("data-rule"));
    let to = from;
    grip.focus({ preventScroll: true });

    const move = (/** @type {PointerEvent} */ moved) => {
      const above = rows.filter((row, index) => {
        const { top, height } = row.getBoundingClientRect();
        return index !== from && moved.clientY > top + height / 2;
      });
      to = above.length;
      setPlace({ from, to });
      if (moved.clientY < EDGE) scrollBy(0, -SCROLL);
      if (moved.clientY > innerHeight - EDGE) scrollBy(0, SCROLL);
    };
    const stop = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", drop);
      removeEventListener("pointercancel", stop);
      removeEventListener("keydown", leave, true);
      setPlace({ from: -1, to: -1 });
    };
    const drop = () => {
      stop();
      if (to !== from) latest.current(from, to);
    };
    const leave = (/** @type {KeyboardEvent} */ key) => {
      if (key.key !== "Escape") return;
      key.stopPropagation();
      stop();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", drop);
    addEventListener("pointercancel", stop);
    addEventListener("keydown", leave, true);
    setPlace({ from, to });
  };
  return { ...place, start };
}

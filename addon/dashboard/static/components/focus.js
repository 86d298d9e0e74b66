/** Where the keyboard is after something has gone. */

import { useEffect, useRef } from "../html.js";

/**
 * Give the focus back to what has opened a form, once the form is gone and the focus with it.
 * @param {string} open names what is open; empty: nothing is
 * @param {(was: string) => Element | null | undefined} find returns what had opened it
 */
export function useFocusReturn(open, find) {
  const was = useRef(open);
  useEffect(() => {
    const lost = document.activeElement === document.body || document.activeElement === null;
    if (!open && was.current && lost)
      /** @type {HTMLElement | null | undefined} */ (find(was.current))?.focus();
    was.current = open;
  }, [open]);
}

/** Data that a view needs, fetched when it is shown, when its inputs change, and after a lost connection. */

import { useCallback, useEffect, useRef, useState } from "../html.js";
import { listen } from "../stream.js";

/**
 * @template T
 * @param {() => Promise<T>} load
 * @param {any[]} inputs what `load` depends on
 * @returns {{data: T | null, error: any, reload: () => Promise<void>, replace: (data: T) => void}}
 *   `data` stays what it was while it is loaded anew, and where that fails
 */
export function useLoaded(load, inputs) {
  const [state, setState] = useState(
    /** @type {{data: T | null, error: any}} */ ({ data: null, error: null }),
  );
  const turn = useRef(0);
  const reload = useCallback(async () => {
    const mine = ++turn.current;
    try {
      const data = await load();
      if (mine === turn.current) setState({ data, error: null });
    } catch (error) {
      if (mine === turn.current) setState(({ data }) => ({ data, error }));
    }
  }, inputs);
  const replace = useCallback((/** @type {T} */ data) => {
    turn.current++; // what is still under way is older
    setState({ data, error: null });
  }, []);
  useEffect(() => {
    reload();
    return listen("healed", reload);
  }, [reload]);
  return { ...state, reload, replace };
}

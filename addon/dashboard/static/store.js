/** A value that views follow. */

import { useEffect, useState } from "./html.js";

/** @template T */
export class Store {
  /** @param {T} value */
  constructor(value) {
    this.value = value;
    /** @type {Set<(value: T) => void>} */
    this.listeners = new Set();
  }

  /** @param {T} value */
  set(value) {
    if (value === this.value) return;
    this.value = value;
    for (const listener of [...this.listeners]) listener(value);
  }

  /** @param {Partial<T>} changes */
  patch(changes) {
    this.set({ ...this.value, ...changes });
  }

  /**
   * Call a function at each change, until the returned function is called.
   * @param {(value: T) => void} listener
   */
  follow(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/**
 * Return a store's value, and render again when it changes.
 * @template T
 * @param {Store<T>} store
 * @returns {T}
 */
export function useStore(store) {
  const [value, setValue] = useState(store.value);
  useEffect(() => {
    setValue(store.value); // it may have changed between rendering and this
    return store.follow(setValue);
  }, [store]);
  return value;
}

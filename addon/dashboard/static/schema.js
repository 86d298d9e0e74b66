/**
 * The JSON Schema of rules.yaml, which knows what each key may be and says what it is for: forms take
 * their choices and their hints from it.
 */

import { read } from "./api.js";
import { useEffect, useState } from "./html.js";

/** @type {Promise<any> | null} */
let fetched = null;

/** Where the entries of each kind are described. */
const ENTRIES = {
  rule: (/** @type {any} */ whole) => whole.properties.rules.items,
  provider: (/** @type {any} */ whole) => whole.properties.providers.additionalProperties,
};

/**
 * @param {keyof typeof ENTRIES} kind
 * @returns {any} the schema of such an entry, or null until it has come
 */
export function useSchema(kind) {
  const [schema, setSchema] = useState(/** @type {any} */ (null));
  useEffect(() => {
    fetched ??= read("schema");
    fetched.then(
      (found) => setSchema(ENTRIES[kind](found)),
      () => {
        fetched = null; // asked for again by the next form; this one has no hints
      },
    );
  }, []);
  return schema;
}

/**
 * Find the part of a schema that a path such as `when.model` names.
 * @param {any} schema
 * @param {string} path
 */
function part(schema, path) {
  return path.split(".").reduce((found, name) => found?.properties?.[name], schema);
}

/** @param {any} schema @param {string} path */
export function hint(schema, path) {
  return part(schema, path)?.description ?? "";
}

/** @param {any} schema @param {string} path */
export function example(schema, path) {
  const [shown] = part(schema, path)?.examples ?? [];
  return shown === undefined ? "" : String(shown);
}

/** @param {any} schema @param {string} path @returns {string[]} */
export function choices(schema, path) {
  const found = part(schema, path);
  return found?.enum ?? found?.anyOf?.find((/** @type {any} */ option) => option.enum)?.enum ?? [];
}

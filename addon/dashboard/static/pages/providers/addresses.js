/**
 * The address of a provider, or of something of it, in the API.
 * @param {string} id
 * @param {...string} rest
 */
export function at(id, ...rest) {
  return ["providers", id, ...rest].map(encodeURIComponent).join("/");
}

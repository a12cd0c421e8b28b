/** For CommonJS modules that keep state of one peer in the module: the next peer of the process must get its own. */

/** @param path absolute path of the module */
export function requireAfresh(require: NodeJS.Require, path: string): unknown {
  delete require.cache[path];
  return require(path);
}

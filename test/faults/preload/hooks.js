/** Gives the program our SQLite, which has points around its commits, and us the real one. */
const ours = new URL('./sqlite.js', import.meta.url).href;

export async function resolve(specifier, context, next) {
  if (specifier !== '@photostructure/sqlite' || context.parentURL === ours) return next(specifier, context);
  return { url: ours, shortCircuit: true };
}

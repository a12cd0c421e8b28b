/** What SSB's modules expect of Node and browsers have not. */
export { Buffer } from 'buffer/';
export const setImmediate = (work) => queueMicrotask(work);

/**
 * How V8 works for us. Flags are set when all is loaded: with others than those that Node was built with, V8 compiles
 * Node's own modules anew, and does not take the cache of bin/ssblog.js.
 */
import { setFlagsFromString } from 'node:v8';

/** The V8 of Node 20. Others were not measured, and newer ones do not know the flag: they say so on stderr. */
const MEASURED_V8 = '11.3.';
/** How many bytes of code a function runs through before V8 looks whether to optimize it; its own is 66 KiB. */
const INTERRUPT_BUDGET = 900_000;

/** How much larger than what is in use the heap may grow before it is cleaned, in per cent. */
const GROWTH_PERCENT = 100;
/** How much of the room for young objects may be full before they are looked through, in per cent; its own is 80. */
const YOUNG_PERCENT = 20;

/**
 * In the first seconds V8 optimizes a hundred functions that are hardly called afterwards: a tenth of what `pipe` and two
 * daemons did for a million lines. With more patience it finds the few that matter.
 */
export function optimizeLater(): void {
  if (!process.versions.v8.startsWith(MEASURED_V8)) return;
  setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
}

/**
 * The room that V8 gives young objects grows to 16 MB in a long log, because some are in use whenever it is looked
 * through, and that happens when most of it is full. Earlier, in the turns that `readLines` leaves to others, less of it
 * is ever touched.
 */
export function collectEarly(): void {
  setFlagsFromString(`--minor-gc-task-trigger=${YOUNG_PERCENT}`);
}

/**
 * V8 lets a heap of this size grow to four times what is in use: lines that have long been shipped then take more
 * memory than all the rest. To clean it more often costs no time that could be measured.
 */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}

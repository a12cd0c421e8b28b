/**
 * A thread that reads lines as they arrive and looks for patterns, beside the daemon's own work. What takes for ever
 * here is a pattern of the user's; whoever started the thread sees it in `progress` and ends it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { watchStore } from '../assemble/follow.ts';
import { OpenLines, readLines } from '../assemble/lines.ts';
import { type LogLine, lineText } from '../assemble/log-line.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import type { FoundLine, MatchTask, MatchWord } from './matcher.ts';

/** So many rows of the store at a time; then it says how far it is. */
const ROWS_AT_ONCE = 2000;
/** Of one pattern and one round. */
const MAX_FOUND = 100;
/** Of a line so much is looked at. */
const MAX_UNITS = 16_384;

const { storeFile, self, afterRow, patterns, progress } = workerData as MatchTask;
const tests = patterns.map((pattern) => ({ ...pattern, regexp: new RegExp(pattern.source, pattern.flags) }));

function say(word: MatchWord): void {
  parentPort?.postMessage(word);
}

await follow(openStore(storeFile, { readOnly: true }));

async function follow(store: Store): Promise<void> {
  const changes = watchStore(store, new AbortController().signal);
  const openLines = new OpenLines();
  let row = Math.min(afterRow ?? store.lastRow(), store.lastRow());
  say({ row, found: [] });
  for (;;) {
    await changes.next();
    if (store.isReplaced()) break;
    const names = store.names(self);
    for (let last = store.lastRow(); row < last; last = store.lastRow()) {
      const upToRow = Math.min(last, row + ROWS_AT_ONCE);
      const began = performance.now();
      const found: FoundLine[] = [];
      for await (const lines of readLines(
        store,
        {},
        { afterRow: row, upToRow, openLines, nameOf: (id) => names.get(id) },
      ))
        for (const line of lines) look(line, names.get(line.feed) ?? line.feed, found);
      row = upToRow;
      say({ row, found });
      // It takes no more than half of a core from whoever ships and replicates.
      await delay(performance.now() - began);
    }
  }
  say({ row: null, found: [] });
}

function look(line: LogLine, machine: string, found: FoundLine[]): void {
  let text: string | undefined;
  for (const [index, { regexp, jobs, machines }] of tests.entries()) {
    if (jobs !== undefined && (line.job === undefined || !jobs.includes(line.job))) continue;
    if (machines !== undefined && !machines.includes(machine) && !machines.includes(line.feed)) continue;
    text ??= lineText(line).slice(0, MAX_UNITS);
    Atomics.store(progress, 0, index + 1);
    Atomics.add(progress, 1, 1);
    const isMatch = regexp.test(text);
    Atomics.store(progress, 0, 0);
    if (!isMatch || found.filter((other) => other.pattern === index).length >= MAX_FOUND) continue;
    const { feed, job, source, destination, run, sequence, at } = line;
    found.push({ pattern: index, machine, feed, job, source, destination, run, sequence, at, text });
  }
}

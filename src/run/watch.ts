/** Waits for a command's end: passes signals on, ends it when its time is over, and what it left behind does not count. */
import type { Command, CommandEnd } from './command.ts';
import type { Output } from './output.ts';

/** Processes that the command left behind and that hold its output open are waited for so long. */
const LEFT_BEHIND_MS = 5_000;

/** Between SIGTERM and SIGKILL. */
const KILL_AFTER_MS = 10_000;

export interface WatchOptions {
  readonly timeoutMs: number | undefined;
  /** Says what is done to the command. */
  readonly say: (text: string) => void;
  readonly leftBehindMs?: number;
  readonly killAfterMs?: number;
}

export interface Watched extends CommandEnd {
  readonly timedOut: boolean;
}

/** @returns how the command ended, when its output has ended too or was given up */
export async function watchCommand(command: Command, output: Output, options: WatchOptions): Promise<Watched> {
  const { say, timeoutMs, killAfterMs = KILL_AFTER_MS, leftBehindMs = LEFT_BEHIND_MS } = options;
  const all = Promise.all([command.end, output.ended]);
  let timedOut = false;
  if (timeoutMs !== undefined) {
    timedOut = (await within(timeoutMs, command.end)) === 'late';
    if (timedOut) {
      say('ssblog: error: its time is over: SIGTERM');
      command.kill('SIGTERM');
      if ((await within(killAfterMs, all)) === 'late') {
        say('ssblog: error: it did not end: SIGKILL');
        command.kill('SIGKILL');
      }
    }
  }
  const end = await command.end;
  if ((await within(leftBehindMs, all)) === 'late') {
    say('ssblog: notice: a process that it left behind holds its output open: no more of it is read');
    output.stop();
    await output.ended;
  }
  return { ...end, timedOut };
}

/** Node's timers hold no longer time than this. */
const MAX_TIMER_MS = 2 ** 31 - 1;

async function within<T>(ms: number, work: Promise<T>): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    if (ms <= MAX_TIMER_MS) timer = setTimeout(() => resolve('late'), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A process from its start to its end: how long it took, how long processors worked for it, how much memory it had. */
import { readCpuSeconds, readMemory } from '../../test/helpers/proc.ts';
import type { Result, Running } from '../../test/helpers/running.ts';
import type { Sandbox } from '../../test/helpers/sandbox.ts';

/** What a process that has ended used last is not seen: this much time at most. */
const SAMPLE_MS = 10;
/** Longer than anything takes that does not hang. */
const DEADLINE_MS = 30 * 60_000;

export interface Timed {
  readonly ms: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly result: Result;
}

export interface Redirections {
  /** Files; a path is taken as it is. */
  readonly stdin?: string;
  readonly stdout?: string;
}

/** Starts a command as a shell does it for `COMMAND < FILE > FILE`: no bytes go through the benchmark itself. */
export function spawnRedirected(box: Sandbox, command: readonly string[], { stdin, stdout }: Redirections): Running {
  const script = `exec "$@"${stdin === undefined ? '' : ' < "$BENCH_STDIN"'}${stdout === undefined ? '' : ' > "$BENCH_STDOUT"'}`;
  return box.spawn('/bin/sh', ['-c', script, 'sh', ...command], {
    ...(stdin !== undefined && { BENCH_STDIN: stdin }),
    ...(stdout !== undefined && { BENCH_STDOUT: stdout }),
  });
}

/**
 * Runs a command to its end.
 * @throws when it ends with another code than 0, or hangs
 */
export async function runTimed(box: Sandbox, command: readonly string[], files: Redirections = {}): Promise<Timed> {
  const started = performance.now();
  const running = spawnRedirected(box, command, files);
  if (files.stdin === undefined) running.endInput();
  const pid = running.pid as number;
  const used = { cpuSeconds: 0, peakBytes: 0 };
  const sampler = setInterval(() => {
    used.cpuSeconds = readCpuSeconds(pid) ?? used.cpuSeconds;
    used.peakBytes = Math.max(used.peakBytes, readMemory(pid)?.peakBytes ?? 0);
  }, SAMPLE_MS);
  try {
    await running.done(DEADLINE_MS);
  } finally {
    clearInterval(sampler);
  }
  const ms = performance.now() - started;
  const { result } = running;
  if (result.code !== 0) throw new Error(`${command.join(' ')} ended with ${result.code}:\n${result.stderr}`);
  return { ms, ...used, result };
}

/** Waits for what a process prints, without looking again and again. @throws when it ends before */
export async function untilPrinted(running: Running, where: 'text' | 'stderr', pattern: RegExp): Promise<void> {
  while (!pattern.test(running.result[where])) {
    if (running.hasEnded) throw new Error(`${running.command} ended without ${pattern}:\n${running.result.stderr}`);
    await running.nextOutput();
  }
}

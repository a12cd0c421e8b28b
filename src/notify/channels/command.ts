/** A program of the user's: what is told comes as JSON on its stdin, and the most of it in variables. */
import type { Notice } from '../words.ts';
import type { Send } from './channel.ts';
import { runProgram } from './program.ts';

export function commandChannel(commandLine: readonly string[]): Send {
  return (notice, { signal, environment, dir }) => {
    const { SSBLOG_NETWORK_KEY: _, ...inherited } = environment; // no program needs it to tell somebody something
    const variables = { ...inherited, SSBLOG_PATH: dir, ...variablesOf(notice) };
    return runProgram(commandLine, { input: `${JSON.stringify(notice)}\n`, environment: variables, signal });
  };
}

/** Not `SSBLOG_NAME` and the like: those are settings of ssblog, which the program may call. */
function variablesOf({ event, title, text, to, at, events }: Notice): Record<string, string> {
  const only = events.length === 1 ? events[0] : undefined;
  const values: Record<string, string | number | null | undefined> = {
    event,
    event_title: title,
    event_text: text,
    event_to: to,
    event_at: at,
    event_machine: only?.machine,
    event_job: only?.job,
    event_source: only?.source,
    event_destination: only?.destination,
    event_run: only?.run,
    event_exit: only?.exit,
    event_signal: only?.signal,
  };
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`SSBLOG_${name.toUpperCase()}`, String(value ?? '')]),
  );
}

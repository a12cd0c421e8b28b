/** Syslog's eight severities (RFC 5424, 6.2.1), worst first: the rank is the syslog number. */

export const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;

export type Level = (typeof LEVELS)[number];

const ALIASES: Readonly<Record<string, Level>> = {
  emergency: 'emerg',
  panic: 'emerg',
  critical: 'crit',
  fatal: 'crit',
  error: 'err',
  warn: 'warning',
  information: 'info',
  trace: 'debug',
};

/** 0 (emerg) to 7 (debug): lower is worse. */
export function levelRank(level: Level): number {
  return LEVELS.indexOf(level);
}

/** @returns the level that a name (any case, common aliases) means, or undefined */
export function parseLevel(name: string): Level | undefined {
  const lower = name.toLowerCase();
  return (LEVELS as readonly string[]).includes(lower) ? (lower as Level) : ALIASES[lower];
}

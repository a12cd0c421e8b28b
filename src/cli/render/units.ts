/** Sizes, counts and times for people. */
import { formatDistanceStrict } from 'date-fns/formatDistanceStrict';

/** `1.4 MB` */
export function renderBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** `3 hours` */
export function renderDuration(ms: number): string {
  return formatDistanceStrict(0, ms);
}

/** `2h 5m`, `12m`, `45s`, `300 ms`: for columns */
export function renderShortDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  // Two units say enough.
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => `${count}${unit}`).join(' ');
}

/** `3 hours ago`, or `-` for never */
export function renderAgo(atMs: number | null, nowMs: number): string {
  return atMs === null ? '-' : formatDistanceStrict(atMs, nowMs, { addSuffix: true });
}

/** Less is no news: the network's clocks and its delays are in it. */
const CLOCK_TOLERANCE_MS = 60_000;

/** `3 hours ahead`, `5 minutes behind?` (messages that came late look like that too), `right`, or `-` for unknown */
export function renderClockOffset(offsetMs: number | null): string {
  if (offsetMs === null) return '-';
  if (Math.abs(offsetMs) < CLOCK_TOLERANCE_MS) return 'right';
  return `${renderDuration(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead' : 'behind?'}`;
}

/** `1 file`, `2 files` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

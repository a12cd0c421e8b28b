/** What another machine has of this one's lines, for people. */
import { format } from 'date-fns/format';
import type { Receipt } from '../../store/store.ts';
import { counted } from './units.ts';

const DAY_MS = 86_400_000;

export function renderReceipt({ has, lacks }: Receipt | { has: null; lacks: null }, now: number): string {
  if (has === null) return '-';
  if (lacks.messages === 0) return 'all';
  const missing = `lacks ${lacks.lines === 0 ? counted(lacks.messages, 'message') : counted(lacks.lines, 'line')}`;
  if (has.at === null) return missing;
  const isToday = Math.abs(now - has.at) < DAY_MS;
  return `up to ${format(has.at, isToday ? 'HH:mm:ss' : 'yyyy-MM-dd HH:mm:ss')}, ${missing}`;
}

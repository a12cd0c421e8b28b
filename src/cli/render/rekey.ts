/** What `rekey` and `status` tell of the network key, for people. The key itself is never shown. */
import { escapeText } from '../../assemble/escape-controls.ts';
import type { RekeyProgress } from '../rekey-progress.ts';
import { renderAgo } from './units.ts';

/** Minutes are enough for whoever waits for days. */
export function renderMoment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

export function renderRekey(progress: RekeyProgress, now: number): string {
  return renderRekeyRows(progress, now)
    .map((text) => `${escapeText(text)}\n`)
    .join('');
}

export function renderRekeyRows(
  { changedMs, by, oldUntilMs, confirmed, waiting, shutOut }: RekeyProgress,
  now: number,
) {
  if (changedMs === null) return ['the network key was never changed'];
  const list = (machines: RekeyProgress['waiting']) => machines.map(({ id, name }) => name ?? id).join(', ');
  return [
    `changed ${renderAgo(changedMs, now)}${by === null ? '' : ` by ${list([by])}`}`,
    oldUntilMs === null ? 'older keys are refused' : `an older key is accepted until ${renderMoment(oldUntilMs)}`,
    `connected here with the new key: ${list(confirmed) || 'nobody yet'}`,
    ...(waiting.length === 0 ? [] : [`not yet: ${list(waiting)}`]),
    ...(shutOut.length === 0 ? [] : [`shut out: ${list(shutOut)}`]),
  ];
}

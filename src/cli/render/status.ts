/** The answer of `status`, for people. */
import { escapeText } from '../../assemble/escape-controls.ts';
import type { RekeyProgress } from '../rekey-progress.ts';
import { renderRekeyRows } from './rekey.ts';
import { counted, renderAgo, renderBytes, renderDuration } from './units.ts';

export interface Status {
  name: string;
  id: string;
  engine: string;
  daemon: { running: boolean; pid: number | null; uptimeMs: number | null };
  lines: number;
  messages: number;
  machines: number;
  /** Where others can dial it while the daemon runs. */
  addresses: readonly string[];
  peers: {
    id: string;
    name: string | null;
    address: string;
    direction: string;
    sinceMs: number;
    via: 'lan' | 'user' | null;
  }[];
  lan: {
    links: readonly { name: string; address: string; problem: string | null }[];
    found: readonly { id: string; wanted: boolean }[];
  };
  replication: {
    have: number;
    known: number;
    feeds: readonly { id: string; name: string | null; have: number; known: number }[];
  };
  /** Why messages of others are not taken now. */
  paused: readonly { message: string; hint: string }[];
  /** Why the machine's own feed is not written now. */
  hold: { message: string; hint: string } | null;
  /** Machines that invited this one. */
  waiting: { name: string; sinceMs: number; failure: { message: string } | null }[];
  /** How many machines came by that are not followed. */
  pending: number;
  spool: { files: number; lines: number };
  rekey: RekeyProgress;
  /** Names of notifiers that fail. */
  notify: { failing: readonly string[] };
  disk: { bytes: number; kinds: readonly (readonly [kind: string, bytes: number])[] };
  /** Times of the oldest and the newest line: milliseconds since the epoch. */
  span: { oldest: number; newest: number } | undefined;
}

export function renderStatus(status: Status, now: number): string {
  const { daemon, replication, spool } = status;
  const rows: [string, string][] = [
    ['machine', `${status.name} ${status.id}`],
    [
      'daemon',
      daemon.running ? `runs for ${renderDuration(daemon.uptimeMs ?? 0)} (process ${daemon.pid})` : 'does not run',
    ],
    ['engine', status.engine],
    [
      'log',
      `${counted(status.lines, 'line')} in ${counted(status.messages, 'message')} of ${counted(status.machines, 'machine')}`,
    ],
    ...(status.span ? [['lines', renderSpan(status.span, now)] as [string, string]] : []),
    [
      'replication',
      replication.have === replication.known ? 'complete' : `${replication.have} of ${replication.known} messages`,
    ],
    ...replication.feeds
      .filter(({ have, known }) => have < known)
      .map(({ id, name, have, known }): [string, string] => ['', `${have} of ${known} of ${name ?? id}`]),
    ...status.paused.flatMap(({ message, hint }): [string, string][] => [
      ['paused', message],
      ['', hint],
    ]),
    [
      'spool',
      spool.files === 0
        ? 'empty'
        : `${counted(spool.lines, 'line')} in ${counted(spool.files, 'file')} wait for the daemon`,
    ],
    ...(status.hold === null
      ? []
      : ([
          ['held', status.hold.message],
          ['', status.hold.hint],
        ] as [string, string][])),
    ...(status.notify.failing.length === 0
      ? []
      : [
          ['notify', `${status.notify.failing.join(', ')} cannot tell anybody; see: ssblog doctor`] as [string, string],
        ]),
    ...status.waiting.map(({ name, sinceMs, failure }): [string, string] =>
      failure === null
        ? ['joining', `waiting for ${name}, for ${renderDuration(now - sinceMs)}`]
        : ['joining', failure.message],
    ),
    ...(status.pending === 0
      ? []
      : ([['pending', `${counted(status.pending, 'machine')} not followed: ssblog machines --pending`]] as [
          string,
          string,
        ][])),
    ...(status.rekey.changedMs === null
      ? []
      : renderRekeyRows(status.rekey, now).map((text, index): [string, string] => [
          index === 0 ? 'network key' : '',
          text,
        ])),
    ['disk', renderDisk(status.disk)],
    ...status.addresses.map((address, index): [string, string] => [index === 0 ? 'listens on' : '', address]),
    ...status.peers.map((peer): [string, string] => [
      'peer',
      `${peer.name ?? peer.id} ${peer.direction} for ${renderDuration(now - peer.sinceMs)} ${peer.address}` +
        (peer.via === 'lan' ? ' (found on the LAN)' : ''),
    ]),
    ...(daemon.running ? [['LAN', renderLan(status.lan)] as [string, string]] : []),
    ...renderUnfollowed(status.lan.found),
  ];
  return rows.map(([title, value]) => `${title.padEnd(12)} ${escapeText(value)}\n`).join('');
}

/** Whoever has the network key can pretend to be many. */
const MAX_UNFOLLOWED = 10;

function renderUnfollowed(found: Status['lan']['found']): [string, string][] {
  const unfollowed = found.filter(({ wanted }) => !wanted);
  const more = unfollowed.length - MAX_UNFOLLOWED;
  const rows = unfollowed
    .slice(0, MAX_UNFOLLOWED)
    .map(({ id }): [string, string] => ['', `${id} is there and not followed: ssblog follow ${id}`]);
  return more > 0 ? [...rows, ['', `and ${more} more: ssblog status --json`]] : rows;
}

function renderLan({ links, found }: Status['lan']): string {
  if (links.length === 0) return 'machines are not looked for';
  const places = links.map(({ name, address, problem }) => `${name} ${address}${problem ? ` (${problem})` : ''}`);
  return `${counted(found.length, 'machine')} found on ${places.join(', ')}`;
}

function renderDisk({ bytes, kinds }: Status['disk']): string {
  const parts = kinds.map(([kind, of]) => `${kind} ${renderBytes(of)}`);
  return `${renderBytes(bytes)}${parts.length > 1 ? ` (${parts.join(', ')})` : ''}`;
}

function renderSpan({ oldest, newest }: { oldest: number; newest: number }, now: number): string {
  return `the oldest ${renderAgo(oldest, now)}, the newest ${renderAgo(newest, now)} (by machine: ssblog machines)`;
}

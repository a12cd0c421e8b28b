/** The answer of `notify list`, for people. */
import { renderTable } from './table.ts';
import { renderAgo } from './units.ts';

interface ShownNotifier {
  readonly name: string;
  readonly to: string | null;
  readonly channel: string;
  readonly lastSentAt: number | null;
  readonly failingSince: number | null;
  readonly lastError: string | null;
  readonly patternProblem: string | null;
  readonly waiting: number;
  readonly others: readonly { readonly id: string; readonly name: string | null }[];
}

export function renderNotifiers(notifiers: readonly ShownNotifier[], now: number): string {
  if (notifiers.length === 0) return 'nobody is to be told anything: config.json has no "notify"\n';
  return renderTable(
    ['NAME', 'CHANNEL', 'TO', 'ALSO FROM', 'LAST SENT', 'WAITING', 'STATE'],
    notifiers.map((notifier) => [
      notifier.name,
      notifier.channel,
      notifier.to ?? '-',
      notifier.others.map(({ id, name }) => name ?? id).join(', ') || '-',
      notifier.lastSentAt === null ? '-' : renderAgo(notifier.lastSentAt, now),
      String(notifier.waiting),
      stateOf(notifier, now),
    ]),
  );
}

function stateOf({ failingSince, lastError, patternProblem }: ShownNotifier, now: number): string {
  if (failingSince !== null) return `fails since ${renderAgo(failingSince, now)}: ${lastError}`;
  return patternProblem === null ? 'ok' : `its pattern: ${patternProblem}`;
}

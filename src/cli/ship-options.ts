/** The flags of the verbs that ship lines (`pipe`, `run`), and what they mean. */
import type { Command } from 'commander';
import { parseDuration } from '../config/duration.ts';
import { SsblogError } from '../errors.ts';
import type { Level } from '../message/level.ts';
import { parseLevelFlag } from './level-flag.ts';

export interface ShipOptions {
  readonly source?: string;
  readonly destination?: string;
  readonly job?: string;
  readonly level?: string;
  readonly every?: string;
  readonly grace?: string;
  readonly cron?: string;
  readonly tz?: string;
  readonly blocks: boolean;
}

/** What run records say of when a job is due. */
interface ScheduleFields {
  every?: string;
  grace?: string;
  cron?: string;
  tz?: string;
}

export interface ShipSettings {
  readonly source: string | undefined;
  readonly destination: string | undefined;
  readonly job: string | undefined;
  readonly level: Level | undefined;
  readonly schedule: ScheduleFields;
  readonly blocks: boolean;
}

export function addShipOptions(command: Command): Command {
  return command
    .option('-s, --source <source>', "where the data comes from (default: this machine's name)")
    .option('-d, --destination <destination>', 'where the data goes to')
    .option('-j, --job <job>', 'the job whose output this is')
    .option('-l, --level <level>', 'the level of every line (default: as the line itself says)')
    .option('--every <duration>', 'with a job: it should run this often (24h, 7d)')
    .option('--cron <expression>', "with a job: it should run at these times ('0 3 * * *')")
    .option('--tz <zone>', "with --cron: the time zone that is meant (default: this machine's)")
    .option('--grace <duration>', 'with --every or --cron: it may be this late')
    .option('--no-blocks', 'one message for each line, however fast they come');
}

/** @throws SsblogError `usage` */
export async function readShipOptions(options: ShipOptions): Promise<ShipSettings> {
  const { source, destination, job, level, blocks } = options;
  if (source !== undefined || destination !== undefined || job !== undefined) {
    const { checkName } = await import('./machine-names.ts');
    if (source !== undefined) checkName('--source', source);
    if (destination !== undefined) checkName('--destination', destination);
    if (job !== undefined) checkName('--job', job);
  }
  return {
    source,
    destination,
    job,
    level: level === undefined ? undefined : parseLevelFlag(level),
    schedule: await readSchedule(options),
    blocks,
  };
}

/** As in the message that carries it. */
const MAX_DURATION_UNITS = 50;

async function readSchedule({ job, every, grace, cron, tz }: ShipOptions): Promise<ScheduleFields> {
  for (const [flag, value] of Object.entries({ '--every': every, '--cron': cron, '--grace': grace })) {
    if (value !== undefined && job === undefined) {
      throw new SsblogError('usage', `${flag} needs --job`, { hint: 'only a job has a schedule' });
    }
  }
  checkDuration('--every', every);
  checkDuration('--grace', grace);
  if (every !== undefined && cron !== undefined)
    throw new SsblogError('usage', '--every and --cron exclude each other');
  if (grace !== undefined && every === undefined && cron === undefined) {
    throw new SsblogError('usage', '--grace needs --every or --cron');
  }
  if (tz !== undefined && cron === undefined) throw new SsblogError('usage', '--tz needs --cron');
  return {
    ...(every !== undefined && { every }),
    ...(grace !== undefined && { grace }),
    ...(cron !== undefined && (await readCron(cron, tz))),
  };
}

export function checkDuration(flag: string, value: string | undefined): void {
  if (value === undefined || (value.length <= MAX_DURATION_UNITS && (parseDuration(value) ?? 0) > 0)) return;
  throw new SsblogError('usage', `${flag}: "${value}" is no duration`, { hint: 'durations: 90s, 30m, 24h, 7d, 1h30m' });
}

async function readCron(cron: string, tz: string | undefined): Promise<{ cron: string; tz: string }> {
  const [{ cronProblem }, { MAX_CRON_UNITS, MAX_ZONE_UNITS }] = await Promise.all([
    import('../jobs/schedule.ts'),
    import('../message/limits.ts'),
  ]);
  const zone = tz ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const problem = cron.length > MAX_CRON_UNITS ? 'it is too long' : cronProblem(cron, zone);
  if (zone.length > MAX_ZONE_UNITS) throw new SsblogError('usage', '--tz: no time zone has such a long name');
  if (problem === undefined) return { cron, tz: zone };
  throw new SsblogError('usage', `--cron "${cron}": ${problem}`, {
    hint: "five fields, as in a crontab: --cron '0 3 * * *'; zones are called as Europe/Berlin",
  });
}

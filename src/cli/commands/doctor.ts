/** `doctor`: finds and explains what is wrong with a machine, and mends what can be mended. */
import type { Command } from 'commander';
import type { Finding, RepairName } from '../../doctor/finding.ts';
import type { SsblogError } from '../../errors.ts';
import { answer, type Context, type Invocation, invocation } from '../context.ts';
import type { Answer } from '../render/findings.ts';

const EXIT_WRONG = 1;

interface Options {
  readonly fix?: boolean;
  readonly verify?: boolean;
}

export function register(program: Command, context: Context): void {
  program
    .command('doctor')
    .description('find and explain what is wrong with this machine, and with --fix mend it')
    .option('--fix', 'mend what can be mended; for the store, stop the daemon first')
    .option('--verify', 'look at every message, signature and label as well, which takes longer')
    .addHelpText(
      'after',
      `
Each finding is one line, with the next step. Exit status: 0 when nothing is wrong, or all of it was mended;
1 when something is wrong. A finding of severity "info" is no reason to fail.
A damaged store is kept beside the new one, as store.damaged-DATE, to be removed by hand.`,
    )
    .action((options: Options, command: Command) => run(invocation(context, command), options));
}

async function run(call: Invocation, { fix = false, verify = false }: Options): Promise<void> {
  const { context, flags, dir } = call;
  const [{ closeMachine, openMachine }, { examine }, { examineOptions }, { renderFindings }] = await Promise.all([
    import('../../doctor/open-machine.ts'),
    import('../../doctor/examine.ts'),
    import('../examine-options.ts'),
    import('../render/findings.ts'),
  ]);
  const { options, end } = examineOptions(call, verify);
  const look = async () => {
    const machine = await openMachine({ dir, flags, environment: context.environment }, options);
    try {
      return { machine, findings: await examine(machine) };
    } finally {
      closeMachine(machine);
      end();
    }
  };
  const { machine, findings } = await look();
  let answers: Answer[] = findings.map(publicFinding);
  if (fix) {
    let failed = new Map<RepairName, SsblogError>();
    let after = findings;
    if (findings.some(({ repair }) => repair !== undefined)) {
      const { repair } = await import('../../doctor/repair.ts');
      failed = await repair(machine, findings);
      after = (await look()).findings;
    }
    answers = compare(findings, after, failed);
  }
  if (answers.some(({ severity, fixed }) => severity !== 'info' && fixed !== true)) context.setExitCode(EXIT_WRONG);
  answer(call, answers, renderFindings(answers));
}

function publicFinding({ repair: _, ...finding }: Finding): Answer {
  return finding;
}

/** What is found again was not fixed; what is found only now came to light by what was mended. */
function compare(
  before: readonly Finding[],
  after: readonly Finding[],
  failed: ReadonlyMap<RepairName, SsblogError>,
): Answer[] {
  const left = new Set(after.map(keyOf));
  const known = new Set(before.map(keyOf));
  const answers = before.map((finding): Answer => {
    const failure = finding.repair && failed.get(finding.repair);
    const shown = publicFinding(finding);
    if (!left.has(keyOf(finding))) return { ...shown, fixed: true };
    return failure ? { ...shown, fixed: false, hint: reasonOf(failure) } : { ...shown, fixed: false };
  });
  return [
    ...answers,
    ...after
      .filter((finding) => !known.has(keyOf(finding)))
      .map((finding) => ({ ...publicFinding(finding), fixed: false })),
  ];
}

function keyOf({ code, message }: Finding): string {
  return `${code} ${message}`;
}

function reasonOf({ message, hint }: SsblogError): string {
  return `it was not mended: ${message}${hint === undefined ? '' : `; ${hint}`}`;
}

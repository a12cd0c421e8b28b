/** Lets `ssblog run backup.sh -v` mean `ssblog run -- backup.sh -v`: everything from the command on is the command's. */
import type { Command, Option } from 'commander';

/** @returns the arguments, with `--` before the command of `run` where it was left out */
export function separateCommand(program: Command, argv: readonly string[]): string[] {
  const verbAt = firstOperand(argv, 0, program.options);
  const verb = program.commands.find((command) => command.name() === argv[verbAt]);
  if (verb?.name() !== 'run') return [...argv];
  const at = firstOperand(argv, verbAt + 1, [...verb.options, ...program.options]);
  return at >= argv.length || argv[at] === '--' ? [...argv] : [...argv.slice(0, at), '--', ...argv.slice(at)];
}

/** The index of the first argument that is neither a flag nor a flag's value; of `--` when that comes first. */
function firstOperand(argv: readonly string[], from: number, options: readonly Option[]): number {
  let at = from;
  for (; at < argv.length; at += 1) {
    const argument = argv[at] as string;
    if (argument === '--' || argument === '-' || !argument.startsWith('-')) return at;
    if (takesNext(argument, options)) at += 1;
  }
  return at;
}

/** Whether the flag's value is the next argument, not a part of this one. */
function takesNext(argument: string, options: readonly Option[]): boolean {
  if (argument.startsWith('--')) return options.some(({ long, required }) => long === argument && required);
  for (let at = 1; at < argument.length; at += 1) {
    const option = options.find(({ short }) => short === `-${argument[at]}`);
    if (option?.required) return at === argument.length - 1;
  }
  return false;
}

/** What a figure means nothing without: the machine, and the disk that had to make things durable. */
import { execFileSync } from 'node:child_process';
import { arch, availableParallelism, cpus, release, tmpdir, totalmem, type } from 'node:os';

export interface Host {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** Of the directory in which everything happens: on tmpfs nothing is ever written to a disk. */
  readonly fileSystem: string;
  readonly date: string;
}

export function describeHost(now: Date): Host {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    fileSystem: execFileSync('stat', ['-f', '-c', '%T', tmpdir()], { encoding: 'utf8' }).trim(),
    date: now.toISOString(),
  };
}

export function hostLine({ cpu, cores, memoryGb, node, fileSystem, date }: Host): string {
  return `${cpu}, ${cores} cores, ${memoryGb} GB, ${fileSystem}, Node ${node}, ${date.slice(0, 10)}`;
}

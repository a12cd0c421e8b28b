import { Sandbox } from '../../test/helpers/sandbox.ts';

/** A directory and the processes in it for as long as the work takes; what ends the benchmark ends them too. */
export async function withSandbox<T>(work: (box: Sandbox) => Promise<T>): Promise<T> {
  const box = new Sandbox();
  try {
    return await work(box);
  } finally {
    await box.close();
  }
}

/** Two machines, two daemons, one connection: the second follows the first. */
import { link, Machine, randomNetworkKey, startAll } from '../../test/helpers/machine.ts';
import type { Sandbox } from '../../test/helpers/sandbox.ts';
import { stopDaemon } from './machine.ts';

export const SENDER = 'laptop';
export const FOLLOWER = 'nas';

export interface Pair {
  readonly sender: Machine;
  readonly follower: Machine;
}

/**
 * @param through gives the port through which the sender's is reached; as a rule it is reached directly
 */
export async function openPair(
  box: Sandbox,
  engine: string,
  through?: (port: number) => Promise<number>,
): Promise<Pair> {
  const key = randomNetworkKey();
  const sender = await Machine.make(box, SENDER, key, engine);
  const follower = await Machine.make(box, FOLLOWER, key, engine);
  await startAll(sender, follower);
  if (through === undefined) {
    await link(follower, sender);
  } else {
    const port = await through(sender.port);
    await follower.must('follow', sender.id);
    await follower.must('connect', sender.address.replace(`:${sender.port}~`, `:${port}~`));
  }
  await follower.waitForPeer(sender);
  return { sender, follower };
}

export async function closePair({ sender, follower }: Pair): Promise<void> {
  await stopDaemon(follower);
  await stopDaemon(sender);
}

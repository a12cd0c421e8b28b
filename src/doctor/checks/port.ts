/** Whether a daemon could listen where it is to. */
import { portsProblem } from '../../peer/port.ts';
import { type Finding, isOpen, type Machine } from '../finding.ts';

export async function checkPort({ config, daemon }: Machine): Promise<Finding[]> {
  if (!isOpen(config) || daemon.kind !== 'none') return [];
  const problem = await portsProblem(config);
  if (problem === undefined) return [];
  const { message, hint = 'choose another one' } = problem;
  return [{ code: 'port', severity: 'warning', message: `a daemon could not start: ${message}`, hint }];
}

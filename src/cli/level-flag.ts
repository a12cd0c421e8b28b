/** The value of `--level`. */
import { SsblogError } from '../errors.ts';
import { LEVELS, type Level, parseLevel } from '../message/level.ts';

/** @throws SsblogError `usage` */
export function parseLevelFlag(text: string): Level {
  const level = parseLevel(text);
  if (level !== undefined) return level;
  throw new SsblogError('usage', `--level: "${text}" is no level`, { hint: `levels: ${LEVELS.join(', ')}` });
}

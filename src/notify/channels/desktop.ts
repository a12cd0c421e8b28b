/**
 * The desktop's own notifications, by the programs that systems have for it: node-notifier carries old binaries of
 * four other programs along, and ends in calling the same ones.
 */
import type { Notice } from '../words.ts';
import type { Send } from './channel.ts';
import { runProgram } from './program.ts';

/** What fits into the corner of a screen. */
const MAX_BODY_UNITS = 500;

const APPLE_SCRIPT = ['on run argv', 'display notification (item 2 of argv) with title (item 1 of argv)', 'end run'];

export function desktopChannel(platform: NodeJS.Platform = process.platform): Send {
  return (notice, options) => runProgram(desktopCommand(notice, platform), options);
}

/** Title and text are arguments, never part of a script. */
export function desktopCommand({ event, title, text }: Notice, platform: NodeJS.Platform): string[] {
  const body = text.slice(0, MAX_BODY_UNITS);
  if (platform === 'darwin')
    return ['osascript', ...APPLE_SCRIPT.flatMap((line) => ['-e', line]), '--', title, body || ' '];
  const isGood = event === 'recovered' || event === 'heard' || event === 'test';
  const options = ['--app-name=ssblog', `--urgency=${isGood ? 'normal' : 'critical'}`];
  return ['notify-send', ...options, '--', title, escapeMarkup(body)];
}

/** Servers may read a little HTML in the body (Desktop Notifications Specification). */
function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

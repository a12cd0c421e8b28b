/** Mail, through whatever the machine has as `sendmail`: that one knows servers, passwords and queues. */
import { randomUUID } from 'node:crypto';
import { mailText } from '../mail-text.ts';
import type { Send } from './channel.ts';
import { runProgram } from './program.ts';

export function mailChannel(
  to: string,
  { from, sendmail }: { from?: string | undefined; sendmail: readonly string[] },
): Send {
  return (notice, { signal, environment }) => {
    const input = mailText({
      to,
      from,
      subject: notice.title,
      body: bodyOf(notice),
      at: new Date(notice.at),
      id: randomUUID(),
    });
    return runProgram(sendmail, { input, environment, signal });
  };
}

function bodyOf({ title, text, by }: Parameters<Send>[0]): string {
  return `${title}\n\n${text}\n\n-- \nssblog on ${by.name}\n`;
}

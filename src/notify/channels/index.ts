/** From a notifier's settings to the way by which it tells. */
import { type NotifierConfig, sendmailOf } from '../../config/notifiers.ts';
import type { Send } from './channel.ts';
import { commandChannel } from './command.ts';
import { desktopChannel } from './desktop.ts';
import { ntfyChannel, webhookChannel } from './http.ts';
import { mailChannel } from './mail.ts';

export function channelFor(notifier: NotifierConfig): Send {
  const { command, webhook, headers, ntfy, token, mail, from } = notifier;
  if (command !== undefined) return commandChannel(command);
  if (webhook !== undefined) return webhookChannel(webhook, headers);
  if (ntfy !== undefined) return ntfyChannel(ntfy, token);
  if (mail !== undefined) return mailChannel(mail, { from, sendmail: sendmailOf(notifier) });
  return desktopChannel();
}

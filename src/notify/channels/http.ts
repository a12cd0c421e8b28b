/** Over HTTP: a webhook that takes JSON, and ntfy's topics (https://docs.ntfy.sh/publish/#publish-as-json). */
import { SsblogError } from '../../errors.ts';
import type { Notice } from '../words.ts';
import type { Send } from './channel.ts';

/** Bytes: a longer message becomes a file to download. */
const MAX_NTFY_BYTES = 4000;

export function webhookChannel(url: string, headers: Readonly<Record<string, string>> = {}): Send {
  return (notice, { signal }) => post(url, notice, headers, signal);
}

export function ntfyChannel(topicUrl: string, token: string | undefined): Send {
  return (notice, { signal }) => {
    const url = new URL(topicUrl);
    const path = url.pathname.replace(/\/+$/, '');
    const slash = path.lastIndexOf('/');
    url.pathname = path.slice(0, slash + 1);
    const { priority, tags } = lookOf(notice);
    const body = {
      topic: decodeURIComponent(path.slice(slash + 1)),
      title: notice.title,
      message: cutBytes(notice.text || notice.title, MAX_NTFY_BYTES),
      priority,
      tags,
    };
    return post(url.href, body, token === undefined ? {} : { authorization: `Bearer ${token}` }, signal);
  };
}

function lookOf({ event }: Notice): { priority: number; tags: string[] } {
  switch (event) {
    case 'recovered':
    case 'heard':
      return { priority: 3, tags: ['white_check_mark'] };
    case 'test':
      return { priority: 3, tags: ['bell'] };
    case 'match':
    case 'silent':
      return { priority: 3, tags: ['warning'] };
    default:
      return { priority: 4, tags: ['rotating_light'] };
  }
}

async function post(
  address: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const { url, authorization } = withoutCredentials(address);
  const { host } = url;
  let status: number;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'ssblog', ...authorization, ...headers },
      body: JSON.stringify(body),
      redirect: 'error', // a POST would become a GET, which tells nobody anything
      signal,
    });
    status = response.status;
    await response.body?.cancel();
  } catch (error) {
    throw new SsblogError('notify', `${host}: ${signal.aborted ? 'it did not answer in time' : reasonOf(error)}`);
  }
  if (status < 200 || status > 299) throw new SsblogError('notify', `${host}: it answered ${status}`);
}

/** `fetch` refuses a URL with a password in it. */
function withoutCredentials(address: string): { url: URL; authorization: Record<string, string> } {
  const url = new URL(address);
  if (url.username === '' && url.password === '') return { url, authorization: {} };
  const plain = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return { url, authorization: { authorization: `Basic ${Buffer.from(plain).toString('base64')}` } };
}

/** `fetch failed` says nothing; what lies below it does. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const below = cause as { code?: unknown; message?: unknown } | undefined;
  return String(below?.code ?? below?.message ?? message);
}

function cutBytes(text: string, max: number): string {
  const bytes = Buffer.from(text);
  return bytes.length <= max
    ? text
    : bytes
        .subarray(0, max)
        .toString('utf8')
        .replace(/\ufffd+$/, '');
}

/** Feeds whose messages have the shape of signed ones, and a store in a directory of its own. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { encodeBlock } from '../../../src/message/block.ts';
import type { Content } from '../../../src/message/content.ts';
import { encodeLog } from '../../../src/message/log.ts';
import type { LogRecord, RunLabels } from '../../../src/message/record.ts';
import type { SignedMessage } from '../../../src/message/signed.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';

export const START_MS = Date.UTC(2026, 10, 22, 3, 0, 0);

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

export class FakeFeed {
  readonly id: string;
  sequence = 0;
  #previous: string | null = null;

  constructor(name: string) {
    this.id = `@${digest(name)}.ed25519`;
  }

  /** The feed's next message. */
  message(content: Content | string | object, timestamp: number = START_MS): SignedMessage {
    this.sequence += 1;
    const value = {
      previous: this.#previous,
      sequence: this.sequence,
      author: this.id,
      timestamp,
      hash: 'sha256' as const,
      content,
      signature: `${digest(`${this.id}${this.sequence}`)}.sig.ed25519`,
    };
    const key = `%${digest(JSON.stringify(value))}.sha256`;
    this.#previous = key;
    return { key, value, timestamp: timestamp + 0.5 };
  }
}

export function freshDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'ssblog-store-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function freshStore(context: TestContext): Store {
  const store = openStore(join(freshDirectory(context), 'store.db'));
  context.after(() => store.close());
  return store;
}

/** Records of a run, numbered from `line`, one a millisecond from START_MS + `line`. */
export function records(line: number, texts: readonly (string | Partial<LogRecord>)[]): LogRecord[] {
  return texts.map((text, index) => ({
    line: line + index,
    at: START_MS + line + index,
    level: undefined,
    stream: undefined,
    more: false,
    ...(typeof text === 'string' ? { bytes: Buffer.from(text) } : { bytes: Buffer.alloc(0), ...text }),
  }));
}

export const LABELS: RunLabels = { run: 'run-1', source: 'laptop', destination: 'nas', job: 'nightly' };

export function block(line: number, texts: readonly (string | Partial<LogRecord>)[], labels = LABELS): Content {
  return encodeBlock(labels, records(line, texts));
}

export function log(line: number, text: string | Partial<LogRecord>, labels = LABELS): Content {
  const [record] = records(line, [text]);
  if (record === undefined) throw new Error('no record');
  return encodeLog(labels, record);
}

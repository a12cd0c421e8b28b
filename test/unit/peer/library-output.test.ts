import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { CROSSING } from '../../../src/peer/connections.ts';
import { captureLibraryOutput } from '../../../src/peer/library-output.ts';

const require = createRequire(import.meta.url);
const clarify = createRequire(require.resolve('multiserver'))('clarify-error') as (e: Error, why: string) => Error;

test('what a library prints becomes single lines, a few a minute, and the rest is counted', () => {
  const notices: string[] = [];
  let now = 0;
  const release = captureLibraryOutput(
    (text) => notices.push(text),
    () => now,
  );
  try {
    for (let n = 1; n <= 8; n += 1) console.error(new Error(`handshake ${n}\nsecond line`));
    now = 61_000;
    console.log('later', { detail: 1 });
  } finally {
    release();
  }
  assert.deepEqual(notices, [
    'handshake 1',
    'handshake 2',
    'handshake 3',
    'handshake 4',
    'handshake 5',
    '3 more like these in the last minute',
    'later { detail: 1 }',
  ]);
});

test('a refused connection is one line, with where it came from', () => {
  const notices: string[] = [];
  const release = captureLibraryOutput((text) => notices.push(text));
  try {
    console.error('server error, from', 'net:192.0.2.7:40000~shs:');
    console.error(new Error('shs.server: client hello invalid\nmore'));
  } finally {
    release();
  }
  assert.deepEqual(notices, ['refused a connection from net:192.0.2.7:40000: shs.server: client hello invalid']);
});

test('a connection that is refused because it comes the other way round is not told', () => {
  const notices: string[] = [];
  const release = captureLibraryOutput((text) => notices.push(text));
  try {
    console.error('server error, from', 'net:192.0.2.7:40000~shs:');
    console.error(clarify(new Error(CROSSING), 'shs.server: not authorized'));
    console.error('the next one');
  } finally {
    release();
  }
  assert.deepEqual(notices, ['the next one']);
});

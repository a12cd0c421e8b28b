/** Messages are judged as SSB judges them: by its own dataset of messages, and by ssb-validate. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { checkMessage, type Head } from '../../../../src/peer/engines/sqlite/validate.ts';

const require = createRequire(import.meta.url);

interface Case {
  readonly state: { readonly id: string; readonly sequence: number } | null;
  readonly message: unknown;
  readonly hmacKey: unknown;
  readonly valid: boolean;
  readonly error: string | null;
  readonly id: string | null;
}

const cases = require('ssb-validation-dataset') as Case[];
const ssbValidate = require('ssb-validate') as {
  checkInvalid(state: unknown, hmacKey: unknown, message: unknown): false | (Error & { fatal?: boolean });
};

/** The dataset has words of its own for what is wrong; these are the ones of ssb-validate, which peers know. */
const ERRORS: Readonly<Record<string, RegExp>> = {
  'Author must decode to a value with 32 bytes': /must have author/,
  'HMAC key must be a string': /invalid HMAC key/,
  'HMAC key must be canonical base64': /invalid HMAC key/,
  'HMAC key must decode to a value with 32 bytes': /invalid HMAC key/,
  'Message author must be a string': /must have author/,
  "Message author must end with '.ed25519'": /must have author/,
  'Message content must be a string or an object': /invalid properties/,
  'Message content must not be an array': /type must be a string/,
  'Message content must not be null': /invalid properties/,
  'Message content string base64 must be canonical': /invalid properties|signature type must match/,
  "Message content string must contain '.box'": /invalid properties/,
  'Message content type length must not be greater than 52': /type must be a string/,
  'Message content type length must not be less than 3': /type must be a string/,
  'Message content type must be a string': /type must be a string/,
  "Message hash must be 'sha256'": /invalid properties/,
  'Message must be an object': /must be an object/,
  'Message must decode a value with fewer than 8192 bytes (latin1)': /must not be larger than 8192 bytes/,
  'Message must have a valid order': /keys in allowed order|signature type must match|initial message must have/,
  'Message must not be null': /must be an object/,
  'Message previous must be the previous message ID': /initial message must have previous: null/,
  'Message sequence must be a number': /initial message must have sequence|signature type must match/,
  "Message signature must end with '.sig.ed25519'": /signature type must match author type/,
  'Message timestamp must be a number': /initial message must have timestamp/,
  'Signature base64 must be canonical': /signature type must match author type/,
  'Signature must decode to a value with 64 bytes': /signature type must match author type/,
  'Signature value must verify the unsigned message bytes': /must have author/,
};

interface Verdict {
  readonly key: string | null;
  readonly error: string | null;
  readonly fatal: boolean;
}

function judge({ state, message, hmacKey }: Case): Verdict {
  const head: Head | undefined = state === null ? undefined : { key: state.id, sequence: state.sequence };
  try {
    return { key: checkMessage(head, message, hmacKey), error: null, fatal: false };
  } catch (error) {
    return { key: null, error: (error as Error).message, fatal: (error as { fatal: boolean }).fatal };
  }
}

test('every message of ssb-validation-dataset is judged as it says: valid or not, why not, and its id', () => {
  assert.ok(cases.length > 100);
  for (const [index, one] of cases.entries()) {
    const what = `case ${index + 1}: ${one.error ?? 'valid'}`;
    const { key, error } = judge(one);
    assert.equal(error === null, one.valid, `${what}: ${error}`);
    if (one.valid) assert.equal(key, one.id, what);
    else assert.match(error ?? '', ERRORS[one.error ?? ''] ?? assert.fail(`no words for ${one.error}`), what);
  }
});

test('what is wrong is said in the words of ssb-validate, and is fatal when it says so', () => {
  for (const [index, one] of cases.entries()) {
    // Of these ssb-validate makes a TypeError.
    if (typeof one.message !== 'object' || one.message === null || one.hmacKey === true) continue;
    const theirs = ssbValidate.checkInvalid(one.state, one.hmacKey, one.message);
    const ours = judge(one);
    assert.equal(ours.error, theirs === false ? null : theirs.message, `case ${index + 1}`);
    assert.equal(ours.fatal, theirs !== false && theirs.fatal === true, `case ${index + 1}`);
  }
});

test('a message that does not go on from the last one is refused', () => {
  const valid = cases.find(({ valid, state, hmacKey }) => valid && state !== null && !hmacKey);
  assert.ok(valid?.state);
  const { message, state } = valid;
  const at = (head: Head) => judge({ ...valid, state: { id: head.key, sequence: head.sequence }, message });
  assert.equal(at({ key: state.id, sequence: state.sequence }).error, null);
  const repeated = at({ key: state.id, sequence: state.sequence + 1 });
  assert.match(repeated.error ?? '', /expected sequence/);
  assert.equal(repeated.fatal, false, 'a message that comes twice is no reason to stop replicating');
  const forked = at({ key: `%${'A'.repeat(43)}=.sha256`, sequence: state.sequence });
  assert.match(forked.error ?? '', /expected different previous message/);
  assert.equal(forked.fatal, true, 'the feed went another way');
});

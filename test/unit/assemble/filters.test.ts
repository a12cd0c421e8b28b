import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineTest } from '../../../src/assemble/filters.ts';

test('what labels decide needs no test of each line', () => {
  assert.equal(lineTest({ sources: ['a'], runs: ['r'], feeds: ['f'] }), undefined);
  assert.notEqual(lineTest({ since: 1 }), undefined);
});

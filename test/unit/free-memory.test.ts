import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeMemory } from '../../src/free-memory.ts';

test('large memory is given back at once, all of what the buffer is part of', () => {
  const before = process.memoryUsage().arrayBuffers;
  const part = Buffer.alloc(64 * 1024 * 1024, 1).subarray(1000, 2000);
  assert.ok(process.memoryUsage().arrayBuffers > before + 60e6);
  freeMemory(part);
  assert.equal(part.length, 0);
  assert.ok(process.memoryUsage().arrayBuffers < before + 4e6);
  freeMemory(part); // has none any more
});

test('small buffers, which may lie beside others, and shared memory are left as they are', () => {
  const pooled = Buffer.from('a line');
  const shared = Buffer.from(new SharedArrayBuffer(1024 * 1024));
  freeMemory(pooled);
  freeMemory(shared);
  assert.equal(pooled.toString(), 'a line');
  assert.equal(shared.length, 1024 * 1024);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machinePaths } from '../../../src/config/paths.ts';
import { socketPath } from '../../../src/peer/socket.ts';

test('the socket is in the directory of the machine', () => {
  assert.equal(socketPath(machinePaths('/home/anna/.ssblog')), '/home/anna/.ssblog/socket');
});

const elsewhere = [`/home/${'long/'.repeat(30)}`, '/home/a~b', '/home/a;b', '/home/a!b', `/home/${'é'.repeat(60)}`];
for (const dir of elsewhere) {
  test(`for ${dir.slice(0, 20)} it is in /tmp, under a name of its own`, () => {
    const path = socketPath(machinePaths(dir));
    assert.match(path, /^\/tmp\/ssblog-\d+-[0-9a-f]{20}\/socket$/);
    assert.notEqual(path, socketPath(machinePaths(`${dir}x`)));
  });
}

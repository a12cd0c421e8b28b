/** What systemd hears of a daemon that it started. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { network } from '../helpers/machine.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;
const hasNotify = spawnSync('systemd-notify', ['--version']).status === 0;
const skip = hasPython && hasNotify ? false : 'this needs python3 and systemd-notify';

/** Node cannot receive datagrams on a unix socket. */
const LISTENER = `
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print('bound', flush=True)
while True:
    print(listener.recv(4096).decode(), flush=True)
`;

test('the daemon tells systemd when it is ready', { skip }, async (t) => {
  const [laptop] = await network(t, 'laptop');
  const path = laptop.box.path('notify');
  const listener = laptop.box.spawn('python3', ['-c', LISTENER, path]);
  await listener.waitForOutput('text', /bound/);
  const daemon = laptop.box.spawnSsblog(['start', '--path', laptop.dir], { NOTIFY_SOCKET: path });
  await listener.waitForOutput('text', /READY=1/);
  await daemon.waitForOutput('stderr', /listening/);
  daemon.kill('SIGTERM');
  assert.equal((await daemon.done()).code, 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detectLevel } from '../../../src/lines/detect-level.ts';
import type { Level } from '../../../src/message/level.ts';
import { LOGHUB_FILES, loghubMissing, readLoghub } from '../../helpers/loghub.ts';

const STATED: Readonly<Record<string, readonly [line: string, level: Level][]>> = {
  'a syslog priority': [
    ['<3>disk failed', 'err'],
    ['<0>x', 'emerg'],
    ['<7>x', 'debug'],
    ['<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - failed', 'crit'],
    ['<34>Oct 11 22:14:15 mymachine su: failed', 'crit'],
    ['<191>x', 'debug'],
    ['<13>ERROR is in the text', 'notice'],
  ],
  brackets: [
    ['[Sun Dec 04 04:47:44 2005] [error] mod_jk child workerEnv in error state 6', 'err'],
    ['[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok', 'notice'],
    ['[warn] x', 'warning'],
    ['[WARN ] x', 'warning'],
    ['[ info] x', 'info'],
    ['[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708] File does not exist', 'err'],
    ['2023/01/01 00:00:00 [emerg] 1#1: bind() to 0.0.0.0:80 failed', 'emerg'],
    ['2023/01/01 00:00:00 [crit] 1#1: x', 'crit'],
    ['Jul  1 09:00:55 mac Safari[1] <Error>: could not', 'err'],
    ['kernel[0]: [HID] [ATC] [Error] AppleDeviceManagement', 'err'],
  ],
  capitals: [
    ['081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 terminating', 'info'],
    ['081110 135653 12034 WARN dfs.DataNode$DataXceiver: Got exception while serving', 'warning'],
    ['2023-10-10 12:00:00,123 ERROR [main] com.example.Job - failed', 'err'],
    ['ERROR: relation "x" does not exist', 'err'],
    ['FATAL:  password authentication failed for user "x"', 'crit'],
    ['2023-10-10 - WARNING - deprecated', 'warning'],
    ['combo logrotate: ALERT exited abnormally with [1]', 'alert'],
    ['DISK CRITICAL - free space: / 10 MiB', 'crit'],
    ['npm ERR! code ELIFECYCLE', 'err'],
    ['npm ERR', 'err'],
    ['xx npm ERR', 'err'],
    ['x npm ERR', 'err'],
    ['@ERROR: auth failed on module backup', 'err'],
    ['INFO first, then ERROR', 'info'],
    ['main|DEBUG|x', 'debug'],
    ['ERROR\r', 'err'],
  ],
  'a key': [
    ['time="2023-10-10T12:00:00Z" level=error msg="failed"', 'err'],
    ['ts=1 level="warn" msg=x', 'warning'],
    ['lvl=dbug severity=debug', 'debug'],
    ['{"level":"error","msg":"x"}', 'err'],
    ['{"time":"x", "level": "Warning"}', 'warning'],
    ["{'severity': 'INFO'}", 'info'],
    ['{"msg":"level ERROR [error] error: x","level":"info"}', 'info'],
  ],
  'a label': [
    ['error: something', 'err'],
    ['Error: something', 'err'],
    ['  warning: something', 'warning'],
    ['mysqldump: Error: 2020: Got packet bigger', 'err'],
    ['main.c:12:5: error: expected ;', 'err'],
    ['xinetd[26482]: warning: can not get client address', 'warning'],
    ['sshd[24200]: error: Received disconnect from 103.99.0.122: 14: No more user', 'err'],
    ['sshd[24200]: fatal: Write failed: Connection reset by peer [preauth]', 'crit'],
    ['2023-10-10T12:00:00Z error: x', 'err'],
    ['[10.30 16:49:06] chrome.exe - www.example.com:443 error : Could not connect', 'err'],
    ['12:00:00 error: x', 'err'],
    ['panic: runtime error: index out of range', 'crit'],
    ['error: no such file', 'err'],
  ],
  duplicity: [
    ['Warning, found the following local orphaned signature files:', 'warning'],
    ['Warning Option --old is pending deprecation', 'warning'],
    ['ERROR 30 HashError', 'err'],
    ['WARNING 1', 'warning'],
    ['Error accessing possibly locked file src/b', 'warning'],
    ['Backup source directory nowhere does not exist.', 'err'],
    ['NOTICE 1', 'notice'],
    ['INFO 1', 'info'],
    ['DEBUG 1', 'debug'],
    ['. Warning: no archive', 'warning'],
    ['. Error: no archive', 'err'],
    ['Giving up after 1 attempts. FileNotFoundError: No such file or directory', 'err'],
    ['Backup source directory /nonexistent does not exist.', 'err'],
    ['GPGError: GPG Failed, see log below:', 'err'],
    ['Command line error: Expected 2 args, got 1', 'err'],
  ],
  rsync: [
    ['rsync error: some files/attrs were not transferred (code 23) at main.c(1338) [sender=3.2.7]', 'err'],
    ['rsync warning: some files vanished before they could be transferred (code 24)', 'warning'],
    ['rsync: [sender] link_stat "/x" failed: No such file or directory (2)', 'warning'],
    ['file has vanished: "/home/x/.cache/y"', 'warning'],
    ['ssh: Could not resolve hostname nosuchhost.invalid: Name or service not known', 'err'],
    ['ssh: connect to host nas port 22: Connection refused', 'err'],
  ],
  tar: [
    ['tar: nonexistent: Cannot stat: No such file or directory', 'err'],
    ['tar: Exiting with failure status due to previous errors', 'err'],
    ['tar (child): /dev/full: Cannot write: No space left on device', 'err'],
    ['tar: /dev/full: Wrote only 2048 of 10240 bytes', 'err'],
    ['tar: home/x/.cache: file changed as we read it', 'warning'],
    ['tar: home/x/y: File removed before we read it', 'warning'],
  ],
  restic: [
    ['Fatal: unable to open repository at /srv/restic: wrong password', 'crit'],
    ['error: lstat /x: permission denied', 'err'],
    ['Warning: at least one source file could not be read', 'warning'],
    ['/nonexistent does not exist, skipping', 'warning'],
    ['Fatal: all target directories/files do not exist', 'crit'],
    ['{"message_type":"error","error":{"message":"x"},"during":"archival"}', 'err'],
  ],
  borg: [
    ['terminating with error status, rc 2', 'err'],
    ['Repository /tmp/none does not exist.', 'err'],
    ['terminating with warning status, rc 1', 'warning'],
    ['Repository /srv/borg does not exist.', 'err'],
    ['Archive a already exists', 'err'],
    ["/nonexistent: [Errno 2] No such file or directory: 'nonexistent'", 'warning'],
    ["/home/x: open: [Errno 13] Permission denied: 'x'", 'warning'],
    ['passphrase supplied in BORG_PASSPHRASE, by BORG_PASSCOMMAND or via BORG_PASSPHRASE_FD is incorrect.', 'err'],
    ['Failed to create/acquire the lock /srv/borg/lock.exclusive (timeout).', 'err'],
    ['Remote: Warning: Permanently added the host key', 'warning'],
    ['{"type": "log_message", "time": 1, "message": "x", "levelname": "WARNING", "name": "borg"}', 'warning'],
  ],
};

const NOT_STATED: readonly string[] = [
  '',
  'e',
  'er',
  'hello',
  'no errors',
  '0 errors, 0 warnings',
  '0 errors found',
  'no error: all well',
  'no ERROR found',
  '0 ERROR',
  '0 error: nothing',
  'ERRORS: 0',
  'ERROR: 0',
  'error: none',
  '  error: null,',
  'finished without error',
  "tar: Removing leading `/' from member names",
  'Repository /tmp/r was made',
  'the error is in your head',
  'Error logging capability: (0x01) Error logging supported.',
  'tar: Error is not recoverable: exiting now',
  "tar: Removing leading `/' from member names",
  'Archive name: a',
  'Repository: /srv/borg',
  "it says [Errno 2] in 'quotes'",
  'does not exist, skipping',
  'Giving up after all',
  'errors: 5',
  'information: x',
  'SSL_ERROR_SYSCALL',
  'ERROR_CODE 5',
  'NON-CRITICAL issue',
  'DEBUG=1 make',
  'std::error::Error',
  'fn error::new()',
  'https://example.com/?level=error&x=1',
  '--log-level=error',
  'level=high',
  'level=constructor',
  'battery level: critical',
  'copied error.log',
  'copied /var/log/error',
  'Read error rate 5',
  'warned: x',
  'terminating with success status, rc 0',
  'rsync  version 3.2.7  protocol version 31',
  'sent 100 bytes  received 35 bytes',
  '<192>x',
  '<999>x',
  '<03>x',
  '<3 x',
  '<html>',
  '<error>5</error>',
  '{"msg":"an ERROR [error]: error: x"}',
  'Éerror: x',
  `${'x'.repeat(300)} ERROR`,
  `${'x'.repeat(300)} ERR`,
];

for (const [form, lines] of Object.entries(STATED)) {
  test(`a level stated as ${form} is found`, () => {
    for (const [line, level] of lines) assert.equal(detectLevel(Buffer.from(line)), level, line);
  });
}

test('where no level is stated, none is found', () => {
  for (const line of NOT_STATED) assert.equal(detectLevel(Buffer.from(line)), undefined, line);
});

test('a level is found wherever in the line it stands', () => {
  for (let blanks = 0; blanks < 20; blanks += 1) {
    for (const word of ['ERR', 'WARN', 'ERROR', 'CRITICAL']) {
      for (const end of ['', ' ', ' x']) {
        const line = `${'-'.repeat(blanks)} ${word}${end}`;
        assert.notEqual(detectLevel(Buffer.from(line)), undefined, line);
      }
    }
  }
});

test('a level is that of the line, whatever the lines before and behind it state', () => {
  const lines = [...Object.values(STATED).flatMap((some) => some.map(([line]) => line)), ...NOT_STATED, '', '. ', '.'];
  for (const line of lines) {
    const level = detectLevel(Buffer.from(line));
    for (const [before, after] of [
      ['', 'ERROR: x'],
      ['ERROR', ''],
      ['<3>', ' error: x'],
      ['x', ' [warn]'],
    ]) {
      const start = Buffer.byteLength(`${before}\n`);
      const bytes = Buffer.from(`${before}\n${line}\n${after}`);
      assert.equal(detectLevel(bytes, start, start + Buffer.byteLength(line)), level, line);
    }
  }
});

test('lines that are no text do no harm', () => {
  for (let byte = 0; byte < 256; byte += 1) {
    assert.equal(detectLevel(Buffer.alloc(5, byte)), undefined);
    assert.equal(detectLevel(Buffer.of(byte)), undefined);
  }
});

const LOGHUB_LEVELS: Readonly<Record<(typeof LOGHUB_FILES)[number], Partial<Record<Level, number>>>> = {
  // As many as grep finds `[error]` and `[notice]`.
  Apache: { err: 595, notice: 1405 },
  HDFS: { info: 1920, warning: 80 },
  HealthApp: {},
  Linux: { alert: 43, warning: 2 },
  Mac: { err: 5, warning: 7 },
  OpenSSH: { crit: 1, err: 47 },
  Proxifier: { err: 97 },
};

for (const name of LOGHUB_FILES) {
  test(`in real lines of ${name} the levels that they state are found`, { skip: loghubMissing }, () => {
    const counts: Partial<Record<Level, number>> = {};
    for (const line of readLoghub(name).toString('latin1').split('\n')) {
      const level = detectLevel(Buffer.from(line, 'latin1'));
      if (level !== undefined) counts[level] = (counts[level] ?? 0) + 1;
    }
    assert.deepEqual(counts, LOGHUB_LEVELS[name]);
  });
}

/** Mails as somebody else's strict reader sees them: Python's, where every defect is an error. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

export interface ReadMail {
  /** In their order. */
  readonly names: readonly string[];
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly subject: string;
  /** Seconds since the epoch. */
  readonly date: number;
  readonly id: string;
  readonly type: string;
  readonly body: string;
}

const READER = `
import email, json, sys
from email import policy

mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=policy.SMTP.clone(raise_on_defect=True))
for name, value in mail.items():
    if value.defects:
        raise value.defects[0]
print(json.dumps({
    'names': mail.keys(),
    'from': [address.addr_spec for address in mail['From'].addresses],
    'to': [address.addr_spec for address in mail['To'].addresses],
    'subject': mail['Subject'],
    'date': mail['Date'].datetime.timestamp(),
    'id': mail['Message-ID'],
    'type': mail.get_content_type() + ' ' + mail.get_content_charset(),
    'body': mail.get_content(),
}))
`;

export function hasMailReader(): boolean {
  return spawnSync('python3', ['-c', 'from email import policy']).status === 0;
}

export function readMail(raw: Buffer): ReadMail {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', READER], { input: raw });
  assert.equal(status, 0, `${stderr}\n${raw}`);
  return JSON.parse(stdout.toString('utf8')) as ReadMail;
}

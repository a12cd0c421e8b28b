/** Logs that look like those of seven programs, the same on every machine: for where no real ones are at hand. */
import { type Random, seededRandom } from '../../test/helpers/random.ts';

const LINES_PER_LOG = 2_000;

const SEED = 20_261_122;
const USERS = ['root', 'anna', 'backup', 'postgres', 'admin', 'git', 'oracle', 'test'];
const PATHS = ['/', '/index.html', '/api/v1/items', '/static/app.js', '/favicon.ico', '/wp-login.php', '/feed.xml'];
const HOSTS = ['laptop', 'nas', 'vps', 'studio'];
const UNITS = ['cron', 'smartd', 'NetworkManager', 'systemd-logind', 'dhclient', 'ntpd'];
const STATES = [
  'started',
  'finished',
  'skipped: nothing to do',
  'retrying in 30 s',
  'failed: connection reset by peer',
];

type LineMaker = (random: Random, time: string, index: number) => string;

const MAKERS: Readonly<Record<string, LineMaker>> = {
  backup: (random, time, index) =>
    `${time} INFO copied /home/anna/photos/${random.below(977)}/IMG_${index}.jpg, ${random.below(9_000_000)} bytes`,
  database: (random, time) =>
    `${time} [${1_000 + random.below(90)}] LOG:  duration: ${random.below(900_000) / 1000} ms  statement: SELECT * FROM items WHERE id = ${random.below(1e6)}`,
  firewall: (random, time) =>
    `${time} vps kernel: [UFW BLOCK] IN=eth0 OUT= SRC=${address(random)} DST=${address(random)} LEN=${40 + random.below(20)} TTL=${random.below(255)} PROTO=TCP SPT=${random.below(65_536)} DPT=${random.pick(['22', '23', '445', '3389'])}`,
  jobs: (random, time) =>
    `${time} ${random.pick(['INFO', 'INFO', 'INFO', 'WARN', 'ERROR'])} job-${random.below(40)} ${random.pick(STATES)} (attempt ${1 + random.below(3)})`,
  sshd: (random, time) =>
    `${time} vps sshd[${1_000 + random.below(30_000)}]: Failed password for ${random.pick(USERS)} from ${address(random)} port ${random.below(65_536)} ssh2`,
  system: (random, time) =>
    `${time} ${random.pick(HOSTS)} ${random.pick(UNITS)}[${random.below(30_000)}]: session ${hex(random, 8)} ${random.pick(STATES)}`,
  web: (random, time) =>
    `${address(random)} - - [${time}] "GET ${random.pick(PATHS)} HTTP/1.1" ${random.pick(['200', '200', '304', '404'])} ${random.below(60_000)} "-" "Mozilla/5.0 (X11; Linux x86_64; rv:${100 + random.below(40)}.0)"`,
};

/** @returns name of each log and its lines, without line feeds */
export function generateLogs(): Map<string, string[]> {
  const random = seededRandom(SEED);
  const logs = new Map<string, string[]>();
  for (const [name, make] of Object.entries(MAKERS)) {
    let ms = Date.UTC(2026, 10, 22);
    const lines = Array.from({ length: LINES_PER_LOG }, (_, index) => {
      ms += random.below(4_000);
      return make(random, new Date(ms).toISOString().slice(0, 19).replace('T', ' '), index);
    });
    logs.set(name, lines);
  }
  return logs;
}

function address(random: Random): string {
  return `${1 + random.below(223)}.${random.below(256)}.${random.below(256)}.${random.below(256)}`;
}

function hex(random: Random, digits: number): string {
  return random.bytes(digits / 2).toString('hex');
}

/**
 * Real hosts for a test: network namespaces (ip-netns(8)) with cables, switches and routers between them. Nothing of
 * it touches the network of this computer. Switches are namespaces too, so deleting those takes everything away.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { guardNamespace } from './guard.ts';
import { Machine, randomNetworkKey } from './machine.ts';
import type { Running } from './running.ts';
import { Sandbox } from './sandbox.ts';

const PREFIX = 'ssblog-test';
const NAME = new RegExp(`^${PREFIX}-(\\d+)-\\w+$`);

/** Runs a command of the system. @throws with what it said on stderr */
function system(file: string, ...args: string[]): string {
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function namespaces(): string[] {
  const lines = system('ip', 'netns', 'list').split('\n');
  return lines.map((line) => line.split(' ', 1)[0] ?? '').filter((name) => name !== '');
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** @returns why hosts cannot be made here; undefined where they can */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const probe = `${PREFIX}-${process.pid}-probe`;
  try {
    system('ip', 'netns', 'add', probe);
    system('ip', 'netns', 'exec', probe, 'tcpdump', '--version');
    system('ip', 'netns', 'exec', probe, 'nft', 'list', 'ruleset');
    system('ip', 'netns', 'del', probe);
    return undefined;
  } catch (error) {
    return `network namespaces, iproute2, tcpdump and nftables are needed: ${(error as Error).message}`;
  }
}

/** For the options of `test`: false, or the reason to skip. */
export const NO_HOSTS: string | false = obstacle() ?? false;

/** A switch. */
export class Lan {
  readonly namespace: string;
  /** IPv4 network, `10.1.0`; undefined: only IPv6 link-local addresses, which hosts give themselves. */
  readonly network: string | undefined;
  #ports = 0;

  constructor(namespace: string, network: string | undefined) {
    this.namespace = namespace;
    this.network = network;
    system('ip', '-n', namespace, 'link', 'add', 'switch', 'type', 'bridge', 'mcast_snooping', '0');
    system('ip', '-n', namespace, 'link', 'set', 'switch', 'up');
  }

  /** Puts a cable between a new port and an interface of a namespace. @returns the port */
  cable(namespace: string, device: string): string {
    this.#ports += 1;
    const port = `port${this.#ports}`;
    system(
      ...(['ip', 'link', 'add', port, 'netns', this.namespace] as const),
      ...['type', 'veth', 'peer', 'name', device, 'netns', namespace],
    );
    system('ip', '-n', this.namespace, 'link', 'set', port, 'master', 'switch', 'up');
    // A router is the first one in the network; the others follow it.
    const address = device === 'inside' ? 1 : this.#ports + 10;
    const mask = this.network === undefined ? undefined : `${this.network}.${address}/24`;
    if (mask !== undefined) system('ip', '-n', namespace, 'addr', 'add', mask, 'brd', '+', 'dev', device);
    // Without waiting for whether another host has the same link-local address: it is drawn from a random MAC.
    system('ip', 'netns', 'exec', namespace, 'sysctl', '-qw', `net.ipv6.conf.${device}.accept_dad=0`);
    system('ip', '-n', namespace, 'link', 'set', device, 'up');
    return port;
  }
}

/** A host, with a home of its own for the machine that runs on it. */
export class Host {
  readonly namespace: string;
  readonly box: Sandbox;
  #plug: { readonly lan: Lan; readonly port: string } | undefined;

  constructor(namespace: string) {
    this.namespace = namespace;
    this.box = new Sandbox({
      command: ['ip', 'netns', 'exec', namespace],
      env: { SSBLOG_HOST: '::', SSBLOG_LAN: 'true' },
    });
    system('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
  }

  /** Its IPv4 address, where it is plugged in. */
  get address(): string {
    const shown = system('ip', '-n', this.namespace, '-4', '-br', 'addr', 'show', 'dev', 'eth0');
    const address = /(\S+)\/24/.exec(shown)?.[1];
    if (address === undefined) throw new Error(`${this.namespace} has no address: ${shown}`);
    return address;
  }

  plug(lan: Lan): void {
    this.#plug = { lan, port: lan.cable(this.namespace, 'eth0') };
  }

  unplug(): void {
    system('ip', '-n', this.namespace, 'link', 'del', 'eth0');
    this.#plug = undefined;
  }

  /** Pulls the cable out of the switch, and puts it back. The host keeps its address. */
  setCable(state: 'up' | 'down'): void {
    const { lan, port } = this.#plugged();
    system('ip', '-n', lan.namespace, 'link', 'set', port, state);
  }

  /** Nothing passes any more, and nobody is told. */
  setDeaf(isDeaf: boolean): void {
    const { lan, port } = this.#plugged();
    system('bridge', '-n', lan.namespace, 'link', 'set', 'dev', port, 'state', isDeaf ? '0' : '3');
  }

  /** Limits what it sends, in bits a second (`20mbit`). */
  limit(rate: string): void {
    system(
      'tc',
      '-n',
      this.namespace,
      'qdisc',
      'replace',
      'dev',
      'eth0',
      'root',
      'tbf',
      'rate',
      rate,
      'burst',
      '32k',
      'latency',
      '400ms',
    );
  }

  unlimit(): void {
    system('tc', '-n', this.namespace, 'qdisc', 'del', 'dev', 'eth0', 'root');
  }

  routeBy(gateway: string): void {
    system('ip', '-n', this.namespace, 'route', 'replace', 'default', 'via', gateway);
  }

  machine(name: string, networkKey: string): Promise<Machine> {
    return Machine.make(this.box, name, networkKey);
  }

  #plugged(): { readonly lan: Lan; readonly port: string } {
    if (this.#plug === undefined) throw new Error(`${this.namespace} is not plugged in`);
    return this.#plug;
  }
}

/** Everything that passes a switch, from now on. */
export class Capture {
  readonly #file: string;
  readonly #tcpdump: Running;

  private constructor(file: string, tcpdump: Running) {
    this.#file = file;
    this.#tcpdump = tcpdump;
  }

  static async of(lan: Lan, box: Sandbox): Promise<Capture> {
    const file = box.path('capture.pcap');
    const args = ['-n', lan.namespace, '-i', 'switch', '-s', '0', '-U', '-Z', 'root', '-w', file];
    const tcpdump = box.spawn('ip', ['netns', 'exec', lan.namespace, 'tcpdump', ...args.slice(2)]);
    await tcpdump.waitForOutput('stderr', /listening on/);
    return new Capture(file, tcpdump);
  }

  async end(): Promise<Buffer> {
    this.#tcpdump.kill('SIGINT');
    await this.#tcpdump.done();
    return readFileSync(this.#file);
  }
}

export class Topology {
  readonly networkKey = randomNetworkKey();
  readonly #namespaces: string[] = [];
  readonly #boxes: Sandbox[] = [];
  #count = 0;

  /** A switch. @param network IPv4 network, `10.1.0`; undefined: IPv6 only */
  lan(network?: string): Lan {
    return new Lan(this.#namespace('lan'), network);
  }

  host(lan?: Lan): Host {
    const host = new Host(this.#namespace('host'));
    this.#boxes.push(host.box);
    if (lan !== undefined) host.plug(lan);
    return host;
  }

  /** A host on a LAN with a machine of the test's network. */
  async machine(name: string, lan: Lan): Promise<{ host: Host; machine: Machine }> {
    const host = this.host(lan);
    return { host, machine: await host.machine(name, this.networkKey) };
  }

  /**
   * A router as homes have it: those inside dial out, behind its one address; nobody dials in. Hosts inside need
   * `routeBy(gateway)`.
   * @returns the gateway's address inside
   */
  router(inside: Lan, outside: Lan): string {
    const namespace = this.#namespace('router');
    inside.cable(namespace, 'inside');
    outside.cable(namespace, 'outside');
    system('ip', 'netns', 'exec', namespace, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    const nft = (...rule: string[]) => system('ip', 'netns', 'exec', namespace, 'nft', ...rule);
    nft('add table ip home');
    nft('add chain ip home out { type nat hook postrouting priority srcnat; }');
    nft('add rule ip home out oifname outside masquerade');
    nft('add chain ip home through { type filter hook forward priority filter; policy drop; }');
    nft('add rule ip home through iifname inside accept');
    nft('add rule ip home through ct state established,related accept');
    return `${inside.network}.1`;
  }

  async close(): Promise<void> {
    await Promise.all(this.#boxes.map((box) => box.close()));
    for (const namespace of this.#namespaces) system('ip', 'netns', 'del', namespace);
  }

  #namespace(kind: string): string {
    this.#count += 1;
    const name = `${PREFIX}-${process.pid}-${kind}${this.#count}`;
    guardNamespace(name);
    system('ip', 'netns', 'add', name);
    this.#namespaces.push(name);
    return name;
  }
}

/** Hosts that go when the test ends, however it ends. Whatever a killed run left goes first. */
export function topology(t: TestContext): Topology {
  for (const name of namespaces()) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) system('ip', 'netns', 'del', name);
  }
  const net = new Topology();
  t.after(() => net.close());
  return net;
}

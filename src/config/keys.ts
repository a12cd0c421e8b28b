/** The names of a machine's settings, without the schema that checks them: enough for `--help`, and quick to load. */

export type EngineName = 'sqlite' | 'ssb-server';

/** Who may replicate: all machines with the network key, or those within this one's hops. */
export type Access = 'members' | 'followed';

export interface Config {
  /** This machine's name. */
  readonly name: string;
  /** 32 bytes in base64, the same on all machines of the network. */
  readonly networkKey: string;
  /** Address to listen on; undefined: all. */
  readonly host?: string | undefined;
  readonly port: number;
  /** How far from this machine a feed may be to be replicated; 1: followed machines only. */
  readonly hops: number;
  readonly engine: EngineName;
  /** Who is told what: in the file only, and checked by `parseNotifiers` where it is used. */
  readonly notify?: unknown;
  /** Finds machines of the network on the LAN, and lets itself be found. */
  readonly lan: boolean;
  /** Also listens for websockets, so that machines and pages that can do no more than dial out meet here. */
  readonly relay: boolean;
  /** TCP port of the websockets, where there is a relay. */
  readonly wsPort: number;
  /** Where others reach this machine, where it cannot know that itself: see external.ts. */
  readonly external: readonly string[];
  readonly access: Access;
}

/** Settings that a text can hold: flags and the environment can give them. */
export type ConfigKey = Exclude<keyof Config, 'notify'>;

/** Not SSB's 8008: a stock ssb-server may run on the same machine. */
const DEFAULT_PORT = 8018;

/** What holds when neither flag, environment nor file says otherwise. */
export const CONFIG_DEFAULTS = {
  port: DEFAULT_PORT,
  hops: 3,
  engine: 'sqlite',
  lan: true,
  relay: false,
  wsPort: DEFAULT_PORT + 1,
  external: [],
  access: 'members',
} as const satisfies Partial<Config>;

interface KeyHelp {
  /** What stands for the value in `--help`. */
  readonly value: string;
  readonly text: string;
  /** The flag alone means `true`. */
  readonly isSwitch?: true;
}

export const CONFIG_HELP: Readonly<Record<ConfigKey, KeyHelp>> = {
  name: { value: 'name', text: "this machine's name, the default source of its lines" },
  networkKey: { value: 'key', text: 'key that all machines of the network share (32 bytes in base64)' },
  host: { value: 'address', text: 'address to listen on (default: all)' },
  port: { value: 'port', text: `TCP port to listen on (default: ${CONFIG_DEFAULTS.port})` },
  hops: {
    value: 'hops',
    text: `replicate feeds up to this far away (default: ${CONFIG_DEFAULTS.hops}; 1: followed only)`,
  },
  engine: {
    value: 'engine',
    text: `what keeps the feeds: sqlite or ssb-server (default: ${CONFIG_DEFAULTS.engine})`,
  },
  lan: { value: 'true|false', text: 'find machines on the LAN by broadcast (default: true)' },
  relay: {
    value: 'true|false',
    text: 'be a place where machines that only dial out meet: listen for websockets too (default: false)',
    isSwitch: true,
  },
  wsPort: { value: 'port', text: `TCP port of a relay's websockets (default: ${CONFIG_DEFAULTS.wsPort})` },
  external: {
    value: 'addresses',
    text: 'where others reach this machine: host names, or net:HOST:PORT, ws://HOST:PORT, wss://HOST (commas between)',
  },
  access: {
    value: 'access',
    text: `who may replicate: members of the network, or followed within the hops (default: ${CONFIG_DEFAULTS.access})`,
  },
};

export const CONFIG_KEYS = Object.keys(CONFIG_HELP) as ConfigKey[];

/** Shown masked, never printed. */
export const SECRET_KEYS: ReadonlySet<ConfigKey> = new Set(['networkKey']);

/** `networkKey` → `SSBLOG_NETWORK_KEY` */
export function environmentName(key: ConfigKey): string {
  return `SSBLOG_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
}

/** `networkKey` → `--network-key` */
export function flagName(key: ConfigKey): string {
  return `--${key.replace(/[A-Z]/g, '-$&').toLowerCase()}`;
}

/** Notices that this machine came into another network. Node tells of none; the list of interfaces costs 0.1 ms. */
import { networkInterfaces } from 'node:os';
import { describeLinks, type Link, linksOf } from './lan/links.ts';

const CHECK_EVERY_MS = 2_000;

export interface NetworkWatch {
  /** The networks at the last look. */
  readonly links: readonly Link[];
  /** Looks now. */
  check(): void;
  onChange(listener: () => void): void;
  close(): void;
}

/** @param host what the peer listens on; undefined: everything */
export function watchNetwork(host: string | undefined, interfaces = networkInterfaces): NetworkWatch {
  const listeners: (() => void)[] = [];
  let links = linksOf(interfaces(), host);
  let seen = describeLinks(links);
  const check = () => {
    links = linksOf(interfaces(), host);
    const now = describeLinks(links);
    if (now === seen) return;
    seen = now;
    for (const listener of listeners) listener();
  };
  const timer = setInterval(check, CHECK_EVERY_MS);
  timer.unref();
  return {
    get links() {
      return links;
    },
    check,
    onChange: (listener) => void listeners.push(listener),
    close: () => clearInterval(timer),
  };
}

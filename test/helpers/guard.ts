/**
 * Kills what a test process started, and removes its directories, when that process is gone, whatever ended it
 * (`kill -9` included): a shell that reads a pipe ends with the pipe.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

const SCRIPT = `
trap '' INT TERM HUP
running=''
directories=''
namespaces=''
while read -r verb what; do
  case $verb in
    start) running="$running $what" ;;
    end) rest=''; for pid in $running; do [ "$pid" = "$what" ] || rest="$rest $pid"; done; running=$rest ;;
    directory) directories="$directories $what" ;;
    namespace) namespaces="$namespaces $what" ;;
  esac
done
[ -z "$running" ] || kill -9 $running 2>/dev/null
for namespace in $namespaces; do ip netns del "$namespace" 2>/dev/null; done
[ -z "$directories" ] || rm -rf $directories
`;

let guard: ChildProcess | undefined;

function tell(line: string): void {
  if (guard === undefined) {
    // Its own session, so that Ctrl-C on the tests' terminal does not end it before it has cleaned up.
    guard = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    guard.unref();
    (guard.stdin as Socket).unref();
  }
  guard.stdin?.write(`${line}\n`);
}

export function guardProcess(pid: number): void {
  tell(`start ${pid}`);
}

export function releaseProcess(pid: number): void {
  tell(`end ${pid}`);
}

/** A network namespace, deleted where the test has not done it. */
export function guardNamespace(name: string): void {
  tell(`namespace ${name}`);
}

/** @param dir must hold no character that is special to a shell */
export function guardDirectory(dir: string): void {
  if (!/^\/[\w./-]+$/.test(dir)) throw new Error(`not a plain path: ${dir}`);
  tell(`directory ${dir}`);
}

/** A disk that is soon full: a tmpfs of a few megabytes, which only root can mount. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  readonly dir: string;
  /** Leaves so many bytes free. */
  fill(leaveBytes: number): void;
  /** Gives the room back. */
  free(): void;
}

/** For a test's `skip`: why there can be none. */
export const noSmallDisk: string | false =
  process.platform === 'linux' && process.getuid?.() === 0 && canMount() ? false : 'a tmpfs cannot be mounted here';

/** Mounts one for as long as `work` takes. @param dir where; made */
export async function onSmallDisk(
  bytes: number,
  work: (disk: SmallDisk) => Promise<void>,
  dir?: string,
): Promise<void> {
  const place = dir ?? mkdtempSync(join(tmpdir(), 'ssblog-disk-'));
  mkdirSync(place, { recursive: true, mode: 0o700 });
  mount(place, bytes);
  try {
    const filler = join(place, 'filler');
    await work({
      dir: place,
      fill(leaveBytes) {
        const { bavail, bsize } = statfsSync(place);
        writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)), { flag: 'a' });
      },
      free: () => rmSync(filler, { force: true }),
    });
  } finally {
    // Lazily: a process that a failed scenario left behind must not keep it.
    spawnSync('umount', ['-l', place]);
    if (dir === undefined) rmSync(place, { recursive: true, force: true });
  }
}

function mount(dir: string, bytes: number): void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs', dir]);
  if (status !== 0) throw new Error(`cannot mount a tmpfs: ${stderr}`);
}

function canMount(): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-disk-'));
  try {
    mount(dir, 65_536);
    spawnSync('umount', [dir]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

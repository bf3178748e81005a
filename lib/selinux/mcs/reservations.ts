/**
 * Pairs that are taken, as symbolic links: `c12,c345 -> <owner> <boot>`. symlink(2) is exclusive and brings its text along in one
 * step, so nobody ever sees a reservation without its owner, and nothing is opened that could lead elsewhere.
 *
 * The links of the dead are removed by whoever meets them, under a lock: without it, two would judge the same link, one would remove
 * and take it, and the other would remove the new one.
 */
import { randomInt } from 'node:crypto';
import fs from 'node:fs';
import { fromNodeError, IsolateError } from '../../errors';
import { ownerState, ownToken } from '../../host/owner';
import { native } from '../../native';
import { PAIR_COUNT, pairAt } from './pairs';

const TRIES = 32;
const LOCK_EXCLUSIVE_NOW = 2 | 4;
const pattern = /^c\d+,c\d+$/;

let boot: string | undefined;

/** Start times begin anew with each boot, and a directory may outlive it. */
function bootId(): string {
  boot ??= fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return boot;
}

export class Reservations {
  /** `count` below PAIR_COUNT is for tests. */
  constructor(
    private readonly directory: string,
    private readonly count = PAIR_COUNT,
  ) {}

  /** Any free pair. Throws ERR_LEVELS_EXHAUSTED when all are taken by the living. */
  take(): string {
    for (let i = 0; i < TRIES; i++) {
      const name = this.name(randomInt(this.count));
      if (this.tryTake(name)) return name;
    }
    // Crowded: look at what is there instead of guessing.
    this.clean();
    const taken = new Set(this.list());
    const start = randomInt(this.count);
    for (let i = 0; i < this.count; i++) {
      const name = this.name((start + i) % this.count);
      if (!taken.has(name) && this.tryTake(name)) return name;
    }
    throw new IsolateError('ERR_LEVELS_EXHAUSTED', `All ${this.count} pairs of categories are taken`, {
      path: this.directory,
      hint: 'Delete sandboxes, or give several of them the same level',
    });
  }

  /** False when somebody who lives has it. */
  tryTake(name: string): boolean {
    if (this.link(name)) return true;
    return this.isDead(name) && this.locked(() => this.isDead(name) && this.remove(name)) && this.link(name);
  }

  release(name: string): void {
    this.remove(name);
  }

  /** Names of all pairs that are taken, also by the dead. */
  list(): string[] {
    return fs.readdirSync(this.directory).filter((name) => pattern.test(name));
  }

  /** Removes what this user's dead processes have left. Returns how many. */
  clean(): number {
    let removed = 0;
    const known = new Map<string, boolean>();
    this.locked(() => {
      for (const name of this.list()) if (this.isDead(name, known) && this.remove(name)) removed++;
      return true;
    });
    return removed;
  }

  private name(index: number): string {
    const [a, b] = pairAt(index);
    return `c${a},c${b}`;
  }

  private path(name: string): string {
    return `${this.directory}/${name}`;
  }

  private link(name: string): boolean {
    try {
      fs.symlinkSync(`${ownToken()} ${bootId()}`, this.path(name));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw fromNodeError(error, { path: this.path(name) });
    }
  }

  private isDead(name: string, known = new Map<string, boolean>()): boolean {
    try {
      // Other users' are theirs to remove: they hold another lock.
      if (fs.lstatSync(this.path(name)).uid !== process.geteuid?.()) return false;
      const text = fs.readlinkSync(this.path(name));
      let dead = known.get(text);
      if (dead === undefined) {
        const [owner = '', born] = text.split(' ');
        dead = born === bootId() ? ownerState(owner) === 'dead' : born !== undefined;
        known.set(text, dead);
      }
      return dead;
    } catch {
      return false; // gone, or no link and so none of ours
    }
  }

  private remove(name: string): boolean {
    try {
      fs.unlinkSync(this.path(name));
      return true;
    } catch {
      return false; // gone already, or another user's
    }
  }

  /** Nothing is waited for: who holds the lock is cleaning. A lock for each user, since a stranger's could be held for ever. */
  private locked(act: () => boolean): boolean {
    const uid = process.geteuid?.() ?? 0;
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = fs.constants;
    let fd: number;
    try {
      fd = fs.openSync(`${this.directory}/.lock-${uid}`, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
    } catch {
      return false; // somebody else put something there: then nothing is cleaned
    }
    try {
      const mine = fs.fstatSync(fd).uid === uid;
      return mine && native().flock(fd, LOCK_EXCLUSIVE_NOW) === 0 && act();
    } finally {
      fs.closeSync(fd);
    }
  }
}

/** Levels for sandboxes: a pair of categories that nobody else has, or one that is named. */
import type { LevelReservation, ReservationOptions } from '../../../types/selinux';
import { IsolateError, ValidationError } from '../../errors';
import { CATEGORY_COUNT, formatLevel, parseLevel } from '../level';
import { reservationPlace } from './directory';
import { Reservations } from './reservations';

/**
 * A fresh pair; with `level` (`s0:c12,c345`) that one, so that no sandbox gets it by itself. Held until released or until this
 * process ends. Needs no SELinux. Throws IsolateError ERR_LEVEL_TAKEN or ERR_LEVELS_EXHAUSTED.
 */
export function reserveLevel(level?: string, options: ReservationOptions = {}): LevelReservation {
  const wanted = level === undefined ? undefined : pairName(level);
  const { directory, scope } = reservationPlace(options.directory);
  const reservations = new Reservations(directory);
  const name = wanted ?? reservations.take();
  if (wanted !== undefined && !reservations.tryTake(wanted)) {
    throw new IsolateError('ERR_LEVEL_TAKEN', `The level ${level} is taken by another process`, {
      path: `${directory}/${wanted}`,
      hint: 'Reserve another one, or use it without a reservation to share files with its owner',
    });
  }
  let held = true;
  const release = (): void => {
    if (held) reservations.release(name);
    held = false;
  };
  return { level: `s0:${name}`, scope, release, [Symbol.dispose]: release };
}

/** Removes reservations of processes that are gone, as far as they are this user's. Returns how many. */
export function cleanLevels(options: ReservationOptions = {}): number {
  return new Reservations(reservationPlace(options.directory).directory).clean();
}

function pairName(level: string): string {
  const parsed = parseLevel(level);
  const [a, b] = parsed.categories;
  const problem =
    parsed.sensitivity !== 0 || parsed.categories.length !== 2
      ? 'must be s0 with two categories to be reserved'
      : a === CATEGORY_COUNT - 2 && b === CATEGORY_COUNT - 1
        ? "can't be reserved: container engines give it to privileged mounts"
        : undefined;
  if (problem !== undefined)
    throw new ValidationError([{ path: 'level', message: problem, hint: 'Such as s0:c12,c345' }]);
  return formatLevel(parsed).slice('s0:'.length);
}

// One program of the smallest kind, by every way there is.
import { launches } from '../contestants.mjs';
import { program } from '../floor.mjs';
import { interleave } from '../measure.mjs';
import { peers } from '../peers.mjs';

export const title = 'One launch of /usr/bin/true';
export const base = { '÷ floor': 'floor', '÷ spawn': 'spawn' };

export async function measure({ floor, directory, quick, step }) {
  const { contestants, close } = await launches(floor);
  const others = peers(directory, program);
  const options = { rounds: quick ? 3 : 10, batch: quick ? 5 : 15, step };
  const { rows, failed } = await interleave([...contestants, ...others.contestants], options);
  await close();
  const notes = failed.map(({ name, reason }) => `${name} could not be measured: ${reason}`);
  if (others.missing.length > 0) notes.push(`Not installed: ${others.missing.join(', ')}.`);
  return { rows, notes };
}

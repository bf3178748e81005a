/** Files that the launcher gets as descriptors: opened here, with the caller's rights, before anything is launched. */
import fs from 'node:fs';
import { check, native } from '../native';
import type { CompiledSandbox } from './compile/sandbox';

export function openPlanFile({ path, directory, write }: CompiledSandbox['open'][number]): number {
  const { O_RDONLY, O_WRONLY, O_DIRECTORY } = fs.constants;
  const flags = directory ? O_RDONLY | O_DIRECTORY : write ? O_WRONLY : O_RDONLY;
  return check(native().open(path, flags), 'open', { path });
}

/** Turns -errno into errors. */

import type { ErrorFacts } from '../../types/errors';
import { type IsolateError, KernelError } from '../errors';
import { native } from './load';

/** `result` itself, or a KernelError made of a negative one. */
export function check<T>(result: T | number, syscall: string, facts: ErrorFacts & { what?: string } = {}): T {
  if (typeof result === 'number' && result < 0) throw kernelError(-result, syscall, facts);
  return result as T;
}

export function kernelError(errno: number, syscall: string, facts: ErrorFacts & { what?: string } = {}): IsolateError {
  return new KernelError(facts.what ?? facts.path ?? '', { ...facts, errno, syscall });
}

/** Closes a descriptor that the addon gave us. */
export function closeFd(fd: number): void {
  native().close(fd);
}

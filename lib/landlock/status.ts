/** How much of Landlock this kernel has. */
import type { LandlockStatus } from '../../types/landlock';
import { pretendedMissing } from '../host/pretend';
import { native } from '../native';
import { freezeDeep } from '../utils/freeze';
import { remembered } from '../utils/remembered';
import { kernelOf, rightNames, rights, SCOPE_ABI, scopeNames, TCP_ABI } from './abi';

const ASK_VERSION = 1;
const ENOSYS = 38;
const EOPNOTSUPP = 95;

let answer: number | undefined;

/** Never throws but for a missing addon. Needs no privilege. */
export function status(): LandlockStatus {
  answer ??= native().landlockFacts(ASK_VERSION);
  return statusOf(pretendedMissing(), { found: answer });
}

const statusOf = remembered((missing: ReadonlySet<string>, { found }: { found: number }): LandlockStatus => {
  const hidden = [...missing].map((name) => Number(/^landlock_(\d)$/.exec(name)?.[1] ?? Number.NaN));
  const abi = Math.min(found, ...hidden.filter((n) => n > 0).map((n) => n - 1));
  if (abi < 1) return freezeDeep({ available: false, reason: absence(abi), rights: [], tcp: false, scopes: [] });
  const kernel = kernelOf(abi);
  return freezeDeep({
    available: true,
    abi,
    ...(kernel === undefined ? {} : { kernel }),
    rights: rightNames.filter((name) => rights[name].abi <= abi),
    tcp: abi >= TCP_ABI,
    scopes: abi >= SCOPE_ABI ? scopeNames : [],
  });
});

function absence(result: number): string {
  if (result === -EOPNOTSUPP) return 'Landlock was left out when this kernel was booted (lsm=)';
  if (result === -ENOSYS || result === 0) return 'this kernel has no Landlock (5.13 and later can have it)';
  return `this kernel’s Landlock can’t be asked (errno ${-result}): a filter or a container may forbid it`;
}

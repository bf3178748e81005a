/**
 * Kernel features that tests pretend to be missing, so that each fallback runs on a kernel that has them all:
 * LINUX_ISOLATE_PRETEND_MISSING=clone3,close_range,openat2,mount_api,mount_setattr,memfd,landlock_4 (that ABI and later ones)
 */
const landlock = [
  'landlock_1',
  'landlock_2',
  'landlock_3',
  'landlock_4',
  'landlock_5',
  'landlock_6',
  'landlock_7',
] as const;
const names = ['clone3', 'close_range', 'openat2', 'mount_api', 'mount_setattr', 'memfd', ...landlock] as const;
export type PretendedFeature = (typeof names)[number];

export function pretendedMissing(): ReadonlySet<PretendedFeature> {
  const given = process.env.LINUX_ISOLATE_PRETEND_MISSING ?? '';
  if (given !== last.given)
    last = { given, features: new Set(names.filter((name) => given.split(',').includes(name))) };
  return last.features;
}

let last: { readonly given: string; readonly features: ReadonlySet<PretendedFeature> } = {
  given: '',
  features: new Set(),
};

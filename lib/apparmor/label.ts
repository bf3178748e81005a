/** Labels as the kernel writes them: `a (enforce)`, `a//&b (mixed)`, `unconfined`. Pure. Source: aa_label_snxprint in label.c. */
import type { ApparmorLabel, ApparmorMode } from '../../types/apparmor';

const UNCONFINED = 'unconfined';

export function parseLabel(text: string): ApparmorLabel {
  const [, label = text, mode] = /^(.*) \(([a-z]+)\)$/s.exec(text) ?? [];
  const profiles = profilesOf(label);
  return { label, profiles, mode: (mode as ApparmorMode | undefined) ?? UNCONFINED };
}

/** The profiles of a stack. `unconfined` in it adds nothing. */
export function profilesOf(label: string): string[] {
  return label.split('//&').filter((name) => name !== UNCONFINED);
}

/** Everything that confines by `wanted` confines by `actual` too; in which order they are named says nothing. */
export function includes(actual: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((name) => actual.includes(name));
}

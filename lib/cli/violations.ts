/** Refused calls for people: what was asked, what the profile said, what would allow it. */
import type { Violation } from '../../types/seccomp';

export function violationLines(violations: readonly Violation[]): string {
  return violations
    .map(({ text, decoded, program, pid, count, suggestion }) => {
      const times = count > 1 ? `, ${count} times` : '';
      return (
        `linux-isolate: refused ${text}\n` +
        `  called (${decoded.join(', ')}) by ${program ?? 'a program'} (pid ${pid})${times}\n` +
        `  → to allow it: ${JSON.stringify(suggestion)}`
      );
    })
    .join('\n');
}

/** Refused calls for people: what was asked, what the profile said, what would allow it. */
import type { Violation } from '../../types/seccomp';
import { plain } from './plain';

export function violationLines(violations: readonly Violation[]): string {
  return violations
    .map(({ text, args, decoded, program, pid, count, suggestion }) => {
      const times = count > 1 ? `, ${count} times` : '';
      const with_ = args.length > 0 ? ` (${plain(decoded.join(', '))})` : '';
      return (
        `linux-isolate: refused ${text}\n` +
        `  called${with_} by ${plain(program ?? 'a program')} (pid ${pid})${times}` +
        (suggestion ? `\n  → to allow it: ${JSON.stringify(suggestion)}` : '')
      );
    })
    .join('\n');
}

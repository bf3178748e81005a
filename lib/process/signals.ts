/** Signals by name and number, as os.constants has them. */
import { constants } from 'node:os';

const byName = constants.signals as Readonly<Record<string, number>>;
const byNumber = new Map<number, NodeJS.Signals>();
for (const [name, number] of Object.entries(byName)) {
  if (!byNumber.has(number)) byNumber.set(number, name as NodeJS.Signals);
}

/** `9` → `'SIGKILL'`; real-time signals have no name in Node and become `SIG34`, … */
export function signalName(number: number): NodeJS.Signals {
  return byNumber.get(number) ?? (`SIG${number}` as NodeJS.Signals);
}

/** `'SIGTERM'`, `15` → 15; undefined when there is no such signal. */
export function signalNumber(signal: string | number): number | undefined {
  if (typeof signal === 'number') return Number.isInteger(signal) && signal >= 0 && signal <= 64 ? signal : undefined;
  return byName[signal];
}

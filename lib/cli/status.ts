/** One line on a terminal that tells how a long run is doing; gone when it ends, and never in the way of its output. */
import type { Sandbox } from '../sandbox';
import { formatSize } from '../utils/size';

const FIRST_MS = 1000;
const EVERY_MS = 250;

export interface StatusLine {
  /** Before the program's output is written. */
  output(chunk: Uint8Array): void;
  stop(): void;
}

export function statusLine(sandbox: Sandbox): StatusLine | undefined {
  const out = process.stderr;
  if (!out.isTTY) return undefined;
  const started = Date.now();
  let shown = false;
  let midLine = false;
  const clear = (): void => {
    if (shown) out.write('\r\x1b[2K');
    shown = false;
  };
  const draw = async (): Promise<void> => {
    const elapsed = Date.now() - started;
    if (elapsed < FIRST_MS || sandbox.status === 'stopped') return;
    const stats = await sandbox.stats();
    // A line that the program has begun stays its own.
    if (midLine) return;
    const parts = [`${(elapsed / 1000).toFixed(1)} s`];
    const { cpu, memory, pids } = stats;
    if (cpu?.usageUs !== undefined) parts.push(`cpu ${(cpu.usageUs / 1e6).toFixed(1)} s`);
    if (memory?.currentBytes !== undefined) parts.push(`memory ${formatSize(memory.currentBytes)}`);
    if (pids?.current !== undefined) parts.push(`${pids.current} processes`);
    out.write(`\r\x1b[2K\x1b[2m${sandbox.id}  ${parts.join('  ')}\x1b[0m\r`);
    shown = true;
  };
  const timer = setInterval(() => void draw().catch(() => {}), EVERY_MS);
  timer.unref();
  return {
    output: (chunk) => {
      clear();
      midLine = chunk[chunk.length - 1] !== 0x0a;
    },
    stop: () => {
      clearInterval(timer);
      clear();
    },
  };
}

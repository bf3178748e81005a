// One line that says what is being measured, on a terminal only; results go above it.
const terminal = process.stderr.isTTY;
const started = performance.now();

export function show(section, what, round, rounds) {
  if (!terminal) return;
  const seconds = Math.round((performance.now() - started) / 1000);
  const turn = round < 0 ? 'warm-up' : `${round + 1}/${rounds}`;
  const line = `${String(seconds).padStart(4)} s  ${section}: ${what}, ${turn}`;
  process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
}

export function clear() {
  if (terminal) process.stderr.write('\r\x1b[K');
}

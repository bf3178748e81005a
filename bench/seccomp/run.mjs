// What a filter costs: installing it, a call that it allows, and a refused call without and with trace. `node bench/seccomp/run.mjs`
// Python makes the calls, so that the floor is Python's; the differences between the lines are the filter's.
import index from '../../dist/index.js';

const { run, seccomp } = index;
const CALLS = 20000;
const script = (number, calls) => `
import ctypes, time
call = ctypes.CDLL(None).syscall
for i in range(100): call(${number}, 0)
t = time.perf_counter()
for i in range(${calls}): call(${number}, 0)
print((time.perf_counter() - t) / ${calls} * 1e6)`;

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];

async function perCall(name, options, calls = CALLS) {
  const figures = [];
  for (let i = 0; i < 5; i++) {
    const r = await run('python3', ['-c', script(seccomp.resolveSyscall(name).number, calls)], {
      timeout: 60_000,
      seccomp: options,
    });
    if (!r.ok) throw new Error(JSON.stringify(r));
    figures.push(Number(r.stdout));
  }
  return median(figures);
}

/** Interleaved, so that a noisy neighbour hits all of them. */
async function launches(...profiles) {
  const figures = profiles.map(() => []);
  for (let i = 0; i < 40; i++) {
    for (const [at, seccomp] of profiles.entries()) {
      const { durations } = await run('/usr/bin/true', [], { seccomp });
      figures[at].push(durations.wall * 1000);
    }
  }
  return figures.map(median);
}

const row = (what, us) => console.log(`${what.padEnd(52)} ${us.toFixed(2).padStart(10)} µs`);
const [unconfined, byDefault, traced] = await launches('unconfined', 'default', { trace: true });
row('fork to reaping of true, unconfined', unconfined);
row('fork to reaping of true, default', byDefault);
row('fork to reaping of true, default with trace', traced);
row('getppid, unconfined', await perCall('getppid', 'unconfined'));
row('getppid, default', await perCall('getppid', 'default'));
row('getppid, default with trace', await perCall('getppid', { trace: true }));
row('mount refused, default', await perCall('mount', 'default'));
row('mount refused, default with trace', await perCall('mount', { trace: true }, 2000));

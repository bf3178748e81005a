// The same profile as a filter of ours and of libseccomp's, side by side: length, steps of hot calls, installing, cost of a call.
// `node bench/seccomp/peer.mjs`; needs gcc and libseccomp-dev. libseccomp's is built by the tests' oracle.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import index from '../../dist/index.js';

const { seccomp } = index;
const here = path.dirname(fileURLToPath(import.meta.url));
const work = mkdtempSync('/tmp/linux-isolate-bench-');
const ROUNDS = 15;
const CALLS = 200_000;

const build = (name, source, ...libraries) => {
  const program = path.join(work, name);
  execFileSync('gcc', ['-O2', '-o', program, source, ...libraries]);
  return program;
};
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];

const KILL_PROCESS = 0x80000000;
const values = { ALLOW: 0x7fff0000, ERRNO: 0x00050000 };
const operators = ['', 'NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'];

/** libseccomp's filter for the default profile without capabilities, as struct sock_filter[]. */
function theirs(oracle, optimize) {
  const { defaultErrnoRet, syscalls } = seccomp.builtInProfile('default');
  const value = ({ action, errnoRet }) => values[action.slice('SCMP_ACT_'.length)] | (errnoRet ?? 0);
  const fallback = value({ action: 'SCMP_ACT_ERRNO', errnoRet: defaultErrnoRet });
  const lines = [`default ${fallback} ${KILL_PROCESS}`, `optimize ${optimize}`];
  for (const rule of syscalls) {
    if (rule.includes?.caps?.length || value(rule) === fallback) continue;
    const args = (rule.args ?? []).flatMap(({ index, op, value, valueTwo }) => [
      index,
      operators.indexOf(op.slice('SCMP_CMP_'.length)),
      value,
      valueTwo ?? 0,
    ]);
    for (const name of rule.names) {
      const known = seccomp.resolveSyscall(name);
      if (known) lines.push(['rule', value(rule), name, known.number, ...args].join(' '));
    }
  }
  return execFileSync(oracle, { input: `${lines.join('\n')}\n` });
}

const hot =
  'read write close fstat lseek mmap munmap futex epoll_wait recvfrom sendto clock_gettime brk openat poll fcntl ioctl'.split(
    ' ',
  );

try {
  const cost = build('cost', path.join(here, 'cost.c'));
  const oracle = build('oracle', path.join(here, '../../test/fixtures/seccomp/oracle.c'), '-lseccomp');
  const filters = {
    none: undefined,
    // What libseccomp can't say is left out of both: ENOSYS for calls newer than the profile.
    ours: seccomp.compile('default', { newerSyscalls: 'default' }).program,
    libseccomp: theirs(oracle, 1),
    tree: theirs(oracle, 2),
  };
  const figures = Object.fromEntries(Object.keys(filters).map((name) => [name, []]));
  for (const [name, program] of Object.entries(filters)) if (program) writeFileSync(path.join(work, name), program);
  // Interleaved, so that a noisy neighbour hits all of them.
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of Object.keys(filters)) {
      const args = [CALLS, ...(filters[name] ? [path.join(work, name)] : [])].map(String);
      figures[name].push(execFileSync(cost, args, { encoding: 'utf8' }).trim().split(' ').map(Number));
    }
  }
  console.log('                       none       ours libseccomp  its tree');
  const row = (what, of) =>
    console.log(
      what.padEnd(16) +
        Object.keys(filters)
          .map((name) => `${of(name) ?? '-'}`.padStart(11))
          .join(''),
    );
  row('instructions', (name) => filters[name] && filters[name].length / 8);
  const steps = (program) =>
    hot.reduce((sum, syscall) => sum + seccomp.simulate(program, { syscall, args: [0, 0x5401] }).steps, 0) / hot.length;
  row('steps, hot calls', (name) => filters[name] && steps(filters[name]).toFixed(1));
  const column = (i) => (name) => median(figures[name].map((figure) => figure[i])).toFixed(i === 0 ? 0 : 1);
  for (const [i, what] of ['install ns', 'getppid ns', 'fcntl ns', 'mount ns'].entries()) row(what, column(i));
} finally {
  rmSync(work, { recursive: true });
}

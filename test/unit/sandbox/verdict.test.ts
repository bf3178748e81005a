import { type VerdictFacts, verdict } from '../../../lib/sandbox/verdict';

const exit = (more: Partial<VerdictFacts['exit']> = {}): VerdictFacts['exit'] => ({
  exitCode: 0,
  signal: null,
  coreDumped: false,
  wallNs: 1,
  userTimeUs: 0,
  systemTimeUs: 0,
  maxRssKib: 1,
  minorFaults: 0,
  majorFaults: 0,
  voluntarySwitches: 0,
  involuntarySwitches: 0,
  ...more,
});
const killed = exit({ exitCode: null, signal: 9 });
const oom = { source: 'memory.events', key: 'oom_kill', value: 1 };
const act = (reason: 'timeout' | 'output-limit' | 'killed' | 'canceled') => ({ reason, evidence: { source: 'test' } });
const facts = (more: Partial<VerdictFacts>): VerdictFacts => ({
  exit: exit(),
  act: undefined,
  oom: undefined,
  cpuLimit: undefined,
  confined: true,
  ...more,
});

test.each<[string, VerdictFacts, string]>([
  ['exit code 0', facts({}), 'exited'],
  ['exit code 137', facts({ exit: exit({ exitCode: 137 }) }), 'exited'],
  ['a signal', facts({ exit: exit({ exitCode: null, signal: 11 }) }), 'signaled'],
  ['SIGKILL without a counter', facts({ exit: killed }), 'signaled'],
  ['SIGKILL with the counter', facts({ exit: killed, oom }), 'oom'],
  ['a child killed by the OOM killer, the program failed of it', facts({ exit: exit({ exitCode: 1 }), oom }), 'exited'],
  [
    'a child killed by the OOM killer, the program aborted',
    facts({ exit: exit({ exitCode: null, signal: 6 }), oom }),
    'signaled',
  ],
  [
    'a child killed by the OOM killer, the program by the caller',
    facts({ exit: killed, oom, killedByCaller: true }),
    'signaled',
  ],
  ['a child killed, the program went on to succeed', facts({ oom }), 'exited'],
  ['SIGSYS', facts({ exit: exit({ exitCode: null, signal: 31 }) }), 'seccomp'],
  [
    'SIGSYS that it sent itself, without any filter',
    facts({ exit: exit({ exitCode: null, signal: 31 }), confined: false }),
    'signaled',
  ],
  ['our timeout', facts({ exit: killed, act: act('timeout') }), 'timeout'],
  ['our timeout, too late', facts({ act: act('timeout') }), 'exited'],
  ['our output limit, though it exited', facts({ act: act('output-limit') }), 'output-limit'],
  ['our timeout with an earlier OOM kill', facts({ exit: killed, act: act('timeout'), oom }), 'timeout'],
  [
    'init killed by the OOM killer',
    facts({ exit: killed, act: { reason: 'killed', evidence: { source: 'launcher' } }, oom }),
    'oom',
  ],
  ['the sandbox deleted after an OOM kill of some child', facts({ exit: killed, act: act('killed'), oom }), 'killed'],
  [
    'our timeout, when it had just died of something else',
    facts({ exit: exit({ exitCode: null, signal: 11 }), act: act('timeout') }),
    'signaled',
  ],
  [
    'SIGXCPU at the limit',
    facts({ exit: exit({ exitCode: null, signal: 24, userTimeUs: 1e6 }), cpuLimit: { soft: 1, hard: 2 } }),
    'cpu-timeout',
  ],
  [
    'SIGXCPU a moment before the limit',
    facts({ exit: exit({ exitCode: null, signal: 24, userTimeUs: 999_999 }), cpuLimit: { soft: 1, hard: 2 } }),
    'signaled',
  ],
  [
    'SIGKILL at the hard limit',
    facts({ exit: exit({ exitCode: null, signal: 9, userTimeUs: 2e6 }), cpuLimit: { soft: 1, hard: 2 } }),
    'cpu-timeout',
  ],
])('%s', (_name, given, expected) => expect(verdict(given).reason).toBe(expected));

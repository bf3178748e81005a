/** The kernel's answers: filters are installed and calls made, and simulate() has to have said so. Nothing allowed is carried out. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { boundaryCalls, compile, parseProfile, simulate } from '../../../lib/seccomp';
import { resolveSyscall } from '../../../lib/seccomp/syscalls';
import type { Call, ProfileInput } from '../../../types/seccomp';
import { hasCapability } from '../../helpers/capabilities';
import { build, cleanUp, describeIf, hasHeaders, workDir } from './native';

const shared = join(__dirname, '../../../../shared/seccomp/moby-default.json');
const BAD_POINTER = 0xdead0000n;

/** uretprobe, uprobe: the trampolines of the kernel's own probes. Since 6.14 kernel/seccomp.c lets them past every filter. */
const probes = [335, 336];

interface LiveCall extends Call {
  readonly args: readonly bigint[];
}

/** The kernel's answers, one word each: `allowed`, `killed`, `errno 1`. */
function ask(live: string, filter: Buffer, calls: readonly LiveCall[]): string[] {
  const file = join(workDir(), 'filter');
  writeFileSync(file, filter);
  const lines = calls.map(({ syscall, args, arch }) => `${arch === 'i386' ? 'i' : 'n'} ${syscall} ${args.join(' ')}`);
  const { status, stdout, stderr } = spawnSync(live, [file], { input: `${lines.join('\n')}\n`, timeout: 60_000 });
  if (status !== 0) throw new Error(`live: ${status} ${stderr}`);
  return stdout.toString().trim().split('\n');
}

function predict(filter: ReturnType<typeof compile>, call: LiveCall): string {
  const { action, data } = simulate(filter, call);
  if (action === 'SCMP_ACT_ERRNO') return `errno ${data}`;
  return action === 'SCMP_ACT_KILL_PROCESS' ? 'killed' : 'allowed';
}

describeIf(
  process.arch === 'x64' && hasHeaders('stdio.h', 'linux/seccomp.h'),
  'the kernel agrees',
  'gcc on x64',
  () => {
    let live: string;
    beforeAll(() => {
      live = build('live');
    });
    afterAll(cleanUp);

    const badPointers = new Array<bigint>(6).fill(BAD_POINTER);
    const everyNumber: LiveCall[] = Array.from({ length: 601 }, (_, syscall) => ({
      syscall,
      args: badPointers,
    })).filter(({ syscall }) => !probes.includes(syscall));
    const foreign: LiveCall[] = hasCapability('int80')
      ? [20, 102, 364].map((syscall) => ({ syscall, arch: 'i386', args: badPointers }))
      : [];
    foreign.push(...[0, 1, 257].map((syscall) => ({ syscall: syscall + 0x40000000, args: badPointers })));

    const profiles: [string, () => ProfileInput][] = [
      ['default', () => 'default'],
      ['strict', () => 'strict'],
    ];
    if (existsSync(shared)) profiles.push(['moby', () => parseProfile(readFileSync(shared))]);

    test.each(profiles)('%s: numbers 0 to 600, other ABIs, and arguments at their boundaries', (_, profile) => {
      const filter = compile(profile());
      const arguments_ = [...boundaryCalls(profile())].filter(
        ({ syscall, args, arch }) => args && arch === 0xc000003e && resolveSyscall(syscall) !== undefined,
      );
      const step = Math.ceil(arguments_.length / 4000);
      const sampled = arguments_.filter((_call, i) => i % step === 0) as LiveCall[];
      const calls = [...everyNumber, ...foreign, ...sampled];
      const answers = ask(live, filter.program, calls);
      const told = calls.map((call, i) => `${call.syscall}(${call.args}): ${answers[i]}`);
      expect(told).toEqual(calls.map((call) => `${call.syscall}(${call.args}): ${predict(filter, call)}`));
      expect(new Set(answers)).toEqual(new Set(['allowed', 'errno 1', 'errno 38', 'killed']));
    });
  },
);

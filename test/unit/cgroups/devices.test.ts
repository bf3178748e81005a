/**
 * Device rules: both translations against one plain reading of the rules. The BPF program runs in a small interpreter, the
 * v1 files in a model of the kernel's exception lists.
 */
import fc from 'fast-check';
import type { DeviceRuleConfig } from '../../../lib/cgroups/config';
import { translateDevices } from '../../../lib/cgroups/v1/devices';
import { deviceProgram } from '../../../lib/cgroups/v2/devices';

interface Request {
  type: 'b' | 'c';
  major: number;
  minor: number;
  access: string;
}

/** The later rule decides, for each kind of access by itself; nothing said is denied. */
function reference(rules: readonly DeviceRuleConfig[], request: Request): boolean {
  return [...request.access].every((access) => {
    const rule = rules.findLast(
      (r) =>
        (r.type === 'a' || r.type === request.type) &&
        (r.major ?? request.major) === request.major &&
        (r.minor ?? request.minor) === request.minor &&
        r.access.includes(access),
    );
    return rule?.allow ?? false;
  });
}

/** The subset of eBPF that the programs use. */
function runBpf(program: Uint8Array, { type, major, minor, access }: Request): boolean {
  const bits = [...access].reduce((sum, c) => sum | { m: 1, r: 2, w: 4 }[c as 'm' | 'r' | 'w'], 0);
  const context = [(bits << 16) | (type === 'b' ? 1 : 2), major, minor];
  const code = Buffer.from(program);
  const reg = new Array<number>(11).fill(Number.NaN);
  for (let pc = 0; pc < code.length / 8; pc++) {
    const op = code.readUInt8(pc * 8);
    const dst = code.readUInt8(pc * 8 + 1) & 15;
    const src = code.readUInt8(pc * 8 + 1) >> 4;
    const off = code.readInt16LE(pc * 8 + 2);
    const imm = code.readInt32LE(pc * 8 + 4);
    const value = reg[dst] as number;
    if (op === 0x61) reg[dst] = context[off / 4] as number;
    else if (op === 0xbf) reg[dst] = reg[src] as number;
    else if (op === 0xb7) reg[dst] = imm;
    else if (op === 0x57) reg[dst] = value & imm;
    else if (op === 0x77) reg[dst] = value >>> imm;
    else if (op === 0x55) pc += value === imm ? 0 : off;
    else if (op === 0x45) pc += value & imm ? off : 0;
    else if (op === 0x95) return reg[0] === 1;
    else throw new Error(`opcode ${op}`);
  }
  throw new Error('the program does not end');
}

/** security/device_cgroup.c: a default, exceptions to it, removal only of the very same device. */
class KernelV1 {
  private allowed = true;
  private exceptions: { type: string; major: string; minor: string; access: Set<string> }[] = [];

  write(file: string, value: string): void {
    const allow = file === 'devices.allow';
    if (value === 'a') {
      this.allowed = allow;
      this.exceptions = [];
      return;
    }
    const [type = '', numbers = '', access = ''] = value.split(' ');
    const [major = '', minor = ''] = numbers.split(':');
    const same = this.exceptions.find((e) => e.type === type && e.major === major && e.minor === minor);
    if (allow === this.allowed) {
      for (const c of access) same?.access.delete(c);
    } else if (same) for (const c of access) same.access.add(c);
    else this.exceptions.push({ type, major, minor, access: new Set(access) });
  }

  asks({ type, major, minor, access }: Request): boolean {
    const matching = this.exceptions.filter(
      (e) => e.type === type && ['*', `${major}`].includes(e.major) && ['*', `${minor}`].includes(e.minor),
    );
    if (this.allowed) return !matching.some((e) => [...access].some((c) => e.access.has(c)));
    return matching.some((e) => [...access].every((c) => e.access.has(c)));
  }
}

const access = fc.constantFrom('r', 'w', 'm', 'rw', 'rwm');
const number = fc.integer({ min: 0, max: 2 });
const some = (arbitrary: fc.Arbitrary<number>) => fc.option(arbitrary, { nil: undefined });
const rule: fc.Arbitrary<DeviceRuleConfig> = fc
  .record({
    allow: fc.boolean(),
    type: fc.constantFrom('a', 'b', 'c'),
    major: some(number),
    minor: some(number),
    access,
  })
  .map(({ allow, type, major, minor, access }) =>
    type === 'a'
      ? { allow, type: 'a', access: 'rwm' }
      : {
          allow,
          type: type as 'b' | 'c',
          access,
          ...(major === undefined ? {} : { major }),
          ...(minor === undefined ? {} : { minor }),
        },
  );
const rules = fc.array(rule, { maxLength: 6 });
const request: fc.Arbitrary<Request> = fc.record({
  type: fc.constantFrom('b', 'c'),
  major: number,
  minor: number,
  access,
});

test('the BPF program answers as the rules read', () => {
  fc.assert(
    fc.property(rules, request, (list, ask) => {
      expect(runBpf(deviceProgram(list), ask)).toBe(reference(list, ask));
    }),
    { numRuns: 5000 },
  );
});

test('v1 files answer as the rules read, or the rules are refused', () => {
  let translated = 0;
  fc.assert(
    fc.property(rules, fc.array(request, { minLength: 5, maxLength: 10 }), (list, asks) => {
      const { writes, lacks } = translateDevices(list, {} as never);
      if (lacks.length > 0) return;
      translated++;
      const kernel = new KernelV1();
      for (const { file, value } of writes) kernel.write(file, value);
      for (const ask of asks) {
        // v1 wants one exception that covers all access: two rules that allow a part each are asked for one by one.
        for (const single of ask.access) {
          const one = { ...ask, access: single };
          expect([one, kernel.asks(one)]).toEqual([one, reference(list, one)]);
        }
        if (kernel.asks(ask)) expect(reference(list, ask)).toBe(true);
      }
    }),
    { numRuns: 3000 },
  );
  expect(translated).toBeGreaterThan(1000);
});

test('an empty list denies everything', () => {
  expect(runBpf(deviceProgram([]), { type: 'c', major: 1, minor: 3, access: 'r' })).toBe(false);
  expect(translateDevices([], {} as never).writes).toEqual([{ option: 'devices', file: 'devices.deny', value: 'a' }]);
});

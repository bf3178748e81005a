/** devices on v2: a BPF program that is asked at each open and mknod. Source: struct bpf_cgroup_dev_ctx in linux/bpf.h. */
import { Assembler } from '../bpf/instructions';
import type { DeviceRuleConfig } from '../config';
import { type Context, type Translation, Translator } from '../translation';

const BLOCK = 1;
const CHAR = 2;
const accessBits: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
const allBits = 7;

const result = 0;
const context = 1;
const wanted = 2;
const type = 3;
const major = 4;
const minor = 5;

export function translateDevices(rules: readonly DeviceRuleConfig[], _context: Context): Translation {
  const out = new Translator();
  out.programs.push({ option: 'devices', attach: 'device', instructions: deviceProgram(rules) });
  return out;
}

/**
 * The last rule about a device decides, for each kind of access by itself: from the last rule to the first, what a rule
 * allows is crossed off; a rule that denies something still wanted ends it; so does something left over.
 */
export function deviceProgram(rules: readonly DeviceRuleConfig[]): Uint8Array {
  const code = new Assembler();
  code.load32(wanted, context, 0);
  code.copy(type, wanted);
  code.and(type, 0xffff);
  code.shiftRight(wanted, 16);
  code.load32(major, context, 4);
  code.load32(minor, context, 8);
  [...rules].reverse().forEach((rule, i) => {
    const next = `next${i}`;
    if (rule.type !== 'a') code.jumpIfNot(type, rule.type === 'b' ? BLOCK : CHAR, next);
    if (rule.major !== undefined) code.jumpIfNot(major, rule.major, next);
    if (rule.minor !== undefined) code.jumpIfNot(minor, rule.minor, next);
    const bits = [...rule.access].reduce((sum, c) => sum | (accessBits[c] ?? 0), 0);
    if (rule.allow) code.and(wanted, allBits & ~bits);
    else code.jumpIfAny(wanted, bits, 'deny');
    code.label(next);
  });
  code.jumpIfNot(wanted, 0, 'deny');
  code.set(result, 1);
  code.exit();
  code.label('deny');
  code.set(result, 0);
  code.exit();
  return code.encode();
}

/**
 * devices on v1. The kernel keeps a default and exceptions to it; a rule that cuts a piece out of an exception is taken
 * without effect, so such lists are refused here. Source: cgroup-v1/devices.rst, dev_exception_rm() in
 * security/device_cgroup.c.
 */
import type { DeviceRuleConfig } from '../config';
import { type Context, type Translation, Translator } from '../translation';

export function translateDevices(rules: readonly DeviceRuleConfig[], _context: Context): Translation {
  const out = new Translator();
  out.write('devices', 'devices.deny', 'a');
  let base = false;
  let exceptions: DeviceRuleConfig[] = [];
  for (const [i, rule] of rules.entries()) {
    const path = `devices[${i}]`;
    if (rule.type === 'a') {
      if (rule.access !== 'rwm') {
        out.lack(path, "cgroup v1 takes type 'a' only with access 'rwm'", "Name 'c' and 'b' separately");
        continue;
      }
      out.write(path, rule.allow ? 'devices.allow' : 'devices.deny', 'a');
      base = rule.allow;
      exceptions = [];
      continue;
    }
    if (rule.allow !== base) exceptions.push(rule);
    else {
      const cut = exceptions.filter((e) => overlap(e, rule));
      if (cut.some((e) => !sameDevice(e, rule))) {
        out.lack(path, 'cgroup v1 cannot take a part out of an earlier, wider rule', 'Name the devices one by one');
        continue;
      }
      if (cut.length === 0) continue;
    }
    out.write(path, rule.allow ? 'devices.allow' : 'devices.deny', ruleText(rule));
  }
  return out;
}

export function ruleText({ type, major, minor, access }: DeviceRuleConfig): string {
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`;
}

function sameDevice(a: DeviceRuleConfig, b: DeviceRuleConfig): boolean {
  return a.type === b.type && a.major === b.major && a.minor === b.minor;
}

function overlap(a: DeviceRuleConfig, b: DeviceRuleConfig): boolean {
  const meets = (x: number | undefined, y: number | undefined) => x === undefined || y === undefined || x === y;
  const shares = [...a.access].some((c) => b.access.includes(c));
  return a.type === b.type && meets(a.major, b.major) && meets(a.minor, b.minor) && shares;
}

/** Validation of one entry of `syscalls`. */
import { didYouMean } from '../utils/suggest';
import { engineArches } from './arches';
import { capabilityNames } from './capabilities';
import { actionNames, operatorNames } from './constants';
import { type Issues, isObject, show } from './issues';
import { checkErrno } from './validate-errno';
import { parseU64 } from './values';

const ruleKeys = ['names', 'name', 'action', 'errnoRet', 'errno', 'args', 'comment', 'includes', 'excludes'];

export function validateRule(issues: Issues, path: string, rule: unknown): void {
  if (!isObject(rule)) {
    issues.add(path, `must be a rule, is ${show(rule)}`);
    return;
  }
  issues.keys(path, rule, ruleKeys);
  checkNames(issues, path, rule);
  if (issues.oneOf(`${path}.action`, rule.action, actionNames, 'an action')) {
    checkErrno(issues, path, rule.action, rule.errnoRet, rule.errno, 'errnoRet', 'errno');
  }
  if (rule.comment !== undefined && typeof rule.comment !== 'string') issues.add(`${path}.comment`, 'must be a text');
  const args = issues.entries(`${path}.args`, rule.args);
  for (const [i, arg] of args.entries()) checkArgument(issues, `${path}.args[${i}]`, arg);
  for (const key of ['includes', 'excludes']) checkCondition(issues, `${path}.${key}`, rule[key]);
}

function checkNames(issues: Issues, path: string, rule: Record<string, unknown>): void {
  const names = issues.entries(`${path}.names`, rule.names);
  if (rule.name !== undefined && names.length > 0) issues.add(`${path}.name`, 'cannot be given together with names');
  if (rule.name !== undefined && typeof rule.name !== 'string') issues.add(`${path}.name`, 'must be a text');
  if (rule.name === undefined && names.length === 0) issues.add(`${path}.names`, 'must name at least one system call');
  const seen = new Set<unknown>();
  for (const [i, name] of names.entries()) {
    if (typeof name !== 'string' || name === '') issues.add(`${path}.names[${i}]`, `must be a name, is ${show(name)}`);
    else if (seen.has(name)) issues.add(`${path}.names[${i}]`, `'${name}' is listed twice in this rule`);
    seen.add(name);
  }
}

function checkArgument(issues: Issues, path: string, arg: unknown): void {
  if (!isObject(arg)) {
    issues.add(path, `must be an object, is ${show(arg)}`);
    return;
  }
  issues.keys(path, arg, ['index', 'value', 'valueTwo', 'op']);
  if (!Number.isInteger(arg.index) || (arg.index as number) < 0 || (arg.index as number) > 5) {
    issues.add(`${path}.index`, `must be 0 to 5, is ${show(arg.index)}`);
  }
  issues.oneOf(`${path}.op`, arg.op, operatorNames, 'a comparison');
  const value = parseU64(arg.value);
  if (typeof value === 'string') issues.add(`${path}.value`, value);
  const second = parseU64(arg.valueTwo ?? 0);
  if (typeof second === 'string') issues.add(`${path}.valueTwo`, second);
  if (arg.op === 'SCMP_CMP_MASKED_EQ' && typeof value === 'bigint' && typeof second === 'bigint' && second & ~value) {
    issues.add(`${path}.valueTwo`, 'has bits outside the mask in value, so it could never match');
  }
}

function checkCondition(issues: Issues, path: string, condition: unknown): void {
  if (condition === undefined || condition === null) return;
  if (!isObject(condition)) {
    issues.add(path, `must be an object, is ${show(condition)}`);
    return;
  }
  issues.keys(path, condition, ['caps', 'arches', 'minKernel']);
  for (const [i, cap] of issues.entries(`${path}.caps`, condition.caps).entries()) {
    issues.oneOf(`${path}.caps[${i}]`, cap, capabilityNames, 'a capability');
  }
  for (const [i, arch] of issues.entries(`${path}.arches`, condition.arches).entries()) {
    issues.oneOf(`${path}.arches[${i}]`, arch, engineArches, 'an architecture as Docker names it');
  }
  const { minKernel } = condition;
  if (minKernel !== undefined && minKernel !== null && minKernel !== '' && !/^\d+\.\d+$/.test(String(minKernel))) {
    issues.add(`${path}.minKernel`, `must be like '5.4', is ${show(minKernel)}`);
  }
}

/** Names that no architecture has. */
export function reportUnknownName(issues: Issues, path: string, name: string, known: Iterable<string>): void {
  issues.add(path, `'${name}' is not a system call that this library knows`, didYouMean(name, known));
}

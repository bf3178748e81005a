/** Landlock's ops: init makes the ruleset when the tree is built and before anybody else can touch it; payloads apply it. */

import type { Ruleset } from '../../landlock/ruleset';
import { Flag, type Plan } from '../../plan';

export function addRuleset(plan: Plan, ruleset: Ruleset | undefined): void {
  if (!ruleset) return;
  const { files, tcp, scopes, paths, ports } = ruleset;
  plan.add('init', 'landlock', { op: 'ruleset', files, tcp, scopes });
  for (const { origin, path, directory, file, optional } of paths)
    plan.add('init', origin, { op: 'allowPath', path, directory, file, flags: optional ? Flag.optional : 0 });
  for (const { origin, port, allowed } of ports) plan.add('init', origin, { op: 'allowPort', port, allowed });
}

/** When the program's label is written, for which no rule need allow /proc. */
export function addRestriction(plan: Plan, ruleset: Ruleset | undefined): void {
  if (ruleset) plan.add('payload', 'landlock', { op: 'restrict', flags: 0 });
}

/** Parts of plans that are kept: whatever was compiled before, a plan and its bytes are those of its own options. */

import { encodeRest, Frame, Plan } from '../../../lib/plan';
import type { HostFacts } from '../../../lib/sandbox/compile/facts';
import { planFiles } from '../../../lib/sandbox/compile/files';
import { planIdentity } from '../../../lib/sandbox/compile/identity';
import { keptFiles } from '../../../lib/sandbox/compile/kept-files';
import { Slots } from '../../../lib/sandbox/compile/slots';
import { parseSandbox } from '../../../lib/sandbox/validate/sandbox';
import type { SandboxOptions } from '../../../types/sandbox';
import { plainFacts } from '../../helpers/host-facts';

const bind = (source: string, more: object = {}) => ({ type: 'bind' as const, source, destination: '/data', ...more });
const kinds: [SandboxOptions, Partial<HostFacts>][] = [
  [{}, {}],
  [{ hostname: 'other' }, {}],
  [{ user: { uid: 0, gid: 0 } }, {}],
  [{ user: { uid: 0, gid: 7 } }, {}],
  [{ env: { HOME: '/srv' } }, {}],
  [{ maskedPaths: [] }, {}],
  [{ readonlyPaths: ['/usr'] }, {}],
  [{ mounts: [bind('/srv')] }, {}],
  [{ mounts: [bind('/srv', { readonly: false })] }, {}],
  [{ mounts: [bind('/srv')] }, { fileSources: new Set(['/srv']) }],
  [{ mounts: [bind('/srv', { idmap: true })] }, { mappedUid: 7, mappedGid: 8 }],
  [{ mounts: [bind('/srv', { idmap: true })] }, { mappedUid: 9, mappedGid: 9 }],
  [{ mounts: [{ type: 'tmpfs', destination: '/data', size: '1MiB' }] }, {}],
  [{ root: { path: '/srv', mode: 'overlay' } }, { mappedUid: 3 }],
  [{ root: { path: '/srv', mode: 'read-only' } }, {}],
  [{ namespaces: { ipc: 'host' } }, {}],
  [{ namespaces: { pid: 'host' } }, {}],
  [{}, { etcEntries: ['ssl'] }],
  [{}, { rootEntries: [{ name: 'lib', type: 'bind' }] }],
  [{}, { labels: { context: 'a', fileContext: 'b:c1', labelPipes: false } }],
  [{}, { labels: { context: 'a', fileContext: 'b:c2', labelPipes: false } }],
];

function made(way: typeof planFiles, [options, facts]: (typeof kinds)[number], taken: number) {
  const config = parseSandbox(options);
  const host = { ...plainFacts, ...facts };
  const slots = new Slots();
  for (let i = 0; i < taken; i++) slots.file(`/${i}`);
  const files = way({ ...config, hostname: options.hostname ?? 'name' }, host, planIdentity(config, host), slots);
  const plan = new Plan().add('init', undefined, { op: 'umask', mask: 0 });
  files.clones(plan);
  plan.add('init', undefined, { op: 'keyring' });
  files.build(plan);
  return { ops: plan.ops, slots: slots.used, bytes: encodeRest(plan, Frame.build).toString('hex') };
}

test('every kind, in any order, is what it is without', () => {
  const plans = new Set<string>();
  for (let round = 0; round < 4; round++) {
    const order = round % 2 ? [...kinds].reverse() : kinds;
    for (const kind of order)
      for (const taken of [0, 2]) {
        const kept = made(keptFiles, kind, taken);
        expect(kept).toEqual(made(planFiles, kind, taken));
        plans.add(JSON.stringify(kept.ops));
      }
  }
  // So no two of them can have been taken for each other.
  expect(plans.size).toBe(kinds.length * 2);
});

test('what is kept is used again', () => {
  const first = made(keptFiles, [{}, {}], 0).ops;
  expect(made(keptFiles, [{}, {}], 0).ops.at(-1)).toBe(first.at(-1));
});

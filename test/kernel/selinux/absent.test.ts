/** A host without SELinux: asked politely it says so, and nothing pretends. */
import { UnsupportedError } from '../../../lib/errors';
import * as selinux from '../../../lib/selinux';
import { hasCapability } from '../../helpers/capabilities';

const context = 'system_u:system_r:container_t:s0';
const without = hasCapability('selinux') ? test.skip : test;

without('status says that there is none, and why', () => {
  expect(selinux.status()).toEqual({ enabled: false, mode: 'disabled', reason: expect.stringMatching(/SELinux/) });
});

without.each([
  ['booleans', () => selinux.booleans()],
  ['setBooleans', () => selinux.setBooleans({})],
  ['setEnforcing', () => selinux.setEnforcing(true)],
  ['relabel', () => selinux.relabel('/tmp/x', { context })],
  ['classNames', () => selinux.classNames()],
  ['checkAccess', () => selinux.checkAccess(context, context, 'process', 'signal')],
  ['computeCreate', () => selinux.computeCreate(context, context, 'file')],
  ['computeRelabel', () => selinux.computeRelabel(context, context, 'file')],
  ['computeMember', () => selinux.computeMember(context, context, 'dir')],
  ['checkTransition', () => selinux.checkTransition({ to: context })],
  ['validateContext', () => selinux.validateContext(context)],
  ['currentContext', () => selinux.currentContext()],
  ['processContext', () => selinux.processContext(1)],
  ['fileContext', () => selinux.fileContext('/')],
  ['setFileContext', () => selinux.setFileContext(0, context)],
  ['withNextContext', () => selinux.withNextContext('exec', context, () => expect('called').toBe('not called'))],
])('%s is an UnsupportedError', (_name, act) => {
  expect(act).toThrow(UnsupportedError);
  expect(act).toThrow(/needs SELinux, and .+\. Boot with/);
});

test('names and levels need no SELinux', () => {
  expect(selinux.containerContexts().process).toContain('container_t');
  expect(selinux.parseContext(context).type).toBe('container_t');
});

/** The kernel's audit records, read while they happen. */
import { execFileSync, spawnSync } from 'node:child_process';
import { AuditType, auditFields, auditString, holdAudit } from '../../lib/host/audit';
import { describeWith } from '../helpers/capabilities';

/** Python that ends itself by strict mode: SIGKILL for anything but read, write, exit and sigreturn. */
const SUICIDE = 'import ctypes; l=ctypes.CDLL(None); l.prctl(22,1,0,0,0); l.syscall(39)';
const ofPid = (pid: number | undefined) => (record: Parameters<typeof auditFields>[0]) =>
  record.type === AuditType.seccomp && auditFields(record).get('pid') === `${pid}`;

describeWith(['audit', 'python3'], 'audit log', () => {
  test('a process that seccomp kills is a record with its call, in time', async () => {
    const hold = holdAudit();
    const { pid, signal } = spawnSync('python3', ['-c', SUICIDE]);
    expect(signal).toBe('SIGKILL');
    const record = await hold?.wait(ofPid(pid), 2_000);
    const fields = record && auditFields(record);
    expect(fields?.get('syscall')).toBe('39');
    expect(fields?.get('sig')).toBe('9');
    expect(auditString(fields?.get('exe'))).toContain('python3');
    expect(hold?.recent(ofPid(pid))).toEqual([record]);
    hold?.release();
  });

  test('what does not happen is waited for only so long', async () => {
    const hold = holdAudit();
    const before = Date.now();
    expect(await hold?.wait(() => false, 30)).toBeUndefined();
    expect(Date.now() - before).toBeLessThan(10_000);
    hold?.release();
  });

  test('one socket for all who hold it, and none when nobody does', async () => {
    const a = holdAudit();
    const b = holdAudit();
    a?.release();
    a?.release(); // the second time is nothing
    const { pid } = spawnSync('python3', ['-c', SUICIDE]);
    expect(await b?.wait(ofPid(pid), 2_000)).toBeDefined();
    b?.release();
    // That it closes is the leak check's to see.
  });
});

describeWith(['userns'], 'where it can not be had', () => {
  test.each([
    ['another user', ['--user']],
    ['another network namespace', ['--user', '--map-root-user', '--net']],
  ])('%s gets none, and no error', (_, flags) => {
    const script = `process.stdout.write(String(require(${JSON.stringify(`${process.cwd()}/dist/host/audit`)}).holdAudit()))`;
    expect(execFileSync('unshare', [...flags, process.execPath, '-e', script], { encoding: 'utf8' })).toBe('undefined');
  });
});

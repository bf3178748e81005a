/** AVC records → denials, whose they are, and what is suggested. */
import { type AuditRecord, AuditType } from '../../../lib/host/audit';
import { denialsIn } from '../../../lib/sandbox/denials';
import { mergeDenials, parseDenial } from '../../../lib/selinux/denial';

const own = 'system_u:system_r:container_t:s0:c1,c2';
const record = (text: string, over: Partial<AuditRecord> = {}): AuditRecord => ({
  type: AuditType.avc,
  serial: 1,
  time: 1000,
  text,
  ...over,
});
const shadow = `avc:  denied  { read open } for  pid=300 comm="cat" name="shadow" dev="vda" ino=12 scontext=${own} tcontext=system_u:object_r:shadow_t:s0 tclass=file permissive=0`;

test('a record as the kernel writes it', () => {
  expect(parseDenial(record(shadow))).toEqual({
    source: own,
    target: 'system_u:object_r:shadow_t:s0',
    class: 'file',
    permissions: ['read', 'open'],
    permissive: false,
    pid: 300,
    program: 'cat',
    name: 'shadow',
    count: 1,
    text: `cat (${own}) may not read and open file "shadow" (system_u:object_r:shadow_t:s0)`,
    suggestion: expect.stringContaining('allow container_t shadow_t:file { read open };'),
  });
});

test('suggestions: another level, a volume, a port, itself', () => {
  const of = (target: string, className: string, more = '') =>
    parseDenial(
      record(
        `avc:  denied  { write } for  pid=3 comm="x" ${more}scontext=${own} tcontext=${target} tclass=${className} permissive=1`,
      ),
    );
  expect(of('u:r:container_file_t:s0:c3,c4', 'file')?.suggestion).toMatch(/another level \(s0:c3,c4\)/);
  expect(of('u:r:user_home_t:s0', 'dir')?.suggestion).toMatch(/relabel: 'private' or 'shared'/);
  expect(of('u:r:http_port_t:s0', 'tcp_socket', 'dest=80 ')).toMatchObject({
    name: '80',
    permissive: true,
    suggestion: expect.stringMatching(/boolean/),
  });
  expect(of(own, 'process')?.suggestion).toMatch(/allow container_t self:process \{ write \};/);
});

test('names that a guest chose can’t pretend to be other fields', () => {
  const text = `avc:  denied  { read } for  pid=300 comm="a b" name=${Buffer.from('x" scontext=evil tclass=evil').toString('hex').toUpperCase()} scontext=${own} tcontext=u:r:t:s0 tclass=file permissive=0`;
  expect(parseDenial(record(text))).toMatchObject({
    source: own,
    class: 'file',
    program: 'a b',
    name: 'x" scontext=evil tclass=evil',
  });
});

test.each([
  ['another type', record(shadow, { type: AuditType.seccomp })],
  ['a grant', record(shadow.replace('denied', 'granted'))],
  ['no class', record(shadow.replace(/tclass=\S+/, ''))],
  ['cut off', record(shadow.slice(0, 60))],
  ['nothing', record('')],
  ['a megabyte of braces', record(`avc:  denied  { ${'{ '.repeat(500_000)}`)],
])('%s is no denial', (_name, given) => expect(parseDenial(given)).toBeUndefined());

test('a sandbox’s denials: its program’s, and with a pair of its own those of all its processes; others’ never', () => {
  const other = shadow.replace('pid=300', 'pid=301');
  const foreign = other.replace('c1,c2', 'c1,c3');
  const records = [shadow, other, foreign].map((text) => record(text));
  const of = (context: string | undefined, since = 900) => denialsIn(records, { pid: 300, since, context });
  expect(of(own)).toHaveLength(1);
  expect(of(own)[0]?.count).toBe(2);
  expect(of(undefined)[0]?.count).toBe(1);
  expect(of('system_u:system_r:container_t:s0:c2,c1')[0]?.count).toBe(2);
  expect(of(own, 2000)).toEqual([]);
});

test('no more than the limit, and the counts go on', () => {
  const many = Array.from(
    { length: 1000 },
    (_, i) => parseDenial(record(shadow.replace('shadow', `f${i % 300}`))) as never,
  );
  const merged = mergeDenials(many, 256);
  expect(merged).toHaveLength(256);
  expect(merged[0]?.count).toBe(4);
});

/** Audit records as bytes → what they say. */
import { auditFields, auditString, parseAuditRecord } from '../../../lib/host/audit';
import { typeFilter } from '../../../lib/host/audit/filter';

function bytes(type: number, text: string): Buffer {
  const body = Buffer.from(text, 'latin1');
  const all = Buffer.alloc(16 + body.length);
  all.writeUInt32LE(all.length, 0);
  all.writeUInt16LE(type, 4);
  body.copy(all, 16);
  return all;
}

const SECCOMP =
  'audit(1795758304.640:53): auid=4294967295 uid=0 gid=0 ses=4294967295 pid=25100 comm="python3" ' +
  'exe="/usr/bin/python3.11" sig=31 arch=c000003e syscall=39 compat=0 ip=0x7f437051f829 code=0x80000000';

test('a record is its type, time, serial and text', () => {
  expect(parseAuditRecord(bytes(1326, SECCOMP))).toEqual({
    type: 1326,
    serial: 53,
    time: 1795758304640,
    text: SECCOMP.slice(SECCOMP.indexOf('auid')),
  });
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['half a header', Buffer.alloc(9)],
  ['a header alone', Buffer.alloc(16)],
  ['another text', bytes(1326, 'hello')],
  ['an unfinished stamp', bytes(1326, 'audit(1.2:3')],
])('%s is no record', (_, given) => {
  expect(parseAuditRecord(given)).toBeUndefined();
});

test('fields: the first of a name counts, and quotes hold a value together', () => {
  const record = parseAuditRecord(bytes(1400, 'audit(1.002:3): avc:  denied  { read } for  pid=7 name="a=b" pid=8\0'));
  expect(record?.time).toBe(1002);
  expect(Object.fromEntries(auditFields(record as never))).toEqual({ pid: '7', name: '"a=b"' });
});

test.each([
  ['"/usr/bin/cat"', '/usr/bin/cat'],
  ['612062', 'a b'],
  ['7369673D3331', 'sig=31'],
  ['(null)', undefined],
  ['xyz', undefined],
  [undefined, undefined],
])('a name %p is %p', (given, wanted) => {
  expect(auditString(given)).toBe(wanted);
});

/** What the filter says to a message of this type: 0 is dropped. */
function run(program: Buffer, type: number): number {
  const message = bytes(type, '');
  let accumulator = 0;
  for (let pc = 0; ; pc++) {
    const code = program.readUInt16LE(pc * 8);
    const k = program.readUInt32LE(pc * 8 + 4);
    if (code === 0x28) accumulator = message.readUInt16BE(k);
    else if (code === 0x06) return k;
    else pc += program.readUInt8(pc * 8 + (accumulator === k ? 2 : 3));
  }
}

test('the filter lets the wanted types through, and no others', () => {
  const program = typeFilter([1326, 1400, 1401]);
  expect([1326, 1400, 1401].map((type) => run(program, type))).toEqual([0xffffffff, 0xffffffff, 0xffffffff]);
  expect([0, 1300, 1325, 1327, 1402, 0x2e05].map((type) => run(program, type))).toEqual([0, 0, 0, 0, 0, 0]);
});

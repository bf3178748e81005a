/** blkio: throughput of direct writes, and the disks' counters. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deviceNumber } from '../../../lib/cgroups/validate/host';
import { describeWith, hasCapability } from '../../helpers/capabilities';
import { create, shell } from './groups';

const KiB = 1024;

/** The whole disk below the temporary directory; undefined on tmpfs, overlayfs or a partition. */
function disk(): string | undefined {
  const device = deviceNumber(fs.statSync(tmpdir()).dev);
  const sys = `/sys/dev/block/${device}`;
  return fs.existsSync(sys) && !fs.existsSync(join(sys, 'partition')) ? device : undefined;
}

const device = hasCapability('cgroup-io') ? disk() : undefined;
const file = join(tmpdir(), `linux-isolate-${process.pid}-io-test`);
const write = `dd if=/dev/zero of=${file} bs=64k count=16 oflag=direct`;

describeWith(['root', 'cgroup-io'], 'io.max', () => {
  afterEach(() => fs.rmSync(file, { force: true }));
  const testOnDisk = device === undefined ? test.skip : test;

  testOnDisk('a megabyte at 512 KiB/s takes two seconds; without the limit it does not', async () => {
    const slow = create({ resources: { io: { max: [{ device: device as string, wbps: '512KiB' }] } } });
    const limited = await shell(slow, write);
    expect(limited.code).toBe(0);
    expect(limited.wallMs).toBeGreaterThan(1_400);
    const row = slow.stats().io?.find((r) => r.device === device);
    expect(row?.writtenBytes).toBeGreaterThanOrEqual(1024 * KiB);
    expect(row?.writtenBytes).toBeLessThan(1024 * KiB + 64 * KiB);
    const free = create({ resources: { io: { max: [{ device: device as string, wbps: 'max' }] } } });
    expect((await shell(free, write)).wallMs).toBeLessThan(limited.wallMs - 700);
  });

  testOnDisk('operations per second', async () => {
    const slow = create({ resources: { io: { max: [{ device: device as string, wiops: 10 }] } } });
    const limited = await shell(slow, write);
    expect(limited.wallMs).toBeGreaterThan(1_000);
    slow.update({ io: { max: [{ device: device as string, wiops: 'max' }] } });
    expect((await shell(slow, write)).wallMs).toBeLessThan(limited.wallMs - 500);
  });

  test('a disk that does not exist: ENODEV with file, value and hint', () => {
    expect(() => create({ resources: { io: { max: [{ device: '4095:1', rbps: 1 }] } } })).toThrow(
      expect.objectContaining({
        code: 'ENODEV',
        value: expect.stringMatching(/^4095:1 (rbps=)?1$/),
        hint: expect.stringContaining('no such disk'),
      }),
    );
  });

  test('a weight that no scheduler reads is refused, not ignored', async () => {
    const bfq = (await shell(undefined, 'cat /sys/block/*/queue/scheduler 2>/dev/null')).stdout.includes('[bfq]');
    const make = () => create({ resources: { io: { weight: 500 } } });
    if (bfq) make();
    else expect(make).toThrow(/no disk has a scheduler that knows weights/);
  });
});

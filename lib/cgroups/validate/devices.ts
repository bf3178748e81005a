/** io, devices and network: what names devices. */
import type { DeviceRuleConfig, IoConfig, IoLimitConfig, NetworkConfig } from '../config';
import { type Reader, show } from './reader';

const majorMax = 2 ** 12 - 1;
const minorMax = 2 ** 20 - 1;

export function readIo(reader: Reader, value: unknown, path: string): IoConfig | undefined {
  const device = (v: unknown, at: string) => readDevice(reader, v, at);
  const withDevice = <T extends { device: string }>(entry: T | undefined): T | undefined =>
    entry?.device === undefined ? undefined : entry;
  const iops = (v: unknown, at: string) => reader.limit(v, at, 1, 2 ** 32 - 1);
  const bps = (v: unknown, at: string) => reader.size(v, at);
  return reader.object<IoConfig>(value, path, {
    max: (v, at) =>
      reader.list(v, at, (item, i) =>
        withDevice(
          reader.object<IoLimitConfig>(required(reader, item, i, 'device'), i, {
            device,
            rbps: bps,
            wbps: bps,
            riops: iops,
            wiops: iops,
          }),
        ),
      ),
    weight: (v, at) => reader.integer(v, at, 1, 10000),
    weightDevice: (v, at) =>
      reader.list(v, at, (item, i) => {
        const entry = required(reader, item, i, 'device', 'weight');
        return withDevice(
          reader.object<{ device: string; weight: number }>(entry, i, {
            device,
            weight: (w, wAt) => reader.integer(w, wAt, 1, 10000),
          }),
        );
      }),
    latency: (v, at) =>
      reader.list(v, at, (item, i) => {
        const entry = required(reader, item, i, 'device', 'target');
        const target = (t: unknown, tAt: string) => reader.integer(t, tAt, 1, 2 ** 31, ' of microseconds');
        return withDevice(reader.object<{ device: string; target: number }>(entry, i, { device, target }));
      }),
  });
}

/** The value unchanged, after saying what is missing in it. */
function required(reader: Reader, value: unknown, path: string, ...names: string[]): unknown {
  if (typeof value === 'object' && value !== null) {
    for (const name of names) if (!(name in value)) reader.add(`${path}.${name}`, 'is missing');
  }
  return value;
}

function readDevice(reader: Reader, value: unknown, path: string): string | undefined {
  if (typeof value === 'string' && /^\d{1,4}:\d{1,7}$/.test(value)) return value;
  const found = typeof value === 'string' && value.startsWith('/dev/') ? reader.host.blockDevice(value) : undefined;
  return found ?? reader.add(path, `must be a block device like '/dev/sda' or '8:0', got ${show(value)}`);
}

export function readDevices(reader: Reader, value: unknown, path: string): DeviceRuleConfig[] | undefined {
  return reader.list(value, path, (item, at) => {
    const rule = reader.object<DeviceRuleConfig>(required(reader, item, at, 'type'), at, {
      allow: (v, p) => reader.boolean(v, p),
      type: (v, p) => reader.oneOf(v, p, ['c', 'b', 'a']),
      major: (v, p) => reader.integer(v, p, 0, majorMax),
      minor: (v, p) => reader.integer(v, p, 0, minorMax),
      access: (v, p) => readAccess(reader, v, p),
    });
    if (rule?.type === undefined) return undefined;
    if (rule.type === 'a' && (rule.major !== undefined || rule.minor !== undefined)) {
      return reader.add(at, "has type 'a' and a device number", "Numbers belong to 'c' or 'b': name each");
    }
    return { ...rule, allow: rule.allow ?? true, access: rule.access ?? 'rwm' };
  });
}

function readAccess(reader: Reader, value: unknown, path: string): string | undefined {
  if (typeof value !== 'string' || !/^(?!.*(.).*\1)[rwm]{1,3}$/.test(value)) {
    return reader.add(path, `must be made of 'r', 'w' and 'm', got ${show(value)}`);
  }
  return ['r', 'w', 'm'].filter((c) => value.includes(c)).join('');
}

export function readNetwork(reader: Reader, value: unknown, path: string): NetworkConfig | undefined {
  return reader.object<NetworkConfig>(value, path, {
    count: (v, at) => reader.boolean(v, at),
    classId: (v, at) => reader.integer(v, at, 1, 2 ** 32 - 1),
    priorities: (v, at) => reader.record(v, at, /^[^\s/:]{1,15}$/, (p, pAt) => reader.integer(p, pAt, 0, 2 ** 31 - 1)),
  });
}

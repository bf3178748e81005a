/** blkio, v1's io. Source: Documentation/admin-guide/cgroup-v1/blkio-controller.rst, block/bfq-iosched.rst. */
import type { IoConfig, Limit } from '../config';
import { bfqWeightMax, weightLack } from '../io-weight';
import { type Context, needV2, onlyV2, type Translation, Translator } from '../translation';

const files = {
  rbps: 'blkio.throttle.read_bps_device',
  wbps: 'blkio.throttle.write_bps_device',
  riops: 'blkio.throttle.read_iops_device',
  wiops: 'blkio.throttle.write_iops_device',
} as const;

export function translateIo(io: IoConfig, context: Context): Translation {
  const out = new Translator();
  if (io.latency?.length) out.lack('io.latency', onlyV2, needV2);
  io.max?.forEach((limit, i) => {
    for (const [key, file] of Object.entries(files)) {
      const value: Limit | undefined = limit[key as keyof typeof files];
      // Here 0 takes a limit away.
      if (value !== undefined) out.write(`io.max[${i}].${key}`, file, `${limit.device} ${value === 'max' ? 0 : value}`);
    }
  });
  const weights = (path: string, weight: number, file: string, value: string) => {
    const reason = context.ioWeights === 'bfq' ? undefined : weightLack.reason;
    if (reason) out.lack(path, reason, weightLack.hint);
    else if (weight > bfqWeightMax)
      out.lack(path, `BFQ takes weights up to ${bfqWeightMax}`, 'Scale all weights down: only their ratio counts');
    else out.write(path, file, value);
  };
  if (io.weight !== undefined) weights('io.weight', io.weight, 'blkio.bfq.weight', String(io.weight));
  io.weightDevice?.forEach(({ device, weight }, i) => {
    weights(`io.weightDevice[${i}]`, weight, 'blkio.bfq.weight_device', `${device} ${weight}`);
  });
  return out;
}

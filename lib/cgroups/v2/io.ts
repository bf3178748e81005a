/** io on v2. Source: Documentation/admin-guide/cgroup-v2.rst, "IO Interface Files". */
import type { IoConfig } from '../config';
import { bfqWeightMax, weightLack } from '../io-weight';
import { type Context, type Translation, Translator } from '../translation';

const keys = ['rbps', 'wbps', 'riops', 'wiops'] as const;

export function translateIo(io: IoConfig, context: Context): Translation {
  const out = new Translator();
  io.max?.forEach((limit, i) => {
    const given = keys.filter((key) => limit[key] !== undefined).map((key) => `${key}=${limit[key]}`);
    if (given.length > 0) out.write(`io.max[${i}]`, 'io.max', [limit.device, ...given].join(' '));
  });
  io.latency?.forEach(({ device, target }, i) => {
    out.write(`io.latency[${i}]`, 'io.latency', `${device} target=${target}`);
  });
  if (io.weight !== undefined) writeWeight(out, context, 'io.weight', 'default', io.weight);
  io.weightDevice?.forEach(({ device, weight }, i) => {
    writeWeight(out, context, `io.weightDevice[${i}]`, device, weight);
  });
  return out;
}

/** Two schedulers have weights, each with its own file; which one rules is a property of the disk. */
function writeWeight(out: Translator, context: Context, path: string, target: string, weight: number): void {
  if (context.ioWeights === undefined) out.lack(path, weightLack.reason, weightLack.hint);
  else if (context.ioWeights === 'bfq') {
    if (weight > bfqWeightMax)
      out.lack(path, `BFQ takes weights up to ${bfqWeightMax}`, 'Scale all weights down: only their ratio counts');
    else out.write(path, 'io.bfq.weight', `${target} ${weight}`);
  } else out.write(path, 'io.weight', `${target} ${weight}`);
}

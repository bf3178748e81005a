/**
 * Queueing disciplines: tbf holds to a rate, netem delays and loses. Source: tc-tbf(8), tc-netem(8), linux/pkt_sched.h;
 * sch_tbf.c and sch_netem.c for what each attribute means.
 */
import { attribute, Flag, type Request, text, u32, u64 } from './message';

const RTM_NEWQDISC = 36;
const TC_H_ROOT = 0xffff_ffff;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_TBF_PARMS = 1;
const TCA_TBF_RATE64 = 4;
const TCA_TBF_BURST = 6;
const TCA_NETEM_LATENCY64 = 10;
const TCA_NETEM_JITTER64 = 11;
const TC_LINKLAYER_ETHERNET = 1;
/** How long a packet may wait for its turn before it is dropped. */
const QUEUE_SECONDS = 0.2;
const NETEM_QUEUE_PACKETS = 10_000;

const handle = (major: number): number => major * 0x1_0000;

/** Bytes per second, bytes at once; milliseconds; 0 to 1. */
export interface Shape {
  readonly rate: number | undefined;
  readonly burst: number;
  readonly delay: number;
  readonly jitter: number;
  readonly loss: number;
}

/** What a link sends is shaped so. With both, netem works inside of tbf. */
export function shape(index: number, { rate, burst, delay, jitter, loss }: Shape): Request[] {
  const requests: Request[] = [];
  const emulated = delay > 0 || jitter > 0 || loss > 0;
  if (rate !== undefined) requests.push(qdisc(index, TC_H_ROOT, 1, 'tbf', tbf(rate, burst)));
  if (emulated) {
    const [parent, own] = rate === undefined ? [TC_H_ROOT, 1] : [handle(1) + 1, 2];
    requests.push(qdisc(index, parent, own, 'netem', netem(delay, jitter, loss)));
  }
  return requests;
}

function qdisc(index: number, parent: number, major: number, kind: string, options: Buffer): Request {
  const body = Buffer.concat([
    u32(0, index, handle(major), parent, 0),
    attribute(TCA_KIND, text(kind)),
    attribute(TCA_OPTIONS, options),
  ]);
  return { type: RTM_NEWQDISC, flags: Flag.create | Flag.replace, body, what: `queue ${kind}` };
}

/** struct tc_ratespec: with a link layer given the kernel wants no table of ours. */
function rateSpec(rate: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt8(TC_LINKLAYER_ETHERNET, 1);
  bytes.writeUInt32LE(Math.min(rate, 0xffff_ffff), 8);
  return bytes;
}

function tbf(rate: number, burst: number): Buffer {
  const limit = Math.min(Math.ceil(rate * QUEUE_SECONDS) + burst, 0x7fff_ffff);
  const parameters = Buffer.concat([rateSpec(rate), Buffer.alloc(12), u32(limit, 0, 0)]);
  return Buffer.concat([
    attribute(TCA_TBF_PARMS, parameters),
    attribute(TCA_TBF_BURST, u32(burst)),
    ...(rate > 0xffff_ffff ? [attribute(TCA_TBF_RATE64, u64(BigInt(rate)))] : []),
  ]);
}

function netem(delay: number, jitter: number, loss: number): Buffer {
  const nanoseconds = (ms: number): Buffer => u64(BigInt(Math.round(ms * 1e6)));
  return Buffer.concat([
    // struct tc_netem_qopt: latency, limit, loss, gap, duplicate, jitter
    u32(0, NETEM_QUEUE_PACKETS, Math.round(loss * 0xffff_ffff), 0, 0, 0),
    attribute(TCA_NETEM_LATENCY64, nanoseconds(delay)),
    attribute(TCA_NETEM_JITTER64, nanoseconds(jitter)),
  ]);
}

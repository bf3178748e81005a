/** Talking with nf_tables over a socket that was opened in the namespace in question. The kernel has answered when send returns. */
import { errnoName, UnsupportedError } from '../../errors';
import { kernelError, native } from '../../native';
import { messages, type Received } from './attributes';
import { batchMark, encode, type Message } from './message';

export const NETLINK_NETFILTER = 12;
const EAGAIN = 11;
const ENOBUFS = 105;
const buffer = Buffer.allocUnsafe(65536);

/** Refusals of a kernel, or a module that is not there: no such family, expression, table type. */
const absent = new Set(['ENOENT', 'EOPNOTSUPP', 'EPROTONOSUPPORT', 'EAFNOSUPPORT']);
const CONFIG = 'CONFIG_NF_TABLES_INET, CONFIG_NFT_CT, _LOG, _REJECT and _MASQ';

let sequence = 1;

/** Carries changes out, all or none. Throws the first refusal. */
export function change(fd: number, changes: readonly Message[], step: string): void {
  const all = [batchMark('begin'), ...changes, batchMark('end')];
  const first = sequence;
  sequence = (sequence + all.length) >>> 0;
  // One answer is enough: many would not fit the socket's buffer.
  const last = all.length - 2;
  const errors = new Map<number, number>();
  exchange(fd, Buffer.concat(all.map((one, i) => encode(one, first + i, i === last))), step, (got) => {
    if (got.errno !== undefined && !errors.get(got.sequence - first)) errors.set(got.sequence - first, got.errno);
    return false;
  });
  for (const [i, one] of all.entries()) {
    const errno = i === last ? (errors.get(i) ?? EAGAIN) : (errors.get(i) ?? 0);
    if (errno !== 0) throw refusal(one, errno, step);
  }
}

/** A change to a subsystem without batches. */
export function order(fd: number, one: Message, step: string): void {
  const own = sequence++;
  let errno = EAGAIN;
  exchange(fd, encode(one, own, true), step, (got) => {
    if (got.sequence === own && got.errno !== undefined) errno = got.errno;
    return false;
  });
  if (errno !== 0) throw refusal(one, errno, step);
}

/** Everything that is asked for, message by message. True: something else came in between. */
export function dump(fd: number, question: Message, step: string, each: (attributes: Buffer) => void): boolean {
  const own = sequence++;
  let others = false;
  exchange(fd, encode(question, own, false), step, ({ sequence: of, errno, attributes }) => {
    if (of !== own) others = true;
    else if (errno === undefined) each(attributes);
    else if (errno !== 0) throw refusal(question, errno, step);
    else return true;
    return false;
  });
  return others;
}

/** `each` says whether that was all. */
function exchange(fd: number, bytes: Buffer, step: string, each: (got: Received) => boolean): void {
  const n = native();
  const sent = n.netlinkSend(fd, bytes);
  if (sent < 0) throw kernelError(-sent, 'send', { what: 'an nf_tables request', step });
  for (let got = n.netlinkReceive(fd, buffer); got !== -EAGAIN; got = n.netlinkReceive(fd, buffer)) {
    // What was lost are notices, of which one is as good as many.
    if (got === -ENOBUFS) continue;
    if (got < 0) throw kernelError(-got, 'recv', { what: 'an nf_tables answer', step });
    for (const one of messages(buffer.subarray(0, got))) if (each(one)) return;
  }
}

function refusal({ what }: Message, errno: number, step: string): Error {
  if (absent.has(errnoName(errno)))
    return new UnsupportedError('nf_tables', `This kernel can't make ${what} of nf_tables`, {
      errno,
      step,
      hint: `It takes ${CONFIG}`,
    });
  const hint = errnoName(errno) === 'EPERM' ? 'Rules take CAP_NET_ADMIN over the network namespace' : undefined;
  return kernelError(errno, 'nf_tables', { what, step, hint });
}

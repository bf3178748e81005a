/** Requests over a routing socket, which the launcher opened in another network namespace; answered before send returns. */
import { errnoName, UnsupportedError } from '../../errors';
import { kernelError, native } from '../../native';
import { decodeAnswers, encode, type Request } from './message';

const EAGAIN = 11;
const ENOENT = 2;
const buffer = Buffer.allocUnsafe(32768);

let sequence = 1;

const hints: Readonly<Record<string, string>> = {
  EPERM: 'Changing a network takes CAP_NET_ADMIN in the user namespace that owns it',
  EOPNOTSUPP: 'This kernel has no links of that kind (CONFIG_BRIDGE, CONFIG_VETH)',
  ENOSPC: 'A bridge has room for 1023 links',
};

/** Carries them out in order. Throws the first refusal. */
export function talk(fd: number, requests: readonly Request[], step: string): void {
  const first = sequence;
  sequence = (sequence + requests.length) >>> 0;
  const n = native();
  const sent = n.netlinkSend(fd, Buffer.concat(requests.map((request, i) => encode(request, first + i))));
  if (sent < 0) throw kernelError(-sent, 'send', { what: 'a routing request', step });
  const answers = new Map<number, number>();
  for (let got = n.netlinkReceive(fd, buffer); got !== -EAGAIN; got = n.netlinkReceive(fd, buffer)) {
    if (got < 0) throw kernelError(-got, 'recv', { what: 'a routing answer', step });
    for (const answer of decodeAnswers(buffer.subarray(0, got))) answers.set(answer.sequence, answer.errno);
  }
  for (const [i, request] of requests.entries()) {
    const errno = answers.get(first + i);
    if (errno !== 0) throw refusal(request, errno ?? EAGAIN, step);
  }
}

function refusal({ what }: Request, errno: number, step: string): Error {
  if (errno === ENOENT && what.startsWith('queue '))
    return new UnsupportedError(what.slice(6), `This kernel has no packet scheduler '${what.slice(6)}'`, {
      errno,
      step,
      hint: `It takes CONFIG_NET_SCH_${what.slice(6).toUpperCase()}`,
    });
  return kernelError(errno, 'rtnetlink', { what, step, hint: hints[errnoName(errno)] });
}

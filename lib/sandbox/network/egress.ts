/**
 * The allow-list of one sandbox at work: rules of its network namespace, set over a socket that was opened there, before
 * anything is. Nothing of it depends on what leads out of the namespace. Programs can't change the rules as long as they have
 * no capability over the namespace; who makes it sees to that.
 */
import type { DeniedConnection, EgressReport } from '../../../types/network';
import { closeFd, type NativeChannel, native } from '../../native';
import { netfilter } from '../../network';
import type { SocketRequest } from '../../plan';

const STEP = 'network.egress.allow';
const families = [4, 6] as const;
const BATCH = 64;

/** The socket that enforce() takes, from a launcher in the namespace. */
export const rulesRequest: SocketRequest = {
  fresh: false,
  domain: 16 /* AF_NETLINK */,
  type: 3 /* SOCK_RAW */,
  protocols: [netfilter.NETLINK_NETFILTER],
  settings: [],
};

export class Egress {
  private channel: NativeChannel | undefined;
  private readonly told = new Set<string>();
  private last: EgressReport | undefined;
  private listener: ((denied: DeniedConnection) => void) | undefined;

  private constructor(
    private readonly fd: number,
    private readonly rules: readonly netfilter.Allowed[],
  ) {}

  /** Takes the socket over. From then on only what is allowed leaves the namespace. */
  static enforce(fd: number, rules: readonly netfilter.Allowed[]): Egress {
    try {
      netfilter.change(fd, netfilter.allowOnly(rules), STEP);
      for (const one of netfilter.listen) netfilter.order(fd, one, STEP);
      const egress = new Egress(fd, rules);
      egress.watch();
      return egress;
    } catch (error) {
      closeFd(fd);
      throw error;
    }
  }

  /** Hears of each destination once, when something to it is refused for the first time. */
  onDenied(listener: (denied: DeniedConnection) => void): void {
    this.listener = listener;
  }

  /** The counters as they are now; after close() as they were then. */
  report(): EgressReport {
    if (!this.channel && this.last) return this.last;
    const counts = new Map<string, netfilter.Count>();
    const denied: DeniedConnection[] = [];
    let others: boolean;
    // A message of the log that came in between may be about something that was not there yet.
    do {
      counts.clear();
      others = netfilter.dump(this.fd, netfilter.dumpRules(netfilter.TABLE), STEP, (attributes) => {
        const { comment, count } = netfilter.decodeRule(attributes);
        const { packets, bytes } = counts.get(comment) ?? { packets: 0, bytes: 0 };
        counts.set(comment, { packets: packets + count.packets, bytes: bytes + count.bytes });
      });
      denied.splice(0);
      for (const family of families) {
        const question = netfilter.dumpSet(netfilter.TABLE, netfilter.sets[family].name);
        const more = netfilter.dump(this.fd, question, STEP, (attributes) => {
          denied.push(...netfilter.decodeDenied(attributes, family));
        });
        others ||= more;
      }
    } while (others);
    this.tell(denied);
    const report: EgressReport = {
      allowed: this.rules.map((rule, i) => ({
        ...netfilter.describe(rule),
        ...(counts.get(`${i}`) ?? { packets: 0, bytes: 0 }),
      })),
      denied,
      deniedPackets: counts.get(netfilter.REFUSED)?.packets ?? 0,
    };
    this.last = report;
    return report;
  }

  private watch(): void {
    const message = Buffer.alloc(4096);
    const facts = new Int32Array(2);
    this.channel = new (native().Channel)(this.fd, () => {
      let got = false;
      for (let i = 0; i < BATCH; i++) {
        if ((this.channel?.receive(message, facts) ?? 0) <= 0) break;
        got = true;
      }
      if (got) this.report();
    });
    this.channel.unref();
  }

  private tell(denied: readonly DeniedConnection[]): void {
    for (const one of denied) {
      const key = `${one.address} ${one.protocol} ${one.port}`;
      if (this.told.has(key)) continue;
      this.told.add(key);
      this.listener?.(one);
    }
  }

  /** The rules stay, as long as the namespace does. */
  close(): void {
    if (!this.channel) return;
    try {
      this.report();
    } finally {
      this.channel.close();
      this.channel = undefined;
    }
  }
}

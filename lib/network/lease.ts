/** Who has which address of a subnet. The first one is the gateway's; first and last of IPv4 are nobody's. */
import { IsolateError } from '../errors';
import { type Address, contains, formatAddress, formatSubnet, type Subnet, size } from './address';

export class Leases {
  readonly gateway: Address;
  private readonly taken = new Set<bigint>();
  private readonly first: bigint;
  private readonly last: bigint;
  private next: bigint;

  constructor(readonly subnet: Subnet) {
    const { base } = subnet;
    this.gateway = { family: base.family, value: base.value + 1n };
    this.first = base.value + 2n;
    this.last = base.value + size(subnet) - (base.family === 4 ? 2n : 1n);
    this.next = this.first;
  }

  /** The one wanted, or the next free one: an address that was given back rests as long as there are others. */
  take(wanted: Address | undefined, step: string): Address {
    const { family } = this.subnet.base;
    const value = wanted ? this.check(wanted, step) : this.free(step);
    this.taken.add(value);
    return { family, value };
  }

  release({ value }: Address): void {
    this.taken.delete(value);
  }

  private check(wanted: Address, step: string): bigint {
    const text = formatAddress(wanted);
    const { value } = wanted;
    if (!contains(this.subnet, wanted) || value < this.first || value > this.last)
      throw new IsolateError('ERR_ADDRESS_INVALID', `${text} can't be given out in ${formatSubnet(this.subnet)}`, {
        step,
      });
    if (this.taken.has(value))
      throw new IsolateError('ERR_ADDRESS_TAKEN', `${text} belongs to another sandbox of this network`, { step });
    return value;
  }

  private free(step: string): bigint {
    const count = this.last - this.first + 1n;
    if (BigInt(this.taken.size) >= count) {
      const hint = 'Delete a sandbox, or create the network with a larger subnet';
      const what = `All ${count} addresses of ${formatSubnet(this.subnet)} are taken. ${hint}`;
      throw new IsolateError('ERR_SUBNET_FULL', what, { step, hint });
    }
    while (this.taken.has(this.next)) this.advance();
    const value = this.next;
    this.advance();
    return value;
  }

  private advance(): void {
    this.next = this.next === this.last ? this.first : this.next + 1n;
  }
}

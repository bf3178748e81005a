/**
 * Masquerading in two steps, as there are two namespaces. The router's: from the bridge to the link that leads out, and nothing
 * that was not asked for back in. The host's: from our link to wherever the host's routes lead, except to the host itself
 * and to link-local addresses, where clouds keep secrets of the machine. What comes from elsewhere, also from other networks, gets
 * to our link only as an answer.
 */
import type { Subnet } from '../address';
import { parseSubnet } from '../address';
import * as x from './expressions';
import { addRule, createChain, createTable, type Message } from './message';

const linkLocal = parseSubnet('169.254.0.0/16') as Subnet;
const chains = ['input', 'forward', 'postrouting'] as const;

export function routerNat(table: string, bridge: number, out: number): Message[] {
  const rule = (chain: (typeof chains)[number], ...expressions: readonly Buffer[]): Message =>
    addRule(table, chain, expressions);
  return [
    createTable(table),
    createChain(table, 'input', { hook: 'input', policy: 'accept' }),
    createChain(table, 'forward', { hook: 'forward', policy: 'drop' }),
    createChain(table, 'postrouting', { hook: 'postrouting', policy: 'accept' }),
    rule('input', ...x.comesFrom(out), ...x.established(), x.accept()),
    rule('input', ...x.comesFrom(out), x.drop()),
    // Where bridged packets pass here too (br_netfilter).
    rule('forward', ...x.comesFrom(bridge), ...x.goesTo(bridge), x.accept()),
    rule('forward', ...x.comesFrom(bridge), ...x.goesTo(out), x.accept()),
    rule('forward', ...x.comesFrom(out), ...x.goesTo(bridge), ...x.established(), x.accept()),
    rule('postrouting', ...x.goesTo(out), x.masquerade()),
  ];
}

/** Goes with the socket that makes it. `link` is ours on the host. */
export function hostNat(table: string, link: number, source: Subnet): Message[] {
  const rule = (chain: (typeof chains)[number], ...expressions: readonly Buffer[]): Message =>
    addRule(table, chain, expressions);
  return [
    createTable(table, true),
    createChain(table, 'input', { hook: 'input', policy: 'accept' }),
    createChain(table, 'forward', { hook: 'forward', policy: 'accept' }),
    createChain(table, 'postrouting', { hook: 'postrouting', policy: 'accept' }),
    rule('input', ...x.comesFrom(link), x.reject()),
    rule('forward', ...x.comesFrom(link), ...x.destination(linkLocal), x.reject()),
    rule('forward', ...x.goesTo(link), ...x.established(), x.accept()),
    rule('forward', ...x.goesTo(link), x.reject()),
    rule('postrouting', ...x.source(source), x.masquerade()),
  ];
}

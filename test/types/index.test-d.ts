import type { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { expectAssignable, expectError, expectNotAssignable, expectType } from 'tsd';
import {
  type ApparmorLabel,
  apparmor,
  type CloneFacts,
  cgroups,
  type Delegation,
  type DeniedConnection,
  diagnostics,
  type EgressReport,
  type Enforcement,
  type IsolateResult,
  type LoadedProfile,
  landlock,
  type Mount,
  type NamespaceEntry,
  type NamespaceHandle,
  type NamespaceKind,
  Network,
  type NetworkMember,
  namespaces,
  type Process,
  type Reason,
  run,
  Sandbox,
  type SandboxOptions,
  SandboxPool,
  type SandboxProcess,
  type SandboxState,
  type SandboxStats,
  spawn,
  ValidationError,
  type Violation,
} from '../..';

expectType<Promise<IsolateResult<string>>>(run('true'));
expectType<Promise<IsolateResult<string>>>(run('true', ['-x'], { memory: '64MiB' }));
expectType<Promise<IsolateResult<string>>>(run('true', { memory: 1 }));
expectType<Promise<IsolateResult<Buffer>>>(run('true', [], { encoding: 'buffer' }));
expectType<Process>(spawn('true'));
expectType<Readable | null>(spawn('true').stdout);
expectType<Promise<Sandbox>>(Sandbox.create());

expectType<Promise<SandboxPool>>(SandboxPool.create({ min: 2, memory: '1MiB' }));
expectError(SandboxPool.create({ id: 'x' }));
expectType<Promise<SandboxPool>>(SandboxPool.create({ reuse: true, maxUses: 5 }));
expectError(SandboxPool.create({ reuse: 'yes' }));
declare const pool: SandboxPool;
expectType<number>(pool.metrics().reused);
pool.on('discarded', ({ id, uses, reason }) => expectType<[string, number, string]>([id, uses, reason]));
pool.on('failure', (error) => expectType<Error>(error));
expectAssignable<AsyncDisposable>(pool);
diagnostics.exit.subscribe({ asyncEnd: ({ result }) => expectType<IsolateResult | undefined>(result) } as Parameters<
  typeof diagnostics.exit.subscribe
>[0]);

declare const sandbox: Sandbox;
expectType<SandboxState>(sandbox.state());
sandbox.on('egressDenied', (denied) => expectType<DeniedConnection>(denied));
sandbox.on('networkLost', (error) => expectType<Error>(error));
sandbox.on('violation', (violation, process) => expectType<[Violation, SandboxProcess]>([violation, process]));
spawn('true').on('exit', (code, signal) => expectType<[number | null, NodeJS.Signals | null]>([code, signal]));
spawn('true').on('terminal', (stream) => expectType<Duplex>(stream));
new Promise((resolve) => spawn('true').once('spawn', resolve));
expectError(sandbox.on('egressDenied', (denied: string) => denied));
expectType<Promise<IsolateResult>>(sandbox.run('true'));
expectType<Promise<Buffer>>(sandbox.files.read('/tmp/x'));
expectAssignable<AsyncDisposable>(sandbox);

declare const result: IsolateResult;
expectType<Reason>(result.reason);
expectType<number | null>(result.exitCode);

expectAssignable<Mount>({ type: 'bind', source: '/a', destination: '/b' });
expectNotAssignable<Mount>({ type: 'bind', destination: '/b' });
expectNotAssignable<Mount>({ type: 'tmpfs', destination: '/b', source: '/a', size: {} });
expectType<ApparmorLabel | undefined>(apparmor.status().current);
expectAssignable<SandboxOptions>({ apparmor: 'a' });
expectAssignable<SandboxOptions>({ apparmor: { profile: 'a', stack: true } });
expectNotAssignable<SandboxOptions>({ apparmor: { stack: true } });
expectNotAssignable<Enforcement['apparmor']>({ state: 'enforced', mode: 'enforced' });
expectAssignable<readonly LoadedProfile[]>(apparmor.profiles());
expectType<boolean>(landlock.status().available);
expectAssignable<SandboxOptions>({
  landlock: { paths: [{ path: '/usr', access: ['read', 'execute'] }], tcp: { connect: [443] }, scope: ['signal'] },
});
expectNotAssignable<SandboxOptions>({ landlock: { paths: ['/usr'] } });
expectNotAssignable<SandboxOptions>({ landlock: { paths: [{ path: '/usr', access: ['reed'] }] } });
expectNotAssignable<SandboxOptions>({ landlock: { udp: { bind: [53] } } });
expectNotAssignable<SandboxOptions>({ namespaces: { pid: 'mine' } });
expectError(run('true', [], { memroy: 1 }));
expectError(run());
expectAssignable<Error>(new ValidationError([]));

declare const handle: NamespaceHandle;
expectAssignable<AsyncDisposable>(handle);
expectAssignable<SandboxOptions>({ namespaces: { network: handle, ipc: { path: '/run/ipc' } } });
expectAssignable<Promise<NamespaceHandle>>(namespaces.create(['user', 'pid'], { hostname: 'a' }));
expectAssignable<Promise<NamespaceHandle>>(namespaces.create(['mount'], { propagation: 'shared' }));
expectError(namespaces.create(['mount'], { propagation: 'rshared' }));
expectType<CloneFacts>(namespaces.cloneFacts());
expectType<readonly NamespaceKind[]>(namespaces.cloneFacts().kinds);
expectError(namespaces.create(['users']));
expectAssignable<readonly NamespaceEntry[]>(namespaces.list(1));

declare const network: Network;
expectType<Promise<Network>>(Network.create({ subnet: '10.9.0.0/24', ipv6: true, nat: true, dns: ['192.0.2.1'] }));
expectError(Network.create({ nat: 'yes' }));
expectType<Promise<Socket>>(network.connect('db', 1));
expectAssignable<readonly NetworkMember[]>(network.members());
expectAssignable<AsyncDisposable>(network);
expectAssignable<SandboxOptions>({ network: 'user' });
expectAssignable<SandboxOptions>({
  network: { user: { ports: [{ guest: 53, host: 5353, protocol: 'udp' }], dns: ['192.0.2.1'] } },
});
expectAssignable<SandboxOptions>({ network: { user: { egress: { allow: [{ to: '::/0', protocol: 'any' }] } } } });
expectNotAssignable<SandboxOptions>({ network: { user: { egress: { rate: 1 } } } });
expectNotAssignable<SandboxOptions>({ network: { user: { ports: [{ guest: 53, protocol: 'sctp' }] } } });
expectAssignable<SandboxOptions>({ network: { join: '/proc/1/ns/net' } });
expectAssignable<SandboxOptions>({ network: { bridge: network, ingress: { rate: '1MiB', loss: 0.5 } } });
expectAssignable<SandboxOptions>({
  network: { bridge: 'name', egress: { rate: 1, allow: [{ to: '10.9.0.2', ports: [80, [90, 99]], protocol: 'udp' }] } },
});
expectNotAssignable<SandboxOptions>({ network: { bridge: network, egress: { allow: [{ ports: [80] }] } } });
expectNotAssignable<SandboxOptions>({ network: { bridge: network, egress: { allow: [{ to: '::/0', ports: 80 }] } } });
expectNotAssignable<SandboxOptions>({ network: { bridge: network, ingress: { allow: [] } } });
expectType<EgressReport | undefined>(sandbox.egress());
expectType<EgressReport | undefined>(result.egress);
declare const report: EgressReport;
expectType<readonly DeniedConnection[]>(report.denied);

expectType<Promise<Delegation>>(cgroups.delegate({ manager: 'user' }));
expectError(cgroups.delegate({ manager: 'root' }));
declare const live: SandboxStats;
expectType<number | undefined>(live.memory?.currentBytes);
expectType<Readonly<Record<string, string>>>(live.sources);
expectError(live.memoryBytes);

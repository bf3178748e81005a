import type { Readable } from 'node:stream';
import { expectAssignable, expectError, expectNotAssignable, expectType } from 'tsd';
import {
  type IsolateResult,
  type Mount,
  type Process,
  type Reason,
  run,
  Sandbox,
  type SandboxOptions,
  SandboxPool,
  type SandboxState,
  spawn,
  ValidationError,
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

declare const sandbox: Sandbox;
expectType<SandboxState>(sandbox.state());
expectType<Promise<IsolateResult>>(sandbox.run('true'));
expectType<Promise<Buffer>>(sandbox.files.read('/tmp/x'));
expectAssignable<AsyncDisposable>(sandbox);

declare const result: IsolateResult;
expectType<Reason>(result.reason);
expectType<number | null>(result.exitCode);

expectAssignable<Mount>({ type: 'bind', source: '/a', destination: '/b' });
expectNotAssignable<Mount>({ type: 'bind', destination: '/b' });
expectNotAssignable<Mount>({ type: 'tmpfs', destination: '/b', source: '/a', size: {} });
expectNotAssignable<SandboxOptions>({ namespaces: { pid: 'mine' } });
expectError(run('true', [], { memroy: 1 }));
expectError(run());
expectAssignable<Error>(new ValidationError([]));

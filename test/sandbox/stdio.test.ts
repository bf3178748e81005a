import { once } from 'node:events';
import fs from 'node:fs';
import { Readable } from 'node:stream';
import { run, Sandbox, type SandboxProcess, spawn } from '../../lib';
import { Terminal } from '../../lib/native';
import { output, python, sh } from '../helpers/sandbox';

const gather = async (stream: NodeJS.ReadableStream | null): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

describe('stdin', () => {
  test('empty by default', async () => expect(await output('wc -c')).toBe('0'));
  test('a string', async () => expect((await run('cat', [], { input: 'grüße' })).stdout).toBe('grüße'));
  test.each(['pipe', 'ignore'])('data may be any word, also %s', async (word) =>
    expect((await run('cat', [], { input: word, timeout: 5000 })).stdout).toBe(word),
  );
  test("'pipe' is for spawn(), which gives the stream", async () => {
    await expect(run('cat', [], { stdin: 'pipe' })).rejects.toThrow(/stdin: can't be 'pipe'/);
    const child = spawn('cat');
    child.stdin?.end('by hand');
    expect(await gather(child.stdout)).toBe('by hand');
    await child.result;
  });
  test('bytes', async () =>
    expect((await run('od', ['-An', '-tx1'], { input: new Uint8Array([0, 255]) })).stdout.trim()).toBe('00 ff'));
  test('exactly what a pipe holds', async () =>
    expect((await run('wc', ['-c'], { input: 'x'.repeat(65536) })).stdout.trim()).toBe('65536'));
  test('more than a pipe holds', async () =>
    expect((await run('wc', ['-c'], { input: 'x'.repeat(1_000_000) })).stdout.trim()).toBe('1000000'));
  test('a stream', async () => {
    const input = Readable.from([Buffer.from('one '), Buffer.from('two')]);
    expect((await run('cat', [], { input })).stdout).toBe('one two');
  });
  test('a program that does not read is no error', async () => {
    expect((await run('true', [], { input: 'x'.repeat(1_000_000) })).ok).toBe(true);
  });
});

describe('output', () => {
  test('streams are kept apart', async () => {
    expect(await sh('echo out; echo err >&2')).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
  });
  test('bytes when asked', async () => {
    const r = await run('printf', ['\\377\\000'], { encoding: 'buffer' });
    expect([...r.stdout]).toEqual([255, 0]);
  });
  test('ignored output goes nowhere', async () => {
    const script = 'import os, sys; print(1); sys.stderr.write(os.readlink("/proc/self/fd/1"))';
    expect(await python(script, { stdout: 'ignore' })).toMatchObject({ stdout: '', stderr: '/dev/null' });
  });
  test('four megabytes arrive whole', async () => {
    expect((await sh('head -c 4000000 /dev/zero')).stdout).toHaveLength(4_000_000);
  });
  test('echo > /dev/stdout works: real pipes', async () => {
    expect(await output('echo x > /dev/stdout')).toBe('x');
  });
});

describe('spawn', () => {
  test('is shaped like a ChildProcess', async () => {
    const child = spawn('sh', ['-c', 'read line; echo got $line; echo err >&2; exit 5']);
    const events: string[] = [];
    for (const name of ['spawn', 'exit', 'close'] as const) child.on(name, () => events.push(name));
    child.stdin?.end('hello\n');
    const [stdout, stderr] = await Promise.all([gather(child.stdout), gather(child.stderr)]);
    const result = await child.result;
    expect({ stdout, stderr, code: child.exitCode }).toEqual({ stdout: 'got hello\n', stderr: 'err\n', code: 5 });
    expect(result).toMatchObject({ reason: 'exited', exitCode: 5 });
    expect(events).toEqual(['spawn', 'exit', 'close']);
    expect(child.spawnargs[0]).toBe('sh');
  });
  test.each([undefined, 100_000])(
    'output that nobody reads holds nothing up, and can be read later (maxOutput %p)',
    async (maxOutput) => {
      const child = spawn('sh', ['-c', 'echo out; echo err >&2'], { ...(maxOutput && { maxOutput }) });
      expect(await child.result).toMatchObject({ reason: 'exited', exitCode: 0 });
      expect(await Promise.all([gather(child.stdout), gather(child.stderr)])).toEqual(['out\n', 'err\n']);
    },
  );
  test('a reader that is slow is waited for', async () => {
    const child = spawn('sh', ['-c', 'head -c 300000 /dev/zero']);
    let bytes = 0;
    child.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      child.stdout?.pause();
      setImmediate(() => child.stdout?.resume());
    });
    await child.result;
    expect(bytes).toBe(300_000);
  });
  test('has a pid on the host', async () => {
    const child = spawn('sleep', ['60']);
    await new Promise((resolve) => child.on('spawn', resolve));
    expect(child.pid).toBeGreaterThan(1);
    expect(child.kill('SIGTERM')).toBe(true);
    expect(await child.result).toMatchObject({ reason: 'signaled', signal: 'SIGTERM' });
    expect(child.kill()).toBe(false);
  });
  test('backpressure: a writer waits for a slow reader', async () => {
    const child = spawn('sh', ['-c', 'head -c 50000000 /dev/zero; echo done >&2']);
    const err = gather(child.stderr);
    let bytes = 0;
    for await (const chunk of child.stdout ?? []) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(50_000_000);
    expect(await err).toBe('done\n');
    await child.result;
  });
  test('a program that is not there is an error event and a rejection', async () => {
    const child = spawn('nonesuch');
    const event = new Promise<Error>((resolve) => child.on('error', resolve));
    await expect(child.result).rejects.toMatchObject({ code: 'ENOENT', path: 'nonesuch', syscall: 'execve' });
    expect(await event).toMatchObject({ code: 'ENOENT' });
  });
  test('extra descriptors', async () => {
    const child = spawn('sh', ['-c', 'cat <&4 | tr a-z A-Z >&3'], { fds: { 3: 'write', 4: 'read' } });
    (child.fds[4] as NodeJS.WritableStream).end('shout');
    expect(await gather(child.fds[3] as unknown as NodeJS.ReadableStream)).toBe('SHOUT');
    await child.result;
  });
  test('nothing between extra descriptors is open', async () => {
    const child = spawn('ls', ['/proc/self/fd'], { fds: { 9: 'write' } });
    expect((await gather(child.stdout)).trim().split('\n')).toEqual(['0', '1', '2', '3', '9']);
    await child.result;
  });
});

describe('terminal', () => {
  const session = async (script: string, options: object = {}): Promise<string> => {
    const child = spawn('sh', ['-c', script], { terminal: { rows: 30, columns: 90 }, ...options });
    let text = '';
    child.on('terminal', (stream: NodeJS.ReadableStream) => stream.on('data', (chunk: Buffer) => (text += chunk)));
    await child.result;
    return text;
  };
  test('is a terminal of the sandbox, of the size asked for', async () => {
    expect(await session('tty; stty size')).toBe('/dev/pts/0\r\n30 90\r\n');
  });
  test('is the controlling one', async () => expect(await session('echo via-tty > /dev/tty')).toBe('via-tty\r\n'));
  test('can be resized', async () => {
    const child = spawn('sh', ['-c', 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.05; done'], {
      terminal: true,
    });
    let text = '';
    child.on('terminal', (stream: NodeJS.ReadableStream) =>
      stream.on('data', (chunk: Buffer) => {
        const before = text;
        text += chunk;
        if (!before.includes('ready') && text.includes('ready')) child.resize(120, 50);
      }),
    );
    await child.result;
    expect(text).toBe('ready\r\n50 120\r\n');
  });
  /** The program is gone before anything is read: more is left than the kernel gives in one read. */
  const unread = (child: SandboxProcess): Promise<string> => {
    let text = '';
    child.on('terminal', (stream: NodeJS.ReadableStream) => {
      stream.on('data', (chunk: Buffer) => (text += chunk));
      const deadline = Date.now() + 10_000;
      while (fs.existsSync(`/proc/${child.pid}`) && Date.now() < deadline);
    });
    return child.result.then(() => text);
  };
  const lastWords = 'head -c 6000 /dev/zero | tr "\\0" x; echo end';
  test('what a program wrote just before its end is there', async () =>
    expect(await unread(spawn('sh', ['-c', lastWords], { terminal: true }))).toBe(`${'x'.repeat(6_000)}end\r\n`));
  test('also while something that it left running keeps the terminal', async () => {
    await using sandbox = await Sandbox.create();
    const child = sandbox.spawn('sh', ['-c', `(trap "" HUP; exec sleep 60) & ${lastWords}`], { terminal: true });
    expect(await unread(child)).toBe(`${'x'.repeat(6_000)}end\r\n`);
  });
  test('a look at what is there ends, however much is written meanwhile', () => {
    const endless = fs.openSync('/dev/zero', 'r');
    const terminal = new Terminal(endless);
    terminal.drain();
    expect(terminal.bytesRead).toBe(65_536);
    terminal.destroy();
    fs.closeSync(endless);
  });
  test('a reader that pauses gets everything, and the program waits for it', async () => {
    const child = spawn('sh', ['-c', 'head -c 1000000 /dev/zero | tr "\\0" x; echo end'], { terminal: true });
    const [stream] = (await once(child, 'terminal')) as [NodeJS.ReadableStream];
    let length = 0;
    for await (const chunk of stream) {
      length += (chunk as Buffer).length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(length).toBe(1_000_005);
    expect(await child.result).toMatchObject({ reason: 'exited', exitCode: 0 });
  });
  test('input of more than the kernel holds is taken as the program reads', async () => {
    const child = spawn('sh', ['-c', 'stty raw -echo; echo ready; head -c 200000 | wc -c'], { terminal: true });
    let text = '';
    child.on('terminal', (stream: NodeJS.ReadWriteStream) => {
      stream.on('data', (chunk: Buffer) => {
        if (text === '') stream.write('x'.repeat(200_000));
        text += chunk;
      });
    });
    await child.result;
    expect(text.split(/\s+/)).toEqual(['ready', '200000', '']);
  });
  test('input reaches the program', async () => {
    const child = spawn('sh', ['-c', 'read x; echo got:$x'], { terminal: true });
    let text = '';
    child.on('terminal', (stream: NodeJS.ReadWriteStream) => {
      stream.on('data', (chunk: Buffer) => (text += chunk));
      stream.write('typed\n');
    });
    await child.result;
    expect(text).toContain('got:typed');
  });
});

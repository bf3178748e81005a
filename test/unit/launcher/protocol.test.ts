/** The frame decoder meets bytes from the least trusted process of ours. */
import fc from 'fast-check';
import { FrameDecoder, ProtocolError } from '../../../lib/launcher/protocol';

function frame(type: number, body: Buffer, fds = 0): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(fds, 6);
  return Buffer.concat([header, body]);
}
const exited = (id: number, status: number): Buffer => {
  const body = Buffer.alloc(72);
  body.writeUInt32LE(id, 0);
  body.writeUInt32LE(status, 4);
  return frame(19, body);
};

test('frames arrive whole however they are cut', () => {
  const bytes = Buffer.concat([
    frame(16, Buffer.alloc(0)),
    exited(1, 7 << 8),
    exited(2, 9),
    frame(20, Buffer.alloc(4)),
  ]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 40 }), (cuts) => {
      const decoder = new FrameDecoder();
      const messages = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        messages.push(...decoder.push(Buffer.from(bytes.subarray(at, at + cut)), [], 42));
        at += cut;
      }
      expect(messages.map((m) => m.type)).toEqual(['ready', 'exited', 'exited', 'initExited']);
      expect(messages[1]).toMatchObject({ spawnId: 1, exit: { exitCode: 7, signal: null } });
      expect(messages[2]).toMatchObject({ spawnId: 2, exit: { exitCode: null, signal: 9 } });
    }),
  );
});
test('descriptors are taken by their frame, or all given back: none pile up', () => {
  const root = frame(21, Buffer.alloc(0), 1);
  const ready = frame(16, Buffer.alloc(0));
  const decoder = new FrameDecoder();
  expect(decoder.push(Buffer.concat([ready, root]), [5], 1)).toMatchObject([
    { type: 'ready' },
    { type: 'root', fd: 5 },
  ]);
  expect(decoder.push(root.subarray(0, 3), [6], 1)).toEqual([]);
  expect(decoder.push(root.subarray(3), [], 1)).toMatchObject([{ fd: 6 }]);
  expect(decoder.takeFds()).toEqual([]);
  // More than frames say, also while one is still on its way.
  expect(() => decoder.push(ready, [7], 1)).toThrow(ProtocolError);
  expect(decoder.takeFds()).toEqual([7]);
  expect(decoder.push(ready.subarray(0, 3), [8], 1)).toEqual([]);
  expect(() => decoder.push(ready.subarray(3, 5), [9], 1)).toThrow(ProtocolError);
  expect(decoder.takeFds()).toEqual([8, 9]);
  // What came before a bad frame in the same bytes.
  const lost = new FrameDecoder();
  expect(() => lost.push(Buffer.concat([root, frame(99, Buffer.alloc(0))]), [10], 1)).toThrow(ProtocolError);
  expect(lost.takeFds()).toEqual([10]);
});
test('init tells what it has', () => {
  const body = Buffer.alloc(140);
  body.writeUInt32LE(2, 0);
  body.writeUInt32LE(5, 4);
  body.write('box', 8);
  body.write('example.org', 73);
  const report = { children: 2, descriptors: 5, hostname: 'box', domainname: 'example.org' };
  expect(new FrameDecoder().push(frame(23, body), [], 1)).toEqual([{ type: 'posture', report }]);
  expect(() => new FrameDecoder().push(frame(23, body.subarray(1)), [], 1)).toThrow(ProtocolError);
});
test('any bytes give messages or a ProtocolError, nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        new FrameDecoder().push(Buffer.from(bytes), [], 0);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
    { numRuns: 5000 },
  );
});
test('any body of any type gives a message or a ProtocolError', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 40 }),
      fc.uint8Array({ maxLength: 100 }),
      fc.integer({ min: 0, max: 3 }),
      (type, body, fds) => {
        const decoder = new FrameDecoder();
        try {
          decoder.push(frame(type, Buffer.from(body), fds), [5, 6, 7].slice(0, fds), 0);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      },
    ),
    { numRuns: 5000 },
  );
});
test.each([
  ['too long', frame(16, Buffer.alloc(0)).fill(255, 0, 4)],
  ['of unknown type', frame(99, Buffer.alloc(0))],
  ['of a wrong size', frame(19, Buffer.alloc(71))],
  ['without its descriptor', frame(18, Buffer.alloc(8), 1)],
])('a frame %s is refused', (_name, bytes) => {
  expect(() => new FrameDecoder().push(bytes, [], 0)).toThrow(ProtocolError);
});
test('descriptors that a refused frame brought stay to be closed', () => {
  const decoder = new FrameDecoder();
  expect(() => decoder.push(frame(16, Buffer.alloc(0), 1), [77], 0)).toThrow(ProtocolError);
  expect(decoder.takeFds()).toEqual([77]);
});

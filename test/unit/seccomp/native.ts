/**
 * C programs of the fixtures, compiled for the tests that need them. Where gcc or libseccomp's headers are missing the tests are
 * skipped under a name that says so; on CI that is a failure.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const fixtures = join(__dirname, '../../fixtures/seccomp');
let dir: string | undefined;

/** The directory for programs and filters; removed by cleanUp(). */
export function workDir(): string {
  dir ??= mkdtempSync(join(tmpdir(), 'linux-isolate-seccomp-'));
  return dir;
}

export function cleanUp(): void {
  if (dir) rmSync(dir, { recursive: true });
  dir = undefined;
}

export function build(name: string, ...libraries: string[]): string {
  const program = join(workDir(), name);
  const flags = ['-O1', '-Wall', '-Wextra', '-Werror', '-o', program, join(fixtures, `${name}.c`)];
  execFileSync('gcc', [...flags, ...libraries], { stdio: ['ignore', 'inherit', 'inherit'] });
  return program;
}

/** Can a program with these headers be compiled? */
export function hasHeaders(...headers: string[]): boolean {
  const input = headers.map((header) => `#include <${header}>\n`).join('');
  return (
    spawnSync('gcc', ['-fsyntax-only', '-x', 'c', '-'], { input, stdio: ['pipe', 'ignore', 'ignore'] }).status === 0
  );
}

/** `describe` where `available`; skipped by name elsewhere, and failing where CI is set. */
export function describeIf(available: boolean, name: string, missing: string, body: () => void): void {
  if (available) describe(name, body);
  else if (process.env.CI) test(name, () => Promise.reject(new Error(`${missing} is missing on CI`)));
  else describe.skip(`${name} [missing: ${missing}]`, body);
}

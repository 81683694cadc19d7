import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const MODULE = join(import.meta.dirname, '../shared/temporary-folder.ts');

/** A process that makes a folder, prints its path, and then does what it is told. */
async function folderOf(then: string, signal?: NodeJS.Signals) {
  const program = `
    import { temporaryFolder } from ${JSON.stringify(MODULE)};
    const folder = await temporaryFolder('temporary-folder-test-');
    ${then}
    process.stdout.write(folder.path);
  `;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [path]: unknown[] = await once(child.stdout, 'data');
  if (signal !== undefined) child.kill(signal);
  const [code, endedBy]: unknown[] = await once(child, 'exit');
  const isThere = await access(String(path)).then(
    () => true,
    () => false,
  );
  return { path: String(path), isThere, code, endedBy };
}

describe('a temporary folder', () => {
  it('goes when the process ends', async () => {
    expect(await folderOf('')).toMatchObject({ isThere: false, code: 0 });
  });

  it('goes when an error ends the process', async () => {
    const later = "setTimeout(() => { throw new Error('a defect'); }, 200);";

    expect(await folderOf(later)).toMatchObject({ isThere: false, code: 1 });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('goes when %s ends the process', async (signal) => {
    const ended = await folderOf('setInterval(() => {}, 1000);', signal);

    expect(ended).toMatchObject({ isThere: false, endedBy: signal });
  });

  it('does not keep a process alive that a signal is to end, however many there are', async () => {
    const another = "await temporaryFolder('temporary-folder-test-'); setTimeout(() => {}, 3000);";

    expect(await folderOf(another, 'SIGINT')).toMatchObject({ isThere: false, endedBy: 'SIGINT' });
  });

  it('goes at the exit of a process that stops in its own way', async () => {
    const stops =
      "const hold = setInterval(() => {}, 1000); process.on('SIGINT', () => clearInterval(hold));";

    expect(await folderOf(stops, 'SIGINT')).toMatchObject({ isThere: false, code: 0 });
  });
});

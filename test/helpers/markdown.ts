import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const REPOSITORY = join(import.meta.dirname, '..', '..');

/** The repository's text files with one of these extensions, tracked or new, as paths from its root. */
export function listFiles(...extensions: readonly string[]): string[] {
  const patterns = extensions.map((extension) => `*.${extension}`);
  const deleted = new Set(git('ls-files', '--deleted'));
  return git('ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns).filter(
    (path) => !deleted.has(path),
  );
}

export function readText(path: string): string {
  return readFileSync(join(REPOSITORY, path), 'utf8');
}

/** The targets of all links and images in `markdown`, without those that are only shown as code. */
export function linksOf(markdown: string): string[] {
  const prose = withoutFences(markdown).replace(/(`+)[^`].*?\1/gs, '');
  const inline = [...prose.matchAll(/\]\(\s*<?([^\s)>]+)>?[^)]*\)/g)];
  const reference = [...prose.matchAll(/^\[[^\]]+\]:\s+<?([^\s>]+)/gm)];
  const html = [...prose.matchAll(/\b(?:href|src)="([^"]+)"/g)];
  return [...inline, ...reference, ...html].map(([, target = '']) => target);
}

/** The anchors of the headings in `markdown`, as GitHub makes them. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutFences(markdown).matchAll(/^#{1,6} (.+)$/gm)) {
    const anchor = anchorOf(heading);
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

export function anchorOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function withoutFences(markdown: string): string {
  return markdown.replace(/^( *)(```+|~~~+)[\s\S]*?^\1\2.*$/gm, '');
}

function git(command: string, ...args: readonly string[]): string[] {
  const output = execFileSync('git', ['-C', REPOSITORY, command, '-z', ...args], { encoding: 'utf8' });
  return output.split('\0').filter((path) => path !== '');
}

import { expect, it } from 'vitest';
import { listFiles, readText } from '../helpers/markdown.ts';

const files = listFiles('ts', 'tsx').filter((path) => path.startsWith('clients/game/'));

it.each(files)('the guide shows %s as it is', (path) => {
  expect(files.length).toBeGreaterThan(4);
  expect(readText('docs/add-reconnection.md')).toContain(`\n${readText(path)}\`\`\`\n`);
});

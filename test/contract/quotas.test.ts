import { DEFAULT_QUOTAS } from 'game-lift-streams-local';
import { describe, expect, it } from 'vitest';
import { QUOTAS } from '../../functions/shared/contracts/quotas.ts';
import { readText } from '../helpers/markdown.ts';

const serverlessYml = readText('serverless.yml');
const camelCase = (setting: string) =>
  setting.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

describe.each(Object.entries(QUOTAS))('the quota of %s', (operation, { setting, publishedPerSecond }) => {
  it("is the default of the setting's deployment parameter", () => {
    expect(serverlessYml).toContain(`    ${camelCase(setting)}: '${publishedPerSecond}'\n`);
  });

  it('is the one that the stand-in enforces', () => {
    expect(DEFAULT_QUOTAS).toMatchObject({ [operation]: publishedPerSecond });
  });
});

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nextStep } from 'reconnection-client';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ERROR_STATUSES, REFUSAL_CODE_HEADER, REFUSALS } from '../../functions/shared/contracts/index.ts';
import { GATEWAY_RESPONSES } from '../../local/rest-api/gateway-errors.ts';

const root = join(import.meta.dirname, '..', '..');
const known = new Map(Object.entries(REFUSALS));

/** What the page of the API says about each code. */
async function documentedCodes() {
  const page = await readFile(join(root, 'docs/api-clients.md'), 'utf8');
  return [...page.matchAll(/^\| `([A-Z_]+)` \| (?:`(\w+)`|the service's own) \| (yes|if .*?)? ?\| \S/gm)].map(
    ([, code = '', type, retryAfter]) => [code, { type, hasRetryAfter: retryAfter === 'yes' }] as const,
  );
}

const responsesSchema = z.object({
  resources: z.record(
    z.string(),
    z.looseObject({
      Type: z.string(),
      Properties: z.looseObject({ ResponseParameters: z.record(z.string(), z.string()).optional() }),
    }),
  ),
});

/** The headers of API Gateway's own refusals, as the template sets them. */
async function gatewayHeaders() {
  const file: unknown = parse(await readFile(join(root, 'resources/api.yml'), 'utf8'), {
    logLevel: 'silent',
  });
  return Object.entries(responsesSchema.parse(file).resources)
    .filter(([, { Type }]) => Type === 'AWS::ApiGateway::GatewayResponse')
    .map(([name, { Properties }]) => {
      const header = (key: string) => Properties.ResponseParameters?.[`gatewayresponse.header.${key}`];
      const unquoted = (text = '') => text.replaceAll("'", '');
      return {
        name,
        code: unquoted(header(REFUSAL_CODE_HEADER)),
        // The colon ends the name: test/package/gateway-errors.test.ts says why it is there.
        type: unquoted(header('x-amzn-errortype')).replace(/:$/, ''),
        hasRetryAfter: header('retry-after') !== undefined,
      };
    });
}

/** What the browser's client does after each code, in a table of the package's README. */
async function stepsOfTheClient() {
  const page = await readFile(join(root, 'packages/reconnection-client/README.md'), 'utf8');
  return [...page.matchAll(/^\| `([A-Z_]+)` \| `(\w+)` \|$/gm)].map(
    ([, code = '', step = '']) => [code, step] as const,
  );
}

describe('the codes of refusals', () => {
  it("lead to one step of the browser's client each, which its README lists", async () => {
    const steps = Object.entries(REFUSALS)
      .filter(([code]) => code !== 'PASSED_THROUGH')
      .map(([code, { type, hasRetryAfter }]) => {
        const reply = {
          kind: 'refused',
          code,
          status: type === undefined ? 0 : ERROR_STATUSES[type],
        } as const;
        return [code, nextStep(hasRetryAfter ? { ...reply, retryAfterSeconds: 1 } : reply).step];
      });

    expect(Object.fromEntries(await stepsOfTheClient())).toEqual(Object.fromEntries(steps));
    for (const [code, { hasRetryAfter }] of Object.entries(REFUSALS)) {
      const isRepeated = steps.find(([name]) => name === code)?.[1] === 'repeat';
      expect(isRepeated, code).toBe(hasRetryAfter);
    }
  });

  it('are in docs/api-clients.md, each with its type and whether it has Retry-After', async () => {
    const documented = await documentedCodes();

    expect(Object.fromEntries(documented)).toEqual(REFUSALS);
    expect(documented).toHaveLength(known.size);
  });

  it('are used, every one, by a function or by the template', async () => {
    const files = (await readdir(join(root, 'functions'), { recursive: true })).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('refusal-codes.ts'),
    );
    const sources = await Promise.all(
      [...files.map((name) => join('functions', name)), 'resources/api.yml'].map((name) =>
        readFile(join(root, name), 'utf8'),
      ),
    );
    const code = sources.join('\n');

    expect([...known.keys()].filter((name) => !code.includes(`'${name}'`))).toEqual([]);
  });

  it("are on every one of API Gateway's own refusals, with the type of the code", async () => {
    const responses = await gatewayHeaders();

    expect(responses.length).toBeGreaterThan(10);
    for (const { name, code, type, hasRetryAfter } of responses) {
      expect({ type, hasRetryAfter }, name).toEqual(known.get(code));
    }
  });

  it('are on the refusals of the local API Gateway', () => {
    for (const { mappedHeaders } of Object.values(GATEWAY_RESPONSES)) {
      expect(known.has(mappedHeaders[REFUSAL_CODE_HEADER] ?? '')).toBe(true);
    }
  });
});

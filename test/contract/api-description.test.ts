import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { REFUSALS } from '../../functions/shared/contracts/index.ts';
import { DESCRIPTION_FILES, descriptionFiles, ROUTES } from '../../scripts/api-description.ts';

const root = join(import.meta.dirname, '../..');
const documents = await descriptionFiles();

const mediaSchema = z.record(
  z.literal('application/json'),
  z.looseObject({
    schema: z.record(z.string(), z.unknown()),
    examples: z.record(z.string(), z.object({ value: z.unknown() })).optional(),
  }),
);
const operationSchema = z.looseObject({
  operationId: z.string(),
  requestBody: z.looseObject({ content: mediaSchema }).optional(),
  responses: z.record(
    z.string(),
    z.looseObject({
      content: mediaSchema.optional(),
      headers: z
        .record(
          z.string(),
          z.looseObject({ schema: z.looseObject({ enum: z.array(z.string()).optional() }) }),
        )
        .optional(),
    }),
  ),
});
const openApiSchema = z.looseObject({
  openapi: z.literal('3.1.0'),
  paths: z.record(
    z.string(),
    z.looseObject({
      get: operationSchema.optional(),
      post: operationSchema.optional(),
      delete: operationSchema.optional(),
    }),
  ),
});
const openApi = openApiSchema.parse(JSON.parse(documents.get(DESCRIPTION_FILES.openApi) ?? ''));
const operations = Object.entries(openApi.paths).flatMap(([path, { get, post, delete: end }]) =>
  [
    ['GET', get],
    ['POST', post],
    ['DELETE', end],
  ].flatMap(([method, operation]) =>
    typeof method === 'string' && typeof operation === 'object' ? [{ path, method, operation }] : [],
  ),
);

const templateSchema = z.looseObject({
  functions: z
    .record(
      z.string(),
      z.looseObject({
        events: z
          .array(z.looseObject({ http: z.looseObject({ method: z.string(), path: z.string() }).optional() }))
          .optional(),
      }),
    )
    .optional(),
});

/** The routes that the template deploys, such as "POST /a/{b}". */
async function deployedRoutes(): Promise<string[]> {
  const files = (await readdir(join(root, 'resources'))).filter((name) => name.endsWith('.yml'));
  const templates = await Promise.all(
    files.map(async (name) =>
      templateSchema.parse(
        parse(await readFile(join(root, 'resources', name), 'utf8'), { logLevel: 'silent' }),
      ),
    ),
  );
  return templates
    .flatMap(({ functions = {} }) => Object.values(functions))
    .flatMap(({ events = [] }) => events)
    .flatMap(({ http }) => (http === undefined ? [] : [`${http.method.toUpperCase()} /${http.path}`]));
}

describe('the descriptions of the API', () => {
  it('are the files that npm run events writes', async () => {
    for (const [path, text] of documents) expect(await readFile(join(root, path), 'utf8'), path).toBe(text);
  });

  it('have the routes that the template deploys', async () => {
    const described = operations.map(({ path, method }) => `${method} ${path}`);

    expect(described.sort()).toEqual((await deployedRoutes()).sort());
  });

  it('name every code of a refusal at some route', () => {
    expect([...new Set(ROUTES.flatMap(({ codes }) => codes))].sort()).toEqual(Object.keys(REFUSALS).sort());
  });

  it('have examples that fit their schemas, which are the samples of events/', () => {
    const ajv = addFormats.default(new Ajv2020({ strict: false }));
    const contents = operations.flatMap(({ operation: { requestBody, responses } }) =>
      [requestBody, responses[200]].flatMap((part) =>
        part?.content === undefined ? [] : [part.content['application/json']],
      ),
    );
    const examples = contents.flatMap((content) =>
      Object.entries(content?.examples ?? {}).map(([name, { value }]) => ({
        name,
        value,
        schema: content?.schema ?? {},
      })),
    );

    expect(examples.length).toBeGreaterThan(2);
    for (const { name, value, schema } of examples) expect(ajv.validate(schema, value), name).toBe(true);
  });
});

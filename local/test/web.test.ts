import { type LoopbackRequest, type LoopbackServer, startLoopbackServer } from 'local-server-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startWebServer } from '../web/server.ts';

let behind: LoopbackServer;
let web: LoopbackServer;
let passedOn: LoopbackRequest[];

beforeEach(async () => {
  passedOn = [];
  behind = await startLoopbackServer({
    port: 0,
    maxBodyBytes: 1000,
    handle: async (request) => {
      passedOn.push(request);
      return {
        status: 409,
        headers: { 'content-type': 'application/json', 'retry-after': '3', 'set-cookie': 'a=b' },
        body: '{"Message":"busy"}',
      };
    },
  });
  const { url } = behind;
  const endpoints = {
    gameLiftStreams: url,
    stepFunctions: url,
    eventBus: url,
    dynamoDb: url,
    api: url,
    sqs: url,
  };
  web = await startWebServer({ port: 0, endpoints });
});

afterEach(async () => {
  await web.close();
  await behind.close();
});

const callStepFunctions = (operation: string, headers: Record<string, string> = {}) =>
  fetch(`${web.url}/step-functions`, {
    method: 'POST',
    headers: { 'x-amz-target': operation, ...headers },
    body: '{"a":1}',
  });

describe('the web server', () => {
  it.each(['/', '/player', '/player?session=abc'])(
    'has a page at %s that loads only its own files',
    async (path) => {
      const response = await fetch(`${web.url}${path}`);
      const html = await response.text();

      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      const files = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, file = '']) => file);
      expect(files).toHaveLength(3);
      for (const file of files) {
        expect(file).toMatch(/^\/assets\//);
        const asset = await fetch(`${web.url}${file}`);
        expect([file, asset.status]).toEqual([file, 200]);
        await asset.arrayBuffer();
      }
    },
  );

  it('allows pages to load and call nothing but itself', async () => {
    const { headers } = await fetch(web.url);

    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/https?:|\*|unsafe/);
  });

  it.each(['/nothing', '/assets/nothing.js', '/assets/../server.ts', '/assets/constructor'])(
    'has nothing at %s',
    async (path) => {
      expect((await fetch(`${web.url}${path}`)).status).toBe(404);
    },
  );

  it('passes an operation of the console on, and its reply back', async () => {
    const reply = await callStepFunctions('AWSStepFunctions.ListExecutions', { origin: web.url });

    expect(passedOn.map(({ method, target, body }) => [method, target, body.toString()])).toEqual([
      ['POST', '/', '{"a":1}'],
    ]);
    expect(passedOn[0]?.headers['x-amz-target']).toBe('AWSStepFunctions.ListExecutions');
    expect([reply.status, reply.headers.get('retry-after'), await reply.text()]).toEqual([
      409,
      '3',
      '{"Message":"busy"}',
    ]);
    expect(reply.headers.get('set-cookie')).toBeNull();
  });

  it('passes the question for a window on, its path still encoded', async () => {
    await fetch(`${web.url}/api/streamgroups/arn%3Aaws%2Fsg/streamsessions/s/window`);

    expect(passedOn.map(({ target }) => target)).toEqual([
      '/streamgroups/arn%3Aaws%2Fsg/streamsessions/s/window',
    ]);
  });

  it.each([
    'AWSStepFunctions.CreateStateMachine',
    'AWSStepFunctions.SendTaskSuccess',
    'Other.ListExecutions',
    '',
  ])('does not pass on %j', async (operation) => {
    const reply = await callStepFunctions(operation);

    expect([reply.status, passedOn]).toEqual([403, []]);
  });

  it('takes no request from a page of another origin', async () => {
    const reply = await callStepFunctions('AWSStepFunctions.StopExecution', { origin: 'http://localhost:1' });

    expect([reply.status, passedOn]).toEqual([403, []]);
  });

  it('says which part of the stack does not answer', async () => {
    await behind.close();

    const reply = await callStepFunctions('AWSStepFunctions.ListExecutions');

    expect([reply.status, await reply.text()]).toEqual([
      502,
      `The local stack does not answer at ${behind.url}.`,
    ]);
  });
});

import { describeIssues, type LoopbackReply, type LoopbackRequest } from 'local-server-kit';
import type { z } from 'zod';
import { faultSchema } from '../sessions/fault.ts';
import { sessionSettingsChangeSchema, settingsChangeSchema, settingsSchema } from '../sessions/settings.ts';
import type { StreamGroupRecord } from '../sessions/stream-group.ts';
import type { World } from '../sessions/world.ts';
import { makeHappen } from './happenings.ts';
import { ControlRefusal } from './refusal.ts';
import {
  adminShellReadinessSchema,
  happeningSchema,
  startSessionsSchema,
  streamGroupChangeSchema,
  streamGroupSchema,
} from './schemas.ts';
import { changeSessionSettings, readSession, readSessions, startSessions } from './session-records.ts';

/** Not a path of the service, so that both APIs can share a port. */
export const CONTROL_PATH = '/_control/';

interface ControlContext {
  readonly world: World;
  readonly reset: () => void;
  /** What follows the route's path. */
  readonly rest: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

type ControlRoute = (context: ControlContext) => object;

const ROUTES: Readonly<Record<string, ControlRoute>> = {
  'POST stream-groups': ({ world, body }) => {
    const { streamGroupId, ...given } = read(streamGroupSchema, body);
    return world.addStreamGroup(streamGroupId, given);
  },
  'GET stream-groups': ({ world }) => {
    world.settle();
    return { streamGroups: world.streamGroups() };
  },
  'PATCH stream-groups/': ({ world, rest, body }) => {
    const lastUpdatedAtMs = world.settle();
    const change = read(streamGroupChangeSchema, body);
    return world.changeStreamGroup(groupOf(world, rest), { ...change, lastUpdatedAtMs });
  },
  'DELETE stream-groups/': ({ world, rest }) => {
    world.settle();
    world.removeStreamGroup(groupOf(world, rest));
    return {};
  },
  'POST stream-sessions': ({ world, body }) => startSessions(world, read(startSessionsSchema, body)),
  'GET stream-sessions': ({ world, query }) => readSessions(world, query),
  'GET stream-sessions/': ({ world, rest }) => readSession(world, rest),
  'PATCH stream-sessions/': ({ world, rest, body }) =>
    changeSessionSettings(world, rest, read(sessionSettingsChangeSchema, body)),
  'POST happenings': ({ world, body }) => makeHappen(world, read(happeningSchema, body)),
  'POST faults': ({ world, body }) => {
    world.faults.plan(read(faultSchema, body));
    return {};
  },
  'GET faults': ({ world }) => ({ faults: world.faults.list(world.nowMs()) }),
  'DELETE faults': ({ world }) => {
    world.faults.clear();
    return {};
  },
  'GET settings': ({ world }) => world.settings,
  'PATCH settings': ({ world, body }) => {
    world.settings = settingsSchema.parse({ ...world.settings, ...read(settingsChangeSchema, body) });
    return world.settings;
  },
  'POST admin-shell-readiness': ({ world, body }) => {
    const { streamSessionId, notReadySeconds } = read(adminShellReadinessSchema, body);
    world.readiness.delay(streamSessionId, world.settle() + notReadySeconds * 1000);
    return {};
  },
  'GET counters': ({ world }) => world.counters.read(),
  'POST reset': ({ reset }) => {
    reset();
    return {};
  },
};

export function answerControl(world: World, reset: () => void, request: LoopbackRequest): LoopbackReply {
  try {
    return reply(200, dispatch(world, reset, request));
  } catch (error) {
    if (error instanceof ControlRefusal) return reply(error.httpStatus, { message: error.message });
    throw error;
  }
}

function dispatch(world: World, reset: () => void, request: LoopbackRequest): object {
  // A web page can send anything but this type across origins without asking, and asking is never granted.
  if (request.method !== 'GET' && request.headers['content-type'] !== 'application/json') {
    throw new ControlRefusal(415, 'The control API takes application/json only.');
  }
  const [path = '', search = ''] = request.target.slice(CONTROL_PATH.length).split('?', 2);
  const slash = path.indexOf('/') + 1;
  const name = slash === 0 ? path : path.slice(0, slash);
  const route = ROUTES[`${request.method} ${name}`];
  if (route === undefined)
    throw new ControlRefusal(404, 'The control API has nothing with this method and path.');
  return route({
    world,
    reset,
    rest: path.slice(name.length),
    query: new URLSearchParams(search),
    body: parseJson(request.body),
  });
}

function groupOf(world: World, streamGroupId: string): StreamGroupRecord {
  const group = world.streamGroup(streamGroupId);
  if (group === undefined) throw new ControlRefusal(404, 'There is no such stream group.');
  return group;
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new ControlRefusal(400, 'The request body is not valid JSON.', { cause });
  }
}

function read<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body);
  if (!result.success) throw new ControlRefusal(400, describeIssues(result.error));
  return result.data;
}

const reply = (status: number, body: object): LoopbackReply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

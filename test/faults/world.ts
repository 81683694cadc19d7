import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { anOffer, type SessionRecord } from 'game-lift-streams-local';
import { z } from 'zod';
import type { SessionKey } from '../../functions/shared/contracts/index.ts';
import { windowExecutionName } from '../../functions/shared/contracts/names.ts';
import { TAG_MATCHES_KEY } from '../../functions/shared/contracts/table-keys.ts';
import { isOpen, windowItemSchema } from '../../functions/shared/window/window-item.ts';
import { MemoryItems } from '../../local/dynamodb/memory-items.ts';
import type { SessionOverrides } from '../../local/simulation/people.ts';
import { startWorkflow, type WorkflowOptions } from '../helpers/workflow.ts';
import { FaultInjector } from './fault-injector.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
/** An asynchronous invocation is repeated after one minute, and after two more. */
export const ALL_RETRIES_MS = 3 * MINUTE + 35 * SECOND;
/** A caller's patience: whatever one fault costs, it is over by then. */
const MAX_REQUESTS = 12;

export type World = Awaited<ReturnType<typeof startWorld>>;

/** The local stack with its table in memory, and people who do not give up at the first error. */
export async function startWorld(options: WorkflowOptions = {}) {
  const injector = new FaultInjector();
  const items = new MemoryItems();
  const run = await startWorkflow({
    ...options,
    adapter: 'inProcess',
    items: () => items,
    ...injector.hooks,
  });
  const { clock, control, stepFunctions, windowMachineArn } = run;
  injector.useClock(clock);

  const toldWaiting: (ToldWaiting & { readonly streamSessionId: string })[] = [];
  injector.onServiceReply = (functionKey, _, reply) => {
    for (const id of waitingIn(functionKey, reply))
      if (hasOpenWindow(items, id)) {
        toldWaiting.push({ streamSessionId: id, functionKey, atMs: clock.nowMs() });
      }
  };

  /** As a person does who reads "ask again with the same request". */
  const untilAnswered = async <Answer>(request: () => Promise<Answer>): Promise<Answer> => {
    for (let requests = 1; ; requests++) {
      try {
        return await request();
      } catch (error) {
        if (requests === MAX_REQUESTS || !mayAskAgain(error)) throw error;
        await clock.advance(SECOND);
      }
    }
  };

  /** The session's executions, the first one first. Another stream group's may have such a name too. */
  const executionsOf = async ({ streamGroupId, streamSessionId }: SessionKey) => {
    const executions = await run.executions();
    const described = await Promise.all(
      executions
        .filter(({ name }) => name?.startsWith(`${streamSessionId}-`))
        .map(({ executionArn }) => stepFunctions.send(new DescribeExecutionCommand({ executionArn }))),
    );
    return described.filter(({ input }) => input?.includes(`"${streamGroupId}"`)).reverse();
  };

  return {
    ...run,
    allItems: run.items,
    /** The table's own. */
    items,
    injector,
    /** When the service has told a window's function that it waits for the session's client. */
    toldWaiting: (session: SessionKey): readonly ToldWaiting[] =>
      toldWaiting.filter(({ streamSessionId }) => streamSessionId === session.streamSessionId),
    /** Takes from every stream group what earlier stories have made known of it: each story writes it itself. */
    forgetGroups(): void {
      for (const { pk, sk } of items.all()) {
        if (sk === 'waiting' || sk === TAG_MATCHES_KEY.sk)
          items.answer('PutCommand', { TableName: run.table.name, Item: { pk, sk } });
      }
    },
    executionsOf,
    untilAnswered,
    /** A session whose player has just dropped. */
    async dropped(overrides: SessionOverrides = {}): Promise<SessionRecord> {
      const session = await run.session({ connectionTimeoutSeconds: 300, ...overrides });
      await control.clientDrops(session.streamSessionId);
      return session;
    },
    /** A backend's request through the API, the same again until it has its answer. */
    async ask(
      session: SessionKey,
      { clientToken, headers = {} }: { clientToken?: string; headers?: Record<string, string> } = {},
    ): Promise<string> {
      const body = { SignalRequest: anOffer(), ClientToken: clientToken };
      return untilAnswered(async () => {
        const response = await run.inTime(() => run.connect(session, body, headers));
        if (!response.ok) throw httpError(response);
        return z.object({ SignalResponse: z.string() }).parse(await response.json()).SignalResponse;
      });
    },
    askForShellAgain: (session: SessionKey) => untilAnswered(() => run.askForShell(session)),
    lookAtWindow: (session: SessionRecord) =>
      untilAnswered(async () => {
        const { status, body } = await run.inTime(() => run.window(session));
        if (status >= 500) throw httpError({ status, headers: new Headers() });
        return body;
      }),
    /** Invokes as Lambda does for what nobody waits for: twice again, a minute and two minutes later. */
    async invokeAsynchronously(functionKey: string, payload: unknown): Promise<void> {
      for (const waitMs of [MINUTE, 2 * MINUTE, 0]) {
        if ((await run.inTime(() => run.invoke(functionKey, payload))).ok) return;
        await clock.advance(waitMs);
      }
    },
    /** The watcher's schedule, for some minutes: each minute an invocation, whatever became of the last. */
    async watch(minutes: number): Promise<void> {
      for (let minute = 0; minute < minutes; minute++) {
        const endMs = clock.nowMs() + MINUTE;
        await run.inTime(() => run.invoke('watchSessions'));
        await clock.advance(Math.max(0, endMs - clock.nowMs()));
      }
    },
    /** What an operator does in the console. */
    async stopExecution(session: SessionKey): Promise<void> {
      const running = (await executionsOf(session)).find(({ status }) => status === 'RUNNING');
      if (running === undefined) return;
      await run.stopExecution(running.executionArn);
      await clock.idle();
    },
    /** Until nothing is to be expected any more: the longest window of a story has an hour. */
    async settle(): Promise<void> {
      await clock.advance(ALL_RETRIES_MS);
      for (let minutes = 0; minutes < 70; minutes++) {
        if ((await run.executions()).every(({ status }) => status !== 'RUNNING')) return;
        await clock.advance(MINUTE);
      }
    },
    /** How many asynchronous invocations have failed each time. */
    givenUp: async (): Promise<number> => (await run.deadLetters()).length,
    executionArnOf: (session: SessionKey, generation: number) =>
      `${windowMachineArn?.replace(':stateMachine:', ':execution:')}:${windowExecutionName(session, generation)}`,
  };
}

/** What a window could know: check-session has read it, or the watcher has listed it while the window was open. */
export interface ToldWaiting {
  readonly functionKey: string;
  readonly atMs: number;
}

const WAITING: ReadonlySet<string | undefined> = new Set([
  'PENDING_CLIENT_RECONNECTION',
  'ACTIVE',
  'RECONNECTING',
]);
const serviceReplySchema = z.object({
  Arn: z.string().optional(),
  Status: z.string().optional(),
  Items: z.array(z.object({ Arn: z.string().optional(), Status: z.string().optional() })).optional(),
});

/** The ids of the sessions that wait for a client, as the reply tells a function that looks for evidence. */
function waitingIn(functionKey: string, reply: object): string[] {
  if (functionKey !== 'checkSession' && functionKey !== 'watchSessions') return [];
  const { Items: items = [], ...session } = serviceReplySchema.parse(reply);
  // The watcher's own reads learn a timeout, or whether the service is back.
  const told = functionKey === 'checkSession' ? [session] : items;
  return told.flatMap(({ Arn: arn, Status: status }) =>
    arn !== undefined && WAITING.has(status) ? [arn.slice(arn.lastIndexOf('/') + 1)] : [],
  );
}

function hasOpenWindow(items: MemoryItems, streamSessionId: string): boolean {
  return items
    .all()
    .filter(({ pk, sk }) => sk === 'window' && String(pk).includes(streamSessionId))
    .some((item) => isOpen(windowItemSchema.parse(item)));
}

/** Set where the reply says that the same request may be made again. */
class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly $metadata: { readonly httpStatusCode: number };
  readonly $response: { readonly headers: Readonly<Record<string, string>> };
  constructor({ status, headers }: { readonly status: number; readonly headers: Headers }) {
    super(`Answered with ${status}`);
    this.$metadata = { httpStatusCode: status };
    this.$response = { headers: Object.fromEntries(headers) };
  }
}

function httpError(response: { readonly status: number; readonly headers: Headers }): HttpError {
  return new HttpError(response);
}

const repliedSchema = z.object({
  $metadata: z.object({ httpStatusCode: z.number() }),
  $response: z.object({ headers: z.record(z.string(), z.unknown()) }).optional(),
});

/** By the README's table: 5xx, 429, and a 409 that says when. */
function mayAskAgain(error: unknown): boolean {
  const replied = repliedSchema.safeParse(error);
  if (!replied.success) return false;
  const { $metadata: metadata, $response: response } = replied.data;
  const { httpStatusCode: status } = metadata;
  // Somebody adds the permission that we lack, and tells the caller.
  const isRefused = response?.headers['x-reconnection-code'] === 'SERVICE_ACCESS_DENIED';
  return (
    status >= 500 ||
    status === 429 ||
    isRefused ||
    (status === 409 && response?.headers['retry-after'] !== undefined)
  );
}

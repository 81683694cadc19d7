/** What the control strip of the player page does: it makes things go wrong, and counts what came of it. */

import type { GameLiftStreamsControl, NewFault, SessionRecord } from 'game-lift-streams-local';
import type { LoopbackReply, LoopbackRequest } from 'local-server-kit';
import { BadRequestError, json, readJson, refusal } from './json-routes.ts';
import { type ControlState, type Mishap, mishapSchema, type StormRequest, stormSchema } from './messages.ts';
import { Storm } from './storm.ts';

const PREFIX = '/control/';
const OPERATION = 'CreateStreamSessionConnection';
const SLOW_MS = 3_000;

export interface ControlStripOptions {
  readonly control: GameLiftStreamsControl;
  readonly apiUrl: string;
  readonly windowMachineArn: string;
  readonly random: () => number;
}

export class ControlStrip {
  readonly #control: GameLiftStreamsControl;
  readonly #apiUrl: string;
  readonly #windowMachineArn: string;
  readonly #random: () => number;
  #storm: Storm | undefined;

  constructor({ control, apiUrl, windowMachineArn, random }: ControlStripOptions) {
    this.#control = control;
    this.#apiUrl = apiUrl;
    this.#windowMachineArn = windowMachineArn;
    this.#random = random;
  }

  /** @returns undefined when the request is not for the strip */
  async answer(request: LoopbackRequest): Promise<LoopbackReply | undefined> {
    if (!request.target.startsWith(PREFIX)) return undefined;
    try {
      return await this.#answer(request);
    } catch (error) {
      if (error instanceof BadRequestError) return refusal(400, error.name, error.message);
      throw error;
    }
  }

  async #answer(request: LoopbackRequest): Promise<LoopbackReply> {
    const [path = '', query = ''] = request.target.slice(PREFIX.length).split('?', 2);
    switch (`${request.method} ${path}`) {
      case 'GET state':
        return json(200, await this.#state(new URLSearchParams(query).get('session')));
      case 'POST mishaps':
        await this.#control.injectFault(faultOf(readJson(mishapSchema, request)));
        return json(200, {});
      case 'DELETE mishaps':
        await this.#control.clearFaults();
        return json(200, {});
      case 'POST storm':
        return this.#startStorm(readJson(stormSchema, request));
      default:
        return refusal(404, 'NotFound', 'The control strip has no such path.');
    }
  }

  async close(): Promise<void> {
    this.#storm?.stop();
    await this.#storm?.ended;
  }

  #startStorm(wanted: StormRequest): LoopbackReply {
    if (this.#storm !== undefined && !this.#storm.progress().isOver) {
      return refusal(409, 'StormUnderWay', 'A storm is under way. Wait until it is over.');
    }
    const [control, apiUrl, random] = [this.#control, this.#apiUrl, this.#random];
    this.#storm = new Storm({ ...wanted, control, apiUrl, random });
    return json(202, {});
  }

  async #state(streamSessionId: string | null): Promise<ControlState> {
    const [counters, faults, sessions] = await Promise.all([
      this.#control.counters(),
      this.#control.faults(),
      this.#control.sessions(),
    ]);
    const session = sessions.find((candidate) => candidate.streamSessionId === streamSessionId);
    return {
      ...(session === undefined ? {} : { session: viewOf(session) }),
      windowMachineArn: this.#windowMachineArn,
      connections: counters[OPERATION],
      drops: dropsOf(sessions),
      pendingMishaps: faults.flatMap(({ kind, calls }) => (calls === undefined ? [] : [{ kind, calls }])),
      ...(this.#storm === undefined ? {} : { storm: this.#storm.progress() }),
    };
  }
}

function viewOf({
  status,
  statusReason,
  connectionTimeoutSeconds,
}: SessionRecord): NonNullable<ControlState['session']> {
  return {
    status,
    ...(statusReason === undefined ? {} : { statusReason }),
    connectionTimeoutSeconds,
  };
}

function faultOf({ kind, calls }: Mishap): NewFault {
  if (kind === 'slow') return { operation: OPERATION, kind: 'latency', latencyMs: SLOW_MS, calls };
  return { operation: OPERATION, kind, calls };
}

/**
 * Each lost client counts once: it came back, it did not and never will, or that is not known yet. A session that the API has ended is
 * one that its player has left, because this stack ends none by itself.
 */
export function dropsOf(sessions: readonly Pick<SessionRecord, 'history'>[]): ControlState['drops'] {
  const drops = { saved: 0, lost: 0, open: 0 };
  for (const { history } of sessions) {
    let isOpen = false;
    for (const { status, reason } of history) {
      if (status === 'PENDING_CLIENT_RECONNECTION') {
        isOpen = true;
      } else if (isOpen && status === 'CONNECTED') {
        drops.saved++;
        isOpen = false;
      } else if (isOpen && (status === 'TERMINATED' || status === 'ERROR')) {
        if (reason !== 'apiTerminated') drops.lost++;
        isOpen = false;
      }
    }
    if (isOpen) drops.open++;
  }
  return drops;
}

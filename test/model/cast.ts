/** Who acts on the service from outside: players with their tabs, feeds, operators. */
import { createHash } from 'node:crypto';
import { NO_CERTIFICATE, type SessionRecord, type Settings } from 'game-lift-streams-local';
import { z } from 'zod';
import type { ModelWorld } from './world.ts';

/** One offer of a tab, asked for until it is answered for good. */
export interface Ask {
  readonly session: number;
  readonly offer: string;
  readonly sha256: string;
  readonly clientToken: string | undefined;
  readonly startedAtMs: number;
  endedAtMs: number | undefined;
  readonly statuses: number[];
  answer: string | undefined;
}

/** What the model remembers of a session besides what the service knows. */
export interface Player {
  readonly record: SessionRecord;
  readonly asks: Ask[];
  /** When its client was lost, whether the service has noticed yet or not. */
  readonly lossesAtMs: number[];
  /** Whether the client that was lost last was back before the service had noticed. */
  isRecovered: boolean;
  /** Whether a feed has said that it dropped when it had not. */
  falselyReported: boolean;
  /** When a feed has published a report of a drop, and when the client was lost. */
  readonly reports: { readonly publishedAtMs: number; readonly lostAtMs: number }[];
  /** When a feed has published anything about it for the last time. */
  lastReportAtMs: number;
}

const replySchema = z.object({ SignalResponse: z.string() });
/** Lambda's repeats of an event that has failed: after one minute, and after two more. */
const ALL_RETRIES_MS = 200_000;
export const MAX_TRIES = 4;
export const WAITING = ['PENDING_CLIENT_RECONNECTION', 'RECONNECTING', 'ACTIVE'];

export class Cast {
  readonly world: ModelWorld;
  readonly players: Player[] = [];
  habits: Partial<Settings> = {};
  /** Whether anything has gone wrong but players and feeds. */
  isDisturbed = false;
  healedAtMs = 0;
  readonly #secrets = new Set<string>();

  constructor(world: ModelWorld) {
    this.world = world;
  }

  async begin(timeoutsSeconds: readonly number[], habits: Partial<Settings>): Promise<void> {
    this.habits = habits;
    await this.world.control.changeSettings(habits);
    for (const connectionTimeoutSeconds of timeoutsSeconds) {
      const record = await this.world.control.startSession({ connectionTimeoutSeconds });
      this.players.push({
        record,
        asks: [],
        lossesAtMs: [],
        isRecovered: false,
        falselyReported: false,
        reports: [],
        lastReportAtMs: 0,
      });
    }
    await this.world.clock.advance(1000);
  }

  player(index: number): Player {
    const player = this.players[index % this.players.length];
    if (player === undefined) throw new Error('There are no players.');
    return player;
  }

  truth(player: Player): Promise<SessionRecord> {
    return this.world.control.session(player.record.streamSessionId);
  }

  get secrets(): readonly string[] {
    return [...this.#secrets];
  }

  async drop(index: number): Promise<void> {
    const player = this.player(index);
    if (await this.#isLost(player)) return;
    const { status } = await this.truth(player);
    if (status !== 'CONNECTED') return;
    player.lossesAtMs.push(this.world.clock.nowMs());
    player.isRecovered = false;
    await this.world.control.clientDrops(player.record.streamSessionId).catch(refused);
  }

  /** A lost client is back before the service has noticed; nothing has happened, as far as the service knows. */
  async recover(index: number): Promise<void> {
    const player = this.player(index);
    const { status } = await this.truth(player);
    if (status !== 'CONNECTED' || !(await this.#isLost(player))) return;
    await this.world.control.clientRecovers(player.record.streamSessionId).catch(refused);
    player.isRecovered = true;
    // Whoever has reported this loss has reported what never came to be.
    if (player.reports.some(({ lostAtMs }) => lostAtMs === player.lossesAtMs.at(-1)))
      player.falselyReported = true;
  }

  /** Whether the client is lost and the service has not noticed yet. */
  async #isLost(player: Player): Promise<boolean> {
    const { status, history } = await this.truth(player);
    const lostAtMs = player.lossesAtMs.at(-1);
    const connectedAtMs = history.findLast((entry) => entry.status === 'CONNECTED')?.atMs ?? 0;
    return (
      status === 'CONNECTED' && lostAtMs !== undefined && lostAtMs >= connectedAtMs && !player.isRecovered
    );
  }

  /** A backend says that a player has dropped: now, or the drop that it knows of, more or less exactly. */
  async reportDrop(
    index: number,
    { skewMs, tellsTimeout, copies }: { skewMs: number; tellsTimeout: boolean; copies: number },
  ): Promise<void> {
    const player = this.player(index);
    const { status } = await this.truth(player);
    const lostAtMs = player.lossesAtMs.at(-1);
    const nowMs = this.world.clock.nowMs();
    const isTrue = lostAtMs !== undefined && (WAITING.includes(status) || (await this.#isLost(player)));
    if (isTrue) player.reports.push({ publishedAtMs: nowMs, lostAtMs });
    else player.falselyReported = true;
    const atMs = Math.min(nowMs, (lostAtMs ?? nowMs) + skewMs);
    const timeout = tellsTimeout ? { connectionTimeoutSeconds: player.record.connectionTimeoutSeconds } : {};
    for (let copy = 0; copy < copies; copy++) {
      await this.#publish(player, 'PENDING_CLIENT_RECONNECTION', atMs, timeout);
    }
  }

  /** A backend tells the status that the session had some time ago. */
  async reportStatus(index: number, agoEntries: number): Promise<void> {
    const player = this.player(index);
    const { history } = await this.truth(player);
    const entry = history.at(-1 - agoEntries) ?? history.at(-1);
    if (entry === undefined || entry.status === 'PENDING_CLIENT_RECONNECTION') return;
    await this.#publish(player, entry.status, entry.atMs, {});
  }

  /** A tab brings a new offer, or asks again with one that it has; the answer comes as time moves on. */
  ask(index: number, { again, ownToken }: { again: boolean; ownToken: boolean }): void {
    const player = this.player(index);
    const serial = this.#secrets.size + 1;
    const last = again ? player.asks.at(-1) : undefined;
    const offer = last?.offer ?? offerOf(serial);
    const clientToken =
      last === undefined ? (ownToken ? `token-${serial}`.padEnd(40, 'x') : undefined) : last.clientToken;
    const ask: Ask = {
      session: index,
      offer,
      sha256: createHash('sha256').update(offer).digest('hex'),
      clientToken,
      startedAtMs: this.world.clock.nowMs(),
      endedAtMs: undefined,
      statuses: [],
      answer: undefined,
    };
    this.#secrets.add(offer).add(`offer-pwd-${serial}`);
    if (clientToken !== undefined) this.#secrets.add(clientToken);
    player.asks.push(ask);
    this.#persist(player, ask).catch(() => {});
  }

  /** The player's client uses the latest answer that it has got. */
  async use(index: number): Promise<void> {
    const player = this.player(index);
    const answer = player.asks.findLast((ask) => ask.answer !== undefined)?.answer;
    if (answer === undefined) return;
    await this.world.control.clientConnects(player.record.streamSessionId, answer).catch(refused);
  }

  async end(index: number, how: 'exits' | 'fails' | 'isTerminated'): Promise<void> {
    const { record } = this.player(index);
    const { streamSessionId } = record;
    const { control } = this.world;
    if (how === 'isTerminated') {
      await this.world.terminate(record);
      return;
    }
    await (how === 'exits'
      ? control.applicationExits(streamSessionId)
      : control.sessionFails(streamSessionId)
    ).catch(refused);
  }

  async stopExecution(index: number): Promise<void> {
    const running = (await this.world.executions()).filter(({ status }) => status === 'RUNNING');
    const execution = running[index % Math.max(1, running.length)];
    if (execution === undefined) return;
    this.isDisturbed = true;
    await this.world.stopExecution(execution.executionArn);
  }

  /** Nothing goes wrong any more, and time goes on until nobody has anything left to do, or for so long. */
  async rest(longestMs: number): Promise<void> {
    const { world } = this;
    world.forgetPlans();
    await world.control.clearFaults();
    await world.disturb({ duplicateNext: 0, delayNext: { count: 0, delayMs: 0 } });
    this.healedAtMs = world.clock.nowMs();
    const endMs = this.healedAtMs + longestMs;
    do {
      await world.clock.advance(15_000);
      // Whatever was sent twice or late, or is tried again, comes in that time.
      if (await this.#isAtRest()) await world.clock.advance(this.isDisturbed ? ALL_RETRIES_MS : 30_000);
    } while (world.clock.nowMs() < endMs && !(await this.#isAtRest()));
  }

  async #isAtRest(): Promise<boolean> {
    const { world } = this;
    const truths = await Promise.all(this.players.map((player) => this.truth(player)));
    return (
      truths.every(({ status }) => !WAITING.includes(status) && status !== 'TERMINATING') &&
      world.windows().every(({ phase }) => phase === 'CLOSED' || phase === 'FAILED') &&
      (await world.executions()).every(({ status }) => status !== 'RUNNING') &&
      this.players.every(({ asks }) => asks.every(({ endedAtMs }) => endedAtMs !== undefined))
    );
  }

  /** As an SDK does: the same request, until it is answered or refused for good. */
  async #persist(player: Player, ask: Ask): Promise<void> {
    const body = {
      SignalRequest: ask.offer,
      ...(ask.clientToken === undefined ? {} : { ClientToken: ask.clientToken }),
    };
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const response = await this.world.connect(player.record, body);
      const { status } = response;
      const text = await response.text();
      ask.statuses.push(status);
      if (status === 200) {
        ask.answer = replySchema.parse(JSON.parse(text)).SignalResponse;
        this.#secrets.add(ask.answer);
      }
      if (status !== 429 && status < 500) break;
      await this.world.clock.sleep(2000 * tries);
    }
    ask.endedAtMs = this.world.clock.nowMs();
  }

  #publish(player: Player, status: string, atMs: number, more: object): Promise<void> {
    const { streamGroupId, streamSessionId } = player.record;
    player.lastReportAtMs = this.world.clock.nowMs();
    return this.world.emit({
      version: '1',
      streamGroupId,
      streamSessionId,
      status,
      statusChangedAt: new Date(atMs).toISOString(),
      ...more,
    });
  }
}

function offerOf(serial: number): string {
  const sdp = [
    'v=0',
    `o=- ${serial} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:ufrag${serial}`,
    `a=ice-pwd:offer-pwd-${serial}`,
    NO_CERTIFICATE,
    'a=mid:0',
    'a=sctp-port:5000',
  ];
  return JSON.stringify({ type: 'offer', sdp: `${sdp.join('\r\n')}\r\n` });
}

/** What cannot happen in the session's status does not happen. */
function refused(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'ControlCallError') throw error;
}

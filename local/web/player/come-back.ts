/**
 * How a client comes back to its session, as Amazon GameLift Streams and this service's API want it: a new offer on
 * a new connection each time, the same request again when told to wait, and an end when there is no way back.
 */

/** What the backend says to an offer. */
export type ConnectionReply =
  | { readonly kind: 'answer'; readonly signalResponse: string }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly name: string;
      readonly message: string;
      readonly retryAfterSeconds?: number | undefined;
    }
  /** No reply came: it may have been lost on its way. */
  | { readonly kind: 'unreachable' };

/** The part of the stream client that coming back needs. */
export interface ReconnectingClient {
  generateSignalRequest(): Promise<string>;
  /** @returns whether media flows within some seconds */
  connect(signalResponse: string): Promise<boolean>;
}

export type Step =
  | { readonly kind: 'offers'; readonly attempt: number }
  | { readonly kind: 'waits'; readonly name: string; readonly seconds: number }
  | { readonly kind: 'offerRefused'; readonly message: string }
  | { readonly kind: 'answered' }
  | { readonly kind: 'noMedia' };

export type ComeBackResult =
  | { readonly kind: 'back' }
  | { readonly kind: 'refused'; readonly name: string; readonly message: string }
  | { readonly kind: 'unreachable' };

export interface ComeBackDependencies {
  /** Closes the client before, and makes another one. */
  readonly newClient: () => ReconnectingClient;
  readonly ask: (signalRequest: string) => Promise<ConnectionReply>;
  /** @throws the signal's reason when the player has given up meanwhile */
  readonly wait: (milliseconds: number) => Promise<void>;
  readonly report: (step: Step) => void;
}

/** An offer that the service refuses may be a browser's bad day, three in a row are not. */
const MAX_REFUSED_OFFERS = 3;
/** Answers that lead nowhere: the second window (ConnectionTimeoutSeconds) would be gone with more. */
const MAX_WITHOUT_MEDIA = 3;
/** The session keeps its place in line meanwhile: the same request costs nothing. */
const UNREACHABLE_WAITS_MS = [500, 1_000, 2_000, 4_000, 8_000];

export async function comeBack(dependencies: ComeBackDependencies): Promise<ComeBackResult> {
  const { newClient, report } = dependencies;
  let refusedOffers = 0;
  let withoutMedia = 0;
  for (let attempt = 1; ; attempt++) {
    report({ kind: 'offers', attempt });
    const client = newClient();
    const reply = await askUntilAnswered(await client.generateSignalRequest(), dependencies);
    if (reply.kind === 'unreachable') return reply;
    if (reply.kind === 'answer') {
      report({ kind: 'answered' });
      if (await client.connect(reply.signalResponse)) return { kind: 'back' };
      report({ kind: 'noMedia' });
      if (++withoutMedia < MAX_WITHOUT_MEDIA) continue;
      return { kind: 'refused', name: 'NoMedia', message: 'The answers are good, but no media comes.' };
    }
    const { name, message } = reply;
    if (name !== 'ValidationException' || ++refusedOffers >= MAX_REFUSED_OFFERS) {
      return { kind: 'refused', name, message };
    }
    report({ kind: 'offerRefused', message });
  }
}

/** The same request again for as long as the reply says when. */
async function askUntilAnswered(
  signalRequest: string,
  { ask, wait, report }: ComeBackDependencies,
): Promise<ConnectionReply> {
  let unreachable = 0;
  while (true) {
    const reply = await ask(signalRequest);
    if (reply.kind === 'answer') return reply;
    if (reply.kind === 'unreachable') {
      const waitMs = UNREACHABLE_WAITS_MS[unreachable++];
      if (waitMs === undefined) return reply;
      report({ kind: 'waits', name: 'no reply', seconds: waitMs / 1000 });
      await wait(waitMs);
      continue;
    }
    if (reply.retryAfterSeconds === undefined) return reply;
    report({ kind: 'waits', name: reply.name, seconds: reply.retryAfterSeconds });
    await wait(reply.retryAfterSeconds * 1000);
  }
}

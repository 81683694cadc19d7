import * as z from 'zod';
import { deterministicClientToken } from '../shared/api/client-tokens.ts';
import { type PassThroughDependencies, passThrough } from '../shared/api/pass-through.ts';
import { InvalidRequestError, okReply } from '../shared/api/replies.ts';
import type { SessionKey } from '../shared/contracts/index.ts';
import { parseJson } from '../shared/runtime/text.ts';
import { createStreamSessionConnection } from '../shared/service/operations.ts';
import type { Answer } from './reply.ts';

/** No more than the call needs: our own rules for offers may be what has to be got out of the way. */
const bodySchema = z.object({ SignalRequest: z.string().min(1), ClientToken: z.string().min(1).nullish() });

/**
 * The offer goes to the service as it came, once. The token of a caller who gave none is the usual one, so that a
 * repeat is the same request, whatever the switch's state was at the first.
 *
 * Why: docs/decisions/off-switch.md#a-call-that-passes-through-has-only-our-clienttoken-and-our-check-of-the-user
 *
 * @throws InvalidRequestError when there is no offer to hand on.
 */
export async function passConnectionThrough(
  session: SessionKey,
  text: string,
  dependencies: PassThroughDependencies,
): Promise<Answer> {
  const body = bodySchema.safeParse(parseJson(text));
  if (!body.success) {
    throw new InvalidRequestError('The body must be a JSON object with the member SignalRequest.');
  }
  const { SignalRequest: signalRequest, ClientToken: clientToken } = body.data;
  const offer = {
    signalRequest,
    clientToken: clientToken ?? deterministicClientToken(session, signalRequest),
  };
  const connection = await passThrough(createStreamSessionConnection(session, offer), dependencies);
  if (!connection.ok) return { result: connection.error, reply: connection.reply };
  dependencies.metrics.add('ConnectionsCreated', 1);
  const { SignalResponse } = connection.reply;
  return { result: 'CONNECTION_CREATED', reply: okReply({ SignalResponse }) };
}

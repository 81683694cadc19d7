import { HANG_UP, type LoopbackReply, type LoopbackRequest, startLoopbackServer } from 'local-server-kit';

/** What becomes of a reply on its way back: another reply, or none. */
export type Mishap = (
  reply: Required<Pick<LoopbackReply, 'status'>> & { readonly body: string },
) => LoopbackReply | typeof HANG_UP;

/** The call is carried out, and nobody hears of it. */
export const lost: Mishap = () => HANG_UP;
/** The reply ends in the middle. */
export const cutOff: Mishap = ({ status, body }) => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: body.slice(0, Math.floor(body.length * 0.7)),
});
/** The call is carried out, and answered with an error that quotes the reply. */
export const quotedInError =
  (status: number, type: string): Mishap =>
  ({ body }) => ({
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': type },
    body: JSON.stringify({ Message: `It went wrong after ${body}`, message: body }),
  });

/**
 * Stands before a local server and spoils replies. `watch` sees every reply as it came.
 */
export async function startMishapProxy(watch: (request: LoopbackRequest, body: string) => void = () => {}) {
  let target = '';
  const planned: { matches: (request: LoopbackRequest) => boolean; mishap: Mishap }[] = [];
  const server = await startLoopbackServer({
    port: 0,
    maxBodyBytes: 1_000_000,
    handle: async (request) => {
      const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers;
      const response = await fetch(`${target}${request.target}`, {
        method: request.method,
        headers: new Headers(
          Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
        ),
        ...(request.body.length > 0 ? { body: request.body.toString('utf8') } : {}),
      });
      const body = await response.text();
      watch(request, body);
      const index = planned.findIndex(({ matches }) => matches(request));
      const [plan] = index < 0 ? [] : planned.splice(index, 1);
      if (plan !== undefined) return plan.mishap({ status: response.status, body });
      const {
        'content-length': ____,
        'transfer-encoding': _____,
        ...replyHeaders
      } = Object.fromEntries(response.headers);
      return { status: response.status, headers: replyHeaders, body };
    },
  });
  return {
    url: server.url,
    close: () => server.close(),
    /** @returns where to send what is meant for `url`. */
    before(url: string): string {
      target = url;
      return server.url;
    },
    /** The next replies to such requests meet the mishap. */
    plan(mishap: Mishap, matches: (request: LoopbackRequest) => boolean, times = 1): void {
      for (let time = 0; time < times; time++) planned.push({ matches, mishap });
    },
    forgetPlans(): void {
      planned.length = 0;
    },
  };
}

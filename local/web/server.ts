import {
  type LoopbackReply,
  type LoopbackRequest,
  type LoopbackServer,
  startLoopbackServer,
} from 'local-server-kit';
import type { Endpoints } from '../stack.ts';
import type { PlayerBackend } from './backend/backend.ts';
import { type Asset, buildAssets } from './build.ts';
import { PAGES, pageHtml } from './pages.ts';
import { passOn } from './proxy.ts';

/** An offer of 64 KiB, every character of it escaped, is the largest thing that a page sends. */
const MAX_BODY_BYTES = 512 * 1024;

/**
 * Nothing but this server may be loaded or called, and no other page may show these. What React sets as an
 * element's style goes through the DOM, which `style-src` does not concern.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const COMMON_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

export interface WebServerOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly endpoints: Endpoints;
  /** What the player page calls; without one the page is there and cannot do anything. */
  readonly playerBackend?: Pick<PlayerBackend, 'answer'>;
}

/**
 * The web pages of the local stack, on 127.0.0.1: the console at `/` and the player at `/player`. The pages are
 * bundled when the first of them is asked for, in memory.
 *
 * @throws the system's error (EADDRINUSE, …) when the port cannot be had.
 */
export async function startWebServer({
  port,
  endpoints,
  playerBackend,
}: WebServerOptions): Promise<LoopbackServer> {
  let assets: Promise<ReadonlyMap<string, Asset>> | undefined;
  return startLoopbackServer({
    port,
    maxBodyBytes: MAX_BODY_BYTES,
    handle: async (request) => {
      const reply = await answer(request, endpoints, playerBackend, () => {
        assets ??= buildAssets();
        return assets;
      });
      return { ...reply, headers: { ...COMMON_HEADERS, ...reply.headers } };
    },
  });
}

async function answer(
  request: LoopbackRequest,
  endpoints: Endpoints,
  playerBackend: WebServerOptions['playerBackend'],
  assets: () => Promise<ReadonlyMap<string, Asset>>,
): Promise<LoopbackReply> {
  const path = request.target.split('?', 1)[0] ?? '';
  const called = (await passOn(request, endpoints)) ?? (await playerBackend?.answer(request));
  if (called !== undefined) return called;
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'Only GET is possible here.');
  const page = PAGES.find((candidate) => candidate.path === path);
  if (page !== undefined) {
    return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: pageHtml(page) };
  }
  const asset = path.startsWith('/assets/') ? (await assets()).get(path.slice('/assets/'.length)) : undefined;
  if (asset === undefined)
    return text(404, 'There is no such page. The console is at /, the player at /player.');
  return { status: 200, headers: { 'content-type': asset.contentType }, body: asset.body };
}

function text(status: number, body: string): LoopbackReply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

import { UsageError } from '../command-line.ts';

/** Where `npm start` has the API, unless it was told another port. */
export const LOCAL_ENDPOINT = 'http://127.0.0.1:4704';
const LOCAL_REGION = 'us-west-2';

export interface Endpoint {
  readonly url: string;
  /** On this machine: no AWS credentials are needed there. */
  readonly isLocal: boolean;
  /** Undefined when the URL does not tell. */
  readonly region: string | undefined;
}

/** @throws UsageError for what is no URL, and for one that would carry credentials unencrypted. */
export function parseEndpoint(text: string = LOCAL_ENDPOINT): Endpoint {
  const url = URL.parse(text);
  if (url === null) throw new UsageError('--endpoint takes a URL.');
  const isLocal = /^(127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname);
  const isEncrypted = url.protocol === 'https:';
  if (!isEncrypted && !(isLocal && url.protocol === 'http:')) {
    throw new UsageError('--endpoint takes an https: URL; http: is for this machine only.');
  }
  const region = /\.execute-api\.([a-z0-9-]+)\./.exec(url.hostname)?.[1];
  return {
    url: withoutSlashes(text),
    isLocal,
    region: region ?? (isLocal ? LOCAL_REGION : undefined),
  };
}

/** The paths of the service begin with one. */
function withoutSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === '/') end--;
  return text.slice(0, end);
}

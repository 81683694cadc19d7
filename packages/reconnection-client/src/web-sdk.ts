import type { ClientEvent, StreamClient } from './reconnector.ts';

/** The part of the GameLift Streams Web SDK's `GameLiftStreams` that is used. */
export interface WebSdkStream {
  generateSignalRequest(): Promise<string>;
  processSignalResponse(signalResponse: string): Promise<void>;
  attachInput(): void;
  close(): void;
}

/** The callbacks that the Web SDK takes as `clientConnection`, as far as they are used. */
export interface WebSdkConnection {
  connectionState(state: string): void;
  channelError(error: unknown): void;
  serverDisconnect(reason: string): void;
}

/**
 * Makes a client of the reconnector from the GameLift Streams Web SDK. A bound object of the SDK makes no second offer, so
 * each client is an object of its own.
 *
 * @param create makes the SDK's object with these callbacks. Enable the microphone in `beforeOffer`: the SDK wants it
 *   before the offer.
 *
 * @example
 * const newClient = () =>
 *   webSdkClient((clientConnection) => new gameliftstreams.GameLiftStreams({ videoElement, clientConnection }));
 */
export function webSdkClient<Stream extends WebSdkStream>(
  create: (clientConnection: WebSdkConnection) => Stream,
  beforeOffer: (stream: Stream) => Promise<unknown> = async () => {},
): StreamClient & { readonly stream: Stream } {
  let listener: ((event: ClientEvent) => void) | undefined;
  let last: ClientEvent | undefined;
  let isClosed = false;
  const tell = (event: ClientEvent) => {
    if (isClosed) return;
    last = event;
    listener?.(event);
  };
  const stream = create({
    connectionState: (state) => tell({ type: 'state', state }),
    channelError: () => tell({ type: 'error' }),
    serverDisconnect: (reason) => tell({ type: 'serverDisconnect', reason }),
  });
  return {
    stream,
    async generateSignalRequest() {
      await beforeOffer(stream);
      return stream.generateSignalRequest();
    },
    async processSignalResponse(signalResponse) {
      await stream.processSignalResponse(signalResponse);
      // Only valid after the connection is established, and before close().
      if (!isClosed) stream.attachInput();
    },
    close() {
      isClosed = true;
      // A listener that comes later, such as a component that React mounts twice, must not wait for it.
      last = { type: 'state', state: 'closed' };
      stream.close();
    },
    listen(next) {
      listener = next;
      if (last !== undefined) next(last);
    },
  };
}

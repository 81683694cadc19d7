import { type ClientEvent, type WebSdkConnection, webSdkClient } from 'reconnection-client';
import { describe, expect, it } from 'vitest';

/** The Web SDK's object as its declarations have it: attachInput only between the connection and close(). */
class FakeStream {
  readonly connection: WebSdkConnection;
  readonly calls: string[] = [];
  connect = Promise.resolve();

  constructor(connection: WebSdkConnection) {
    this.connection = connection;
  }

  async generateSignalRequest(): Promise<string> {
    this.calls.push('generateSignalRequest');
    return 'offer';
  }

  async processSignalResponse(): Promise<void> {
    this.calls.push('processSignalResponse');
    await this.connect;
  }

  attachInput(): void {
    this.calls.push('attachInput');
  }

  close(): void {
    this.calls.push('close');
    this.connection.connectionState('closed');
  }
}

function client() {
  const made = webSdkClient(
    (connection) => new FakeStream(connection),
    async (stream) => stream.calls.push('enableMicrophone'),
  );
  const heard: ClientEvent[] = [];
  made.listen((event) => heard.push(event));
  return { made, heard, stream: made.stream };
}

describe('a client of the Web SDK', () => {
  it('enables the microphone before the offer, and attaches the input after the connection', async () => {
    const { made, stream } = client();

    await made.generateSignalRequest();
    await made.processSignalResponse('answer');

    expect(stream.calls).toEqual([
      'enableMicrophone',
      'generateSignalRequest',
      'processSignalResponse',
      'attachInput',
    ]);
  });

  it('attaches no input to a stream that was closed meanwhile', async () => {
    const { made, stream } = client();
    const { promise, resolve } = Promise.withResolvers<void>();
    stream.connect = promise;

    const connected = made.processSignalResponse('answer');
    made.close();
    resolve();
    await connected;

    expect(stream.calls).toEqual(['processSignalResponse', 'close']);
  });

  it('tells states, channel errors and the end by the server, until it is closed', () => {
    const { made, heard, stream } = client();

    stream.connection.connectionState('connected');
    stream.connection.channelError(new Error('A channel failed'));
    stream.connection.serverDisconnect('idle');
    made.close();
    stream.connection.connectionState('failed');

    expect(heard).toEqual([
      { type: 'state', state: 'connected' },
      { type: 'error' },
      { type: 'serverDisconnect', reason: 'idle' },
    ]);
  });

  it('tells a later listener where it stands', () => {
    const { made, stream } = client();
    const heard: ClientEvent[] = [];
    stream.connection.connectionState('connected');
    made.listen((event) => heard.push(event));
    made.close();
    made.listen((event) => heard.push(event));

    expect(heard).toEqual([
      { type: 'state', state: 'connected' },
      { type: 'state', state: 'closed' },
    ]);
  });
});

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../cli/run-command.ts';
import { connectionRequestBody, connectionRequestEvent } from './api-request-samples.ts';
import { captureBrowserOffer } from './browser-offer.ts';
import { chromiumPath } from './chromium.ts';

const usage = `Usage: npm run capture-offer

Makes the API request samples of events/samples/ anew, around an offer that this machine's Chromium makes, and notes the
browser's version in the README beside them. CHROMIUM_PATH names the browser; /usr/bin/chromium by default.
`;

const SAMPLES_FOLDER = join(import.meta.dirname, '..', 'events', 'samples');
const CAPTURED_WITH = /(?<=<!-- captured-with -->).*(?=<!-- \/captured-with -->)/;

async function captureOffer(): Promise<void> {
  const { signalRequest, browserVersion } = await captureBrowserOffer(chromiumPath(process.env));
  const body = connectionRequestBody(signalRequest);
  await writeJson('create-stream-session-connection.request.json', body);
  await writeJson('create-stream-session-connection.api-gateway-event.json', connectionRequestEvent(body));

  const readme = join(SAMPLES_FOLDER, 'README.md');
  const text = await readFile(readme, 'utf8');
  if (!CAPTURED_WITH.test(text)) throw new Error(`${readme} has no place for the browser's version`);
  await writeFile(readme, text.replace(CAPTURED_WITH, `Chromium ${browserVersion}`));
  console.log(`Chromium ${browserVersion}: an offer of ${Buffer.byteLength(signalRequest)} bytes`);
}

function writeJson(fileName: string, value: unknown): Promise<void> {
  return writeFile(join(SAMPLES_FOLDER, fileName), `${JSON.stringify(value, null, 2)}\n`);
}

await runCommand({ usage, options: {}, run: captureOffer });

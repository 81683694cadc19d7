/**
 * Sends one offer to the API and prints the answer, to try a deployment from a terminal. A backend uses `reconnection-client/backend`
 * itself. Credentials and Region are found as every SDK finds them.
 *
 *   node clients/javascript/reconnection-client.ts <API> <stream group> <stream session> <file with the offer> [user id]
 */
import { readFile } from 'node:fs/promises';
import { createReconnectionClient } from 'reconnection-client/backend';

const [endpoint, streamGroup, streamSession, offerFile, userId] = process.argv.slice(2);
if (
  endpoint === undefined ||
  streamGroup === undefined ||
  streamSession === undefined ||
  offerFile === undefined
) {
  throw new Error(
    'Usage: reconnection-client.ts <API> <stream group> <stream session> <file with the offer> [user id]',
  );
}
// Node drops a byte order mark, which PowerShell writes, only where it is asked to.
const offer = (await readFile(offerFile, 'utf8')).replace(/^\uFEFF/, '').trim();
const client = createReconnectionClient({ endpoint, maxAttempts: 3 });
console.log(await client.reconnect({ streamGroup, streamSession, userId }, offer));
client.destroy();

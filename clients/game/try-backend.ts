import { createGameBackend } from './backend.ts';

/** Tries the backend with `npm start`, which prints its session: `node try-backend.ts <session>`. */
const [streamSession = ''] = process.argv.slice(2);
const sessionOf = async () => ({ streamGroup: 'sg-local0001', streamSession });
createGameBackend('http://127.0.0.1:4704', 'us-west-2', sessionOf).listen(8080, '127.0.0.1');

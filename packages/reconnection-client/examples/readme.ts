import { createReconnector } from 'reconnection-client';
import { simulate } from 'reconnection-client/simulate';

const reconnector = createReconnector(simulate('loss-not-noticed', { lossAfterSeconds: 0.1 }));

reconnector.on('waiting', ({ reason }) => console.log(`Waiting: ${reason}`));
reconnector.on('change', ({ name }) => console.log(name));
reconnector.on('back', () => reconnector.stop());

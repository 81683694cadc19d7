import { LOCAL_ENDPOINT } from '../../cli/admin-shell/endpoint.ts';
import { resolveEnvironment } from '../service/read-service.ts';
import type { Stack } from '../stack.ts';

const SAMPLE_BODY = 'events/samples/create-stream-session-connection.request.json';

export function whatRunsWhere({ endpoints, service }: Stack, webUrl: string): string {
  const machines = service.stateMachines.map(({ name }) => name).join(', ');
  const rows = [
    ['Console', webUrl, 'in a browser: what every execution does'],
    ['Player', `${webUrl}/player`, 'in a browser: a player who drops and comes back'],
    ['The API', endpoints.api, 'POST …/connections, …/leaving, …/access, GET …/window, DELETE …'],
    ['Step Functions', endpoints.stepFunctions, machines],
    ['EventBridge', endpoints.eventBus, `bus ${service.buses[0]?.name ?? ''}`],
    ['DynamoDB', endpoints.dynamoDb, `table ${service.tables[0]?.name ?? ''}`],
    ['  rejected events', `${endpoints.eventBus}/_local/queues/${service.queues[0]?.name ?? ''}`, ''],
    ['GameLift Streams', endpoints.gameLiftStreams, 'a stand-in; /_control/ steers it'],
  ];
  return `\n${rows.map(([part = '', url = '', what = '']) => `  ${part.padEnd(17)} ${url}   ${what}`).join('\n')}\n`;
}

/** Commands to paste, with a session that is there. */
export function whatToTry({ endpoints, service }: Stack, streamSessionId: string): string {
  const { EVENT_BUS_NAME, EVENT_SOURCE } = resolveEnvironment(service, 'onStatusChange');
  const api = `${endpoints.api}/streamgroups/sg-local0001/streamsessions/${streamSessionId}`;
  const table = service.tables[0]?.name ?? '';
  const windowMachineArn = service.stateMachines.find(({ type }) => type === 'STANDARD')?.arn ?? '';
  const json = "-H 'content-type: application/json'";
  const happening = (kind: string) =>
    `curl -s ${json} ${endpoints.gameLiftStreams}/_control/happenings -d '{"kind":"${kind}","streamSessionIds":["${streamSessionId}"]}'`;
  // The sample's ClientToken, sent for a second loss, would be the first loss's request again: its answer connects no client.
  const newRequest = `sed "s/ClientToken.: ./&$(date +%s)-/" ${SAMPLE_BODY}`;
  const event = {
    EventBusName: EVENT_BUS_NAME,
    Source: EVENT_SOURCE,
    DetailType: 'Stream Session Status Change',
    Detail: JSON.stringify({
      version: '1',
      streamGroupId: 'sg-local0001',
      streamSessionId,
      status: 'PENDING_CLIENT_RECONNECTION',
      statusChangedAt: 'NOW',
    }),
  };
  const body = JSON.stringify({ Entries: [event] }).replace('NOW', `'"$(date -u +%FT%TZ)"'`);
  return `
A player is connected to session ${streamSessionId}. In another terminal:

1. The player's connection is lost:
   ${happening('clientDrops')}
2. The game's backend reports it, which opens the reconnection window (120 s). Or wait: the watcher looks every 5 s.
   curl -s ${endpoints.eventBus} -H 'content-type: application/x-amz-json-1.1' -H 'x-amz-target: AWSEvents.PutEvents' -d '${body}'
3. How long is left?
   curl -s ${api}/window
4. The player is back with a new offer, and the backend asks for the answer to it:
   ${newRequest} | curl -s ${json} ${api}/connections -d @-
5. The player's client uses the answer:
   ${happening('clientConnects')}
6. How did it end?
   curl -s ${api}/window

An operator wants a terminal on the live session (the stand-in's credentials open none):
   npm run admin-shell -- sg-local0001 ${streamSessionId}${endpoints.api === LOCAL_ENDPOINT ? '' : ` --endpoint ${endpoints.api}`}
Which windows are open, and what happened to the player?
   npm run windows -- list --table ${table} --endpoint ${endpoints.dynamoDb}
   npm run windows -- show ${streamSessionId} --table ${table} --endpoint ${endpoints.dynamoDb} \\
     --state-machine ${windowMachineArn} --step-functions-endpoint ${endpoints.stepFunctions}
An operator ends the session:
   npm run windows -- end sg-local0001/${streamSessionId} --api ${endpoints.api} --bus ${EVENT_BUS_NAME ?? ''} --events-endpoint ${endpoints.eventBus}
Something is wrong with the service, and calls should go straight to GameLift Streams (on, passThrough, refuse):
   npm run switch -- passThrough --table ${table} --endpoint ${endpoints.dynamoDb}
`;
}

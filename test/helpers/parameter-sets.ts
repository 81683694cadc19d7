import type { PackageOptions } from './packaged-service.ts';

const KEY = 'arn:aws:kms:us-west-2:111122223333:key/11111111-2222-3333-4444-555555555555';
const TOPIC = 'arn:aws:sns:us-west-2:111122223333:alarms';
const BOUNDARY = 'arn:aws:iam::111122223333:policy/boundary';

/** Ways in which teams deploy: between them, every parameter that changes what the template has. */
export const PARAMETER_SETS = {
  /** The whole service, which most tests look at. */
  defaults: { params: { watchInvocations: 'true' } },
  unwatched: {
    params: { streamGroups: 'tag:reconnect=yes', watchedStreamGroups: 'none', watchInvocations: 'true' },
  },
  confined: { params: { streamGroups: 'sg-1AB2C3De4,sg-5FG6H7Ij8', watchedStreamGroups: 'sg-1AB2C3De4' } },
  encrypted: { params: { kmsKeyArn: KEY, watchedStreamGroups: 'sg-1AB2C3De4' } },
  foreignBus: { params: { eventBus: 'game-events' } },
  paged: {
    params: {
      pageTopicArn: TOPIC,
      ticketTopicArn: `${TOPIC}-tickets`,
      runbookUrl: 'https://example.com/runbook.md',
      adminShellPrincipals: 'arn:aws:iam::111122223333:role/operator',
    },
  },
  bounded: {
    params: {
      permissionsBoundaryArn: BOUNDARY,
      rolePath: '/games/reconnection/',
      tags: 'team=live operations,cost-centre=17',
      deploymentBucket: 'team-deployments',
      deploymentRoleArn: 'arn:aws:iam::111122223333:role/deployment',
      manageApiGatewayAccount: 'false',
    },
  },
  adopted: { params: { tableName: 'table-of-last-year', adoptAdminShellLog: 'true' } },
  unmonitored: { params: { monitoring: 'none', tableDeletionPolicy: 'Delete' } },
  alarmsOnly: { params: { monitoring: 'alarms', deletionProtection: 'true' } },
  elsewhere: { stage: 'prod', region: 'eu-central-1', params: { openingReservedConcurrency: '50' } },
  /** By a stage's file, with all at once. */
  everything: {
    stage: 'prod',
    stageFile: [
      'region: ap-northeast-1',
      'watchedStreamGroups: [sg-1AB2C3De4]',
      'streamGroups: [sg-1AB2C3De4, sg-5FG6H7Ij8]',
      `kmsKeyArn: ${KEY.replace('us-west-2', 'ap-northeast-1')}`,
      `pageTopicArn: ${TOPIC.replace('us-west-2', 'ap-northeast-1')}`,
      'eventBus: game-events',
      'eventSource: game.sessions',
      'adminShellPrincipals: ["arn:aws:iam::111122223333:role/operator"]',
      `permissionsBoundaryArn: ${BOUNDARY}`,
      'rolePath: /games/',
      'tags: { team: live operations, cost-centre: 17 }',
      'deletionProtection: true',
      'openingReservedConcurrency: 50',
    ].join('\n'),
  },
} satisfies Readonly<Record<string, PackageOptions>>;

export type ParameterSet = keyof typeof PARAMETER_SETS;

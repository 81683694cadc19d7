import { describe, expect, it, vi } from 'vitest';
import { readSettings } from '../../../functions/shared/runtime/settings.ts';

const ENVIRONMENT = {
  AWS_REGION: 'us-west-2',
  TABLE_NAME: 'table',
  EVENT_BUS_NAME: 'bus',
  EVENT_SOURCE: 'stream-session-reconnection',
  RECONNECTION_WINDOW_ARN: 'arn:window',
  CREATE_CONNECTION_ARN: 'arn:connection',
  DEFAULT_CONNECTION_TIMEOUT_SECONDS: '120',
  WINDOW_MARGIN_SECONDS: '0',
  OUTCOME_RETENTION_DAYS: '30',
  TERMINATE_ABANDONED_SESSIONS: 'false',
  CONNECTIONS_PER_SECOND: '20',
  READS_PER_SECOND: ' 20 ',
  TERMINATIONS_PER_SECOND: '20',
  LISTS_PER_SECOND: '20',
  WATCH_INTERVAL_SECONDS: '5',
};
type Name = keyof typeof ENVIRONMENT;
const NAMES = Object.keys(ENVIRONMENT).filter((name): name is Name => Object.hasOwn(ENVIRONMENT, name));

const problemsOf = (names: readonly Name[], environment: Record<string, string | undefined>): string => {
  try {
    readSettings(names, environment);
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error('The settings were read.');
};

describe('settings', () => {
  it('are read as what they are: text, numbers, and a switch', () => {
    expect(readSettings(NAMES, ENVIRONMENT)).toEqual({
      ...ENVIRONMENT,
      DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
      WINDOW_MARGIN_SECONDS: 0,
      OUTCOME_RETENTION_DAYS: 30,
      TERMINATE_ABANDONED_SESSIONS: false,
      CONNECTIONS_PER_SECOND: 20,
      READS_PER_SECOND: 20,
      TERMINATIONS_PER_SECOND: 20,
      LISTS_PER_SECOND: 20,
      WATCH_INTERVAL_SECONDS: 5,
    });
    expect(readSettings(['TERMINATE_ABANDONED_SESSIONS'], { TERMINATE_ABANDONED_SESSIONS: 'true' })).toEqual({
      TERMINATE_ABANDONED_SESSIONS: true,
    });
  });

  it('are only those that a function asks for: it needs no others', () => {
    expect(readSettings(['TABLE_NAME'], { TABLE_NAME: 'table', READS_PER_SECOND: 'many' })).toEqual({
      TABLE_NAME: 'table',
    });
  });

  it.each(NAMES)('are named when they are missing or blank: %s', (name) => {
    for (const value of [undefined, '', ' ']) {
      const problems = problemsOf(NAMES, { ...ENVIRONMENT, [name]: value });
      expect(problems).toMatch(new RegExp(`^Environment variables to set or mend: ${name}: [^;]+$`));
    }
  });

  it.each<[Name, readonly string[]]>([
    ['EVENT_SOURCE', ['aws.gameliftstreams', 'AWS.x', ' aws.']],
    ['DEFAULT_CONNECTION_TIMEOUT_SECONDS', ['0', '3601', '1.5', 'two minutes', 'Infinity', 'NaN']],
    ['WINDOW_MARGIN_SECONDS', ['-1', '61']],
    ['OUTCOME_RETENTION_DAYS', ['0', '3651']],
    ['TERMINATE_ABANDONED_SESSIONS', ['TRUE', 'yes', '1', ' true']],
    ['CONNECTIONS_PER_SECOND', ['0', '-20', '100001']],
    ['READS_PER_SECOND', ['0', '20/s']],
    ['TERMINATIONS_PER_SECOND', ['0', '20,5']],
  ])('are named when they are wrong: %s', (name, values) => {
    for (const value of values) {
      expect(problemsOf([name], { [name]: value })).toMatch(
        new RegExp(`^Environment variables to set or mend: ${name}: `),
      );
    }
  });

  it.each<[Name, string, string]>([
    ['EVENT_SOURCE', 'aws.x', 'must not begin with "aws."'],
    ['WINDOW_MARGIN_SECONDS', 'a minute', 'must be a whole number from 0 to 60'],
    ['WINDOW_MARGIN_SECONDS', '1.5', 'must be a whole number from 0 to 60'],
    ['WINDOW_MARGIN_SECONDS', '-1', 'must be a whole number from 0 to 60'],
    ['WINDOW_MARGIN_SECONDS', '61', 'must be a whole number from 0 to 60'],
  ])('say what they must be: %s %j', (name, value, problem) => {
    expect(problemsOf([name], { [name]: value })).toBe(
      `Environment variables to set or mend: ${name}: ${problem}`,
    );
  });

  it.each([
    ['', []],
    [' , ', []],
    ['sg-1', ['sg-1']],
    [' sg-1 ,sg-2,,sg-1', ['sg-1', 'sg-2']],
  ])('have each watched stream group once: %j', (text, groups) => {
    expect(readSettings(['WATCHED_STREAM_GROUPS'], { WATCHED_STREAM_GROUPS: text })).toEqual({
      WATCHED_STREAM_GROUPS: groups,
    });
  });

  it.each([
    ['all', 'all'],
    [' All ', 'all'],
    ['tag:reconnect=yes', { key: 'reconnect', value: 'yes' }],
    ['tag:team:name/é =a=b ', { key: 'team:name/é ', value: 'a=b' }],
  ])('have stream groups that are not named: %j', (text, selection) => {
    expect(readSettings(['WATCHED_STREAM_GROUPS'], { WATCHED_STREAM_GROUPS: text })).toEqual({
      WATCHED_STREAM_GROUPS: selection,
    });
  });

  const CHOICE = 'must be all, tag:<key>=<value>, or short ids such as sg-1AB2C3De4, separated by commas';
  it.each([
    ['sg-1;sg-2', CHOICE],
    ['sg_1,sg-2', CHOICE],
    ['all,sg-1', CHOICE],
    ['none', CHOICE],
    [
      'sg-1,arn:aws:gameliftstreams:us-west-2:111122223333:streamgroup/sg-2',
      "an ARN is none of them, because only stream groups of the deployment's own account and Region can be used",
    ],
    ['tag:reconnect', 'must have one tag, with a key and a value: tag:<key>=<value>'],
    ['tag:reconnect=', 'must have one tag, with a key and a value'],
    ['tag:=yes', 'must have one tag, with a key and a value'],
    ['tag:a=b,tag:c=d', 'must have one tag, with a key and a value'],
    ['tag:a=*', 'must have one tag, with a key and a value'],
    [`tag:${'k'.repeat(129)}=v`, 'must have one tag, with a key and a value'],
  ])('have no other choice of stream groups: %j', (text, problem) => {
    expect(() => readSettings(['WATCHED_STREAM_GROUPS'], { WATCHED_STREAM_GROUPS: text })).toThrow(problem);
  });

  it('may begin like a reserved source without being one', () => {
    expect(readSettings(['EVENT_SOURCE'], { EVENT_SOURCE: 'awsome.game' })).toEqual({
      EVENT_SOURCE: 'awsome.game',
    });
  });

  it('are all named at once, so that a deployment is mended once', () => {
    const problems = problemsOf(NAMES, {
      ...ENVIRONMENT,
      TABLE_NAME: undefined,
      READS_PER_SECOND: '0',
      EVENT_SOURCE: 'aws.x',
    });

    for (const name of ['TABLE_NAME', 'READS_PER_SECOND', 'EVENT_SOURCE']) expect(problems).toContain(name);
    expect(problems.split('; ')).toHaveLength(3);
  });

  it('come from the environment of the process', () => {
    vi.stubEnv('TABLE_NAME', 'table-of-the-process');

    expect(readSettings(['TABLE_NAME'])).toEqual({ TABLE_NAME: 'table-of-the-process' });
  });
});

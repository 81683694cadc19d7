import { describe, expect, it } from 'vitest';
import { hrefOf, parseRoute, type Route } from '../../web/console/route.ts';
import { countdown, duration } from '../../web/shared/format.ts';

describe('a duration', () => {
  it.each([
    [-5, '0 ms'],
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [59_949, '59.9 s'],
    [59_950, '1 min 00 s'],
    [65_400, '1 min 05 s'],
    [3_599_400, '59 min 59 s'],
    [3_600_000, '1 h 00 min'],
    [90_000_000, '25 h 00 min'],
  ])('of %i ms is %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe('the time left', () => {
  it.each([
    [-1, '0:00.0'],
    [49, '0:00.0'],
    [9990, '0:09.9'],
    [10_000, '0:10'],
    [65_999, '1:05'],
    [3_599_999, '59:59'],
    [3_600_000, '1:00:00'],
    [3_725_000, '1:02:05'],
  ])('of %i ms is never shown as more: %s', (ms, text) => {
    expect(countdown(ms)).toBe(text);
  });
});

describe('a route', () => {
  it.each<Route>([
    { page: 'executions', machineName: undefined, search: '' },
    { page: 'executions', machineName: 'a machine/100%', search: 'ABC & ?' },
    { page: 'execution', executionArn: 'arn:aws:states:us-west-2:1:execution:m:s-1' },
  ])('comes back from the address that it makes: %o', (route) => {
    expect(parseRoute(hrefOf(route))).toEqual(route);
  });

  it.each(['', '#', '#/nonsense', '#/executions/', '#content'])('of %j is the list', (fragment) => {
    expect(parseRoute(fragment)).toEqual({ page: 'executions', machineName: undefined, search: '' });
  });

  it('takes what is no encoding as it is', () => {
    expect(parseRoute('#/executions/%E0%A4%A')).toEqual({ page: 'execution', executionArn: '%E0%A4%A' });
  });
});

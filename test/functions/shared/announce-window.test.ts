import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { VirtualClock } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import { announcementOf, createAnnouncer } from '../../../functions/shared/window/announce-window.ts';
import { windowItemSchema } from '../../../functions/shared/window/window-item.ts';
import { newSession } from '../../helpers/sessions.ts';
import { BUS_SETTINGS } from '../../helpers/windows.ts';

const ARN = 'arn:aws:states:us-west-2:111122223333:execution:reconnection-window:ABC123def4567-1';

const window = windowItemSchema.parse({
  generation: 2,
  phase: 'AWAITING_RECONNECTION',
  executionInput: '{}',
  running: true,
  disconnectedAtMs: 0,
  deadlineMs: 120_000,
  connectionTimeoutSeconds: 120,
  seq: 3,
  waitOrder: 4000,
  connectionCreatedAtMs: 0,
  connectionAttempts: 0,
});

describe('an announcement', () => {
  it('of a later state of the same window has a higher sequence', () => {
    const sequenceOf = (change: Partial<typeof window>) =>
      announcementOf(newSession(), { ...window, ...change }, ARN).sequence;

    expect(sequenceOf({ seq: 0, waitOrder: undefined })).toBe(1);
    expect(sequenceOf({ seq: 4 })).toBeGreaterThan(sequenceOf({}));
    expect(sequenceOf({ waitOrder: 5000 })).toBeGreaterThan(sequenceOf({}));
  });

  it('of a window that earlier code has opened says that a feed has reported it', () => {
    expect(announcementOf(newSession(), window, ARN)).toMatchObject({ reportedBy: 'FEED', generation: 2 });
  });

  it('is given up after half a second where the bus does not answer', async () => {
    const clock = new VirtualClock(0);
    const eventBridge = Object.assign(new EventBridgeClient({ region: 'us-west-2' }), {
      send: (_command: object, { abortSignal }: { readonly abortSignal: AbortSignal }) =>
        new Promise((_, reject) => {
          abortSignal.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    });
    const announce = createAnnouncer({ clock, eventBridge, settings: BUS_SETTINGS });
    const announcement = announcementOf(newSession(), window, ARN);

    const announcing = announce([announcement]);
    await clock.advance(500);

    expect(await announcing).toEqual([announcement]);
  });
});

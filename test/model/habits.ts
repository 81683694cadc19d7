import fc from 'fast-check';
import type { Settings } from 'game-lift-streams-local';

/**
 * What the service does not document about itself, and does all day in its own way. The first value of each is the
 * stand-in's own, to which a failing day shrinks.
 */
export const serviceHabits: fc.Arbitrary<Partial<Settings>> = fc.record({
  /** WebRTC's consent runs out after 30 s (RFC 7675); a window may be shorter than that. */
  lossNoticeMs: fc.constantFrom(0, 0, 2500, 15_000, 40_000),
  /** With file export a session may take minutes to end. */
  terminationMs: fc.constantFrom(1000, 0, 90_000, 600_000),
  /** A sample of AWS says "< 5 seconds". */
  connectionMs: fc.constantFrom(50, 50, 3000, 9000),
  /** How long a session is kept after its timeout. */
  overstayMs: fc.constantFrom(0, 0, 10_000, 120_000),
  repeatedClientToken: fc.constantFrom('firstAnswer', 'conflict'),
  timestampUnit: fc.constantFrom('millisecond', 'second'),
  listedLaterMs: fc.constantFrom(0, 700, 2500),
  statusReason: fc.constantFrom(
    { kind: 'documented' },
    { kind: 'absent' },
    { kind: 'text', text: '' },
    { kind: 'text', text: 'r'.repeat(1000) },
  ),
});

/**
 * How long CONNECTED may mean that the service has not noticed the loss yet, in ms, counted from the first report of
 * the loss or the first request of the player. How soon the service notices is not documented; WebRTC consent runs out
 * after 30 s (RFC 7675, section 5.1), and this is twice that.
 */
export const LOSS_NOTICE_MS = 60_000;

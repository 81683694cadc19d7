/** Times and durations as the pages show them. */

/** `420 ms`, `3.2 s`, `1 min 05 s`, `2 h 03 min`: as much as one can take in at a glance. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${twoDigits(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** `1:05`, `0:09.3`: for time that runs out, with tenths in its last ten seconds. */
export function countdown(ms: number): string {
  const left = Math.max(0, ms);
  if (left < 10_000) return `0:0${(Math.floor(left / 100) / 10).toFixed(1)}`;
  const seconds = Math.floor(left / 1000);
  const minutesAndSeconds = `${Math.floor((seconds % 3600) / 60)}:${twoDigits(seconds % 60)}`;
  if (seconds < 3600) return minutesAndSeconds;
  return `${Math.floor(seconds / 3600)}:${minutesAndSeconds.padStart(5, '0')}`;
}

/** `14:03:09.250`, by the visitor's own clock. */
export function timeOfDay(epochMs: number): string {
  const time = new Date(epochMs);
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits).join(':');
  return `${clock}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

/** `21 Nov 2026, 14:03:09`. */
export function dateAndTime(epochMs: number): string {
  return new Date(epochMs).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

import { useEffect, useState } from 'react';
import {
  createReconnector,
  type Reconnector,
  type ReconnectorOptions,
  type State,
} from 'reconnection-client';

/** Looks after a session for as long as the component is there. Give the same options object until the session changes. */
export function useReconnector(options: ReconnectorOptions): { reconnector?: Reconnector; state?: State } {
  const [current, setCurrent] = useState<{ reconnector?: Reconnector; state?: State }>({});
  useEffect(() => {
    const reconnector = createReconnector(options);
    const show = (state: State) => setCurrent({ reconnector, state });
    show(reconnector.state);
    reconnector.on('change', show);
    return () => reconnector.stop();
  }, [options]);
  return current;
}

/** Whole seconds until `at`, such as a state's `retryAt` or `deadline`. */
export function Countdown({ at }: { readonly at: number }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return <>{Math.max(0, Math.ceil((at - now) / 1000))}</>;
}

import { documents } from '../shared/runtime/clients.ts';
import { getWindowRoute } from './get-window.ts';

export const handler = getWindowRoute.handler({ documents });

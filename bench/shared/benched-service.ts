import { readService } from '../../local/service/read-service.ts';
import type { Service } from '../../local/service/service.ts';

/** Reads the service as it is deployed by default. From then on its functions in this process log nothing. */
export function benchedService(): Promise<Service> {
  silenceFunctions();
  return readService();
}

/** Log lines would drown the numbers, and take time of their own. */
export function silenceFunctions(): void {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
  process.env['POWERTOOLS_METRICS_DISABLED'] = 'true';
}

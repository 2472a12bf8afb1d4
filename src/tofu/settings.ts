// Trust settings where nobody configured any, and what a repaired store does to them.

import { parseEndpoint } from '../endpoint.ts';
import type { TrustSettings } from '../trust/evidence.ts';
import { isBigProvider } from '../trust/providers.ts';

/** What holds for an endpoint no route and no session has named yet. */
export function defaultSettings(endpoint: string): TrustSettings {
  const policy = isBigProvider(hostOf(endpoint)) ? 'ca' : 'auto';
  return { policy, firstUse: 'accept', configPins: [] };
}

/** After a repair without a sure record, no first use goes by itself; `refuse` stays what it is. */
export function heldSettings(settings: TrustSettings, { held }: { readonly held: boolean }): TrustSettings {
  return held && settings.firstUse === 'accept' ? { ...settings, firstUse: 'hold' } : settings;
}

function hostOf(endpoint: string): string {
  try {
    return parseEndpoint(endpoint).host;
  } catch {
    return '';
  }
}

// Who the page is: a one-time code, taken out of the address before anything else happens, becomes a token that
// lives in this tab (sessionStorage) and nowhere else.

import type { SessionGrant } from '../wire.ts';
import { codeOf } from '../words/route.ts';
import { ApiError, errorOf, reach } from './api.ts';

const place = 'letterlock-grant';

/** Takes the code out of the address bar and the history of the browser; null when there is none. */
export function takeCode(): string | null {
  const code = codeOf(location.hash);
  if (code !== null) history.replaceState(null, '', `${location.pathname}#/overview`);
  return code;
}

/** @throws ApiError */
export async function redeem(code: string): Promise<SessionGrant> {
  const response = await reach('/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ code }),
    signal: AbortSignal.timeout(20_000),
  });
  if (!response.ok) throw await errorOf(response);
  const grant: unknown = await response.json();
  if (!isGrant(grant)) throw new ApiError('internal', 'the answer of letterlock is not understood', null);
  sessionStorage.setItem(place, JSON.stringify(grant));
  return grant;
}

/** The grant of this tab while it counts; null for none, for one that is over, and for what cannot be read. */
export function keptGrant(now: number): SessionGrant | null {
  try {
    const grant: unknown = JSON.parse(sessionStorage.getItem(place) ?? 'null');
    return isGrant(grant) && Date.parse(grant.expiresAt) > now ? grant : null;
  } catch {
    return null;
  }
}

/** Ends the token at the daemon too, if it can be reached. */
export async function giveBack(token: string): Promise<void> {
  dropGrant();
  await reach('/session', {
    method: 'DELETE',
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(5000),
  }).catch(() => undefined);
}

export const dropGrant = (): void => sessionStorage.removeItem(place);

function isGrant(value: unknown): value is SessionGrant {
  if (typeof value !== 'object' || value === null) return false;
  if (!('token' in value) || !('scope' in value) || !('expiresAt' in value)) return false;
  const { token, scope, expiresAt } = value;
  return (
    typeof token === 'string' && typeof expiresAt === 'string' && (scope === 'read' || scope === 'admin')
  );
}

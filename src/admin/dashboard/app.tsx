// Who may see the page: redeems the code, keeps the token of this tab, and closes the page when it counts no more.

import type { VNode } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { ApiError } from './data/api.ts';
import { dropGrant, giveBack, keptGrant, redeem } from './data/grant.ts';
import { useTheme } from './data/use-theme.ts';
import { Shell } from './shell.tsx';
import { Locked, type LockedReason } from './views/locked.tsx';
import type { SessionGrant } from './wire.ts';

type Door =
  | { readonly state: 'opening' }
  | { readonly state: 'open'; readonly grant: SessionGrant }
  | { readonly state: 'closed'; readonly reason: LockedReason };

export function App({ code }: { readonly code: string | null }): VNode {
  const theme = useTheme();
  const [door, setDoor] = useState<Door>(() => doorFor(code));
  const expired = useCallback(() => {
    dropGrant();
    setDoor({ state: 'closed', reason: { kind: 'expired' } });
  }, []);
  useEffect(() => {
    if (code === null) return;
    redeem(code).then(
      (grant) => setDoor({ state: 'open', grant }),
      (error: unknown) => setDoor({ state: 'closed', reason: { kind: 'refused', error: told(error) } }),
    );
  }, [code]);
  useExpiry(door.state === 'open' ? door.grant.expiresAt : null, expired);
  const grant = door.state === 'open' ? door.grant : null;
  const leave = useCallback(() => {
    setDoor({ state: 'closed', reason: { kind: 'left' } });
    if (grant !== null) void giveBack(grant.token);
  }, [grant]);
  if (door.state === 'opening') return <p class="opening">Opening…</p>;
  if (door.state === 'closed') return <Locked reason={door.reason} />;
  return <Shell grant={door.grant} theme={theme} expired={expired} leave={leave} />;
}

function doorFor(code: string | null): Door {
  if (code !== null) return { state: 'opening' };
  const grant = keptGrant(Date.now());
  return grant === null ? { state: 'closed', reason: { kind: 'none' } } : { state: 'open', grant };
}

/** The longest wait a timer can be set to. */
const maxTimerMs = 2_147_483_647;

function useExpiry(expiresAt: string | null, expired: () => void): void {
  useEffect(() => {
    if (expiresAt === null) return undefined;
    const timer = setTimeout(expired, Math.min(maxTimerMs, Math.max(0, Date.parse(expiresAt) - Date.now())));
    return () => clearTimeout(timer);
  }, [expiresAt, expired]);
}

const told = (error: unknown): ApiError =>
  error instanceof ApiError ? error : new ApiError('internal', String(error), null);

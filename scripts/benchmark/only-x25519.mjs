// Preloaded into letterlock where its cost without a post-quantum key share is asked for: every handshake then
// offers X25519 alone, as the peers do. Not a way to run it: the post-quantum share is there for a reason.

import tls from 'node:tls';

tls.DEFAULT_ECDH_CURVE = 'X25519';

// Where the page begins. The one-time code leaves the address before anything is drawn or asked.

import { render } from 'preact';
import { App } from './app.tsx';
import { takeCode } from './data/grant.ts';
import { codeOf } from './words/route.ts';

const code = takeCode();
const place = document.getElementById('app');
if (place !== null) render(<App code={code} />, place);

// A new address that is opened in this tab only moves what stands behind the `#`: the page begins anew with it.
addEventListener('hashchange', () => {
  if (codeOf(location.hash) !== null) location.reload();
});

// Where the page begins. The one-time code leaves the address before anything is drawn or asked.

import { render } from 'preact';
import { App } from './app.tsx';
import { takeCode } from './data/grant.ts';

const code = takeCode();
const place = document.getElementById('app');
if (place !== null) render(<App code={code} />, place);

// A host that is no name: an error, and no exception.
import https from 'node:https';

https.get('https://foo..bar.invalid/').on('error', () => {
  console.log('https: error');
  fetch('https://a..b.invalid/').catch(() => console.log('fetch: error'));
});

// Sends the files of the page, from the list that was read at the start.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Asset, Assets } from './assets.ts';

/** The status it answered with. */
export function sendAsset(
  request: IncomingMessage,
  response: ServerResponse,
  { assets, path }: { readonly assets: Assets | null; readonly path: string },
): number {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    response.setHeader('Connection', 'close');
    return told(response, 405, 'this is read with GET');
  }
  if (assets === null) return told(response, 503, notBuilt);
  const asset = assets.get(path);
  if (asset === undefined) return told(response, 404, 'there is no such page');
  response.setHeader('ETag', asset.etag);
  response.setHeader('Cache-Control', asset.caching);
  if (request.headers['if-none-match'] === asset.etag) {
    response.writeHead(304).end();
    return 304;
  }
  sendWhole(response, asset);
  return 200;
}

const notBuilt =
  'the page was not built into this letterlock: run npm run build in its sources. ' +
  'The command line does all the page does: letterlock status, letterlock pins';

function sendWhole(response: ServerResponse, { type, bytes }: Asset): void {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': bytes.length });
  response.end(bytes);
}

function told(response: ServerResponse, status: number, text: string): number {
  sendText(response, status, text);
  return status;
}

/** A line for whoever looks at it in a browser. */
export function sendText(response: ServerResponse, status: number, text: string): void {
  const line = `letterlock: ${text}\n`;
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(line),
    'Cache-Control': 'no-store',
  });
  response.end(line);
}

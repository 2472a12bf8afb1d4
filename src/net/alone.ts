// One request at a time on one connection. No client of ours sends the next before it was answered; somebody who sends
// thousands in a row has them all under way at once, each with an answer that waits in memory for the one before it.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Passes on the first; a connection that asks again before its answer is over is ended. */
export function alone(serve: (request: IncomingMessage, response: ServerResponse) => void): RequestListener {
  const asking = new WeakSet<Socket>();
  return (request, response) => {
    const { socket } = request;
    if (asking.has(socket)) {
      socket.destroy();
      return;
    }
    asking.add(socket);
    response.once('close', () => asking.delete(socket));
    serve(request, response);
  };
}

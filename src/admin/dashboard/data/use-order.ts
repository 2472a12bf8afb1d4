// One order to the daemon at a time: whether it is on its way, what was answered, what went wrong.

import { useCallback, useState } from 'preact/hooks';
import { ApiError } from './api.ts';

export interface Order<T> {
  readonly busy: boolean;
  readonly answer: T | null;
  readonly error: ApiError | null;
  /** Never rejects; resolves to the answer, or null when it went wrong. */
  readonly give: (order: () => Promise<T>) => Promise<T | null>;
  readonly clear: () => void;
}

interface State<T> {
  readonly busy: boolean;
  readonly answer: T | null;
  readonly error: ApiError | null;
}

export function useOrder<T>(): Order<T> {
  const [state, setState] = useState<State<T>>({ busy: false, answer: null, error: null });
  const give = useCallback(async (order: () => Promise<T>): Promise<T | null> => {
    setState({ busy: true, answer: null, error: null });
    try {
      const answer = await order();
      setState({ busy: false, answer, error: null });
      return answer;
    } catch (error) {
      const told = error instanceof ApiError ? error : new ApiError('internal', String(error), null);
      setState({ busy: false, answer: null, error: told });
      return null;
    }
  }, []);
  const clear = useCallback(() => setState({ busy: false, answer: null, error: null }), []);
  return { ...state, give, clear };
}

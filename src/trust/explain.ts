// Why something was refused or accepted, step by step, and what a person can do. Says only what the record,
// the settings and the code table say; certificate text is as the server sent it and must be escaped.

/** An explanation for people. `summary` is one sentence. */
export interface Explanation {
  readonly target: string;
  readonly kind: 'code' | 'reference' | 'endpoint';
  readonly endpoint: string | null;
  readonly spki: string | null;
  readonly summary: string;
  readonly steps: readonly string[];
  readonly advice: readonly string[];
}

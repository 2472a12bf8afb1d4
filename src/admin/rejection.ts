// Why a request to the admin API is turned away before it reaches any route; labels of a metric.

export const rejections = ['bad-host', 'bad-origin', 'no-token', 'bad-token', 'rate'] as const;
export type Rejection = (typeof rejections)[number];

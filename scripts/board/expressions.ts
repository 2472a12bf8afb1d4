// The PromQL the panels share. Every selector is narrowed by the board's variables, each by those its labels have.

/** By instance alone. */
export const here = 'job=~"$job", instance=~"$instance"';
export const ofRoute = `${here}, route=~"$route"`;
export const ofUpstream = `${here}, upstream=~"$upstream"`;

export const rate = (series: string): string => `rate(${series}[$__rate_interval])`;
/** For bars: one for each interval, so that no event is drawn twice. */
export const increase = (series: string): string => `increase(${series}[$__interval])`;
/** Of a thousand routes a chart shows those that matter most. */
export const most = (expr: string): string => `topk(12, ${expr})`;

export const sumBy = (labels: string, expr: string): string => `sum by (${labels}) (${expr})`;

/** A quantile of a histogram over all instances, split by `labels`. */
export const quantile = (q: number, histogram: string, by = ''): string => {
  const [name = '', selector = ''] = histogram.split('{', 2);
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${q}, ${sumBy(labels, rate(`${name}_bucket{${selector}`))})`;
};

const end = `letterlock_peer_certificate_not_after_timestamp_seconds{${ofUpstream}}`;
const start = `letterlock_peer_certificate_not_before_timestamp_seconds{${ofUpstream}}`;
const chainEnd = `letterlock_peer_chain_not_after_timestamp_seconds{${ofUpstream}}`;

/** Servers whose certificate vouches for itself: its dates decide nothing. */
export const selfSigned = `max by (upstream) (letterlock_certificate_faults{${ofUpstream}, fault="self-signed"} == 1)`;

/** Share of the lifetime that is left, of the certificate or of the issuer that ends before it. */
export const lifetimeLeft = `min by (upstream) (((${chainEnd} < ${end} or ${end}) - time()) / (${end} - ${start}))`;

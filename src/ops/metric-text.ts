// The page of a scrape, written as the text format 0.0.4 of Prometheus has it, line by line with turns of the event loop
// between: one family may have a hundred thousand series, and the metrics library writes a family at once.

import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client';
import { Pace } from '../pace.ts';

/** What all metrics of the library answer with; a value of a histogram has a name of its own. */
type Values = MetricObjectWithValues<MetricValue<string> & { readonly metricName?: string }>;

export async function pageText(registry: Registry): Promise<string> {
  const pace = new Pace();
  const parts: string[] = [];
  for (const { name } of registry.getMetricsAsArray()) {
    const metric: { get(): Promise<Values> } | undefined = registry.getSingleMetric(name);
    if (metric === undefined) continue;
    const { help, type, values } = await metric.get();
    const lines = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`];
    for (const { metricName = name, labels, value } of values) {
      lines.push(`${metricName}${labelsText(labels)} ${valueText(value)}`);
      if (pace.isDue) await pace.rest();
    }
    parts.push(lines.join('\n'));
    await pace.rest();
  }
  return `${parts.join('\n\n')}\n`;
}

function labelsText(labels: Readonly<Record<string, string | number | undefined>>): string {
  let text = '';
  for (const name in labels) {
    const value = labels[name];
    if (value === undefined) continue;
    text += `${text === '' ? '' : ','}${name}="${escaped(String(value)).replaceAll('"', '\\"')}"`;
  }
  return text === '' ? '' : `{${text}}`;
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

function valueText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

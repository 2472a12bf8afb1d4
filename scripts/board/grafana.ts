// The part of Grafana's dashboard format the board uses, as types, and the makers of its panels. What Grafana
// fills in by itself stays out; what a panel shows and why is always there, as its description.

export type Unit = 'short' | 'percentunit' | 's' | 'bytes' | 'Bps' | 'ops' | 'none';

export interface Threshold {
  readonly value: number | null;
  readonly color: Colour;
}

/** Grafana's names, chosen so that red and green never stand alone for bad and good. */
export type Colour = 'green' | 'orange' | 'red' | 'blue' | 'purple' | 'text';

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly instant: boolean;
  readonly range: boolean;
  readonly format: 'time_series' | 'table';
}

export interface Mapping {
  readonly type: 'value';
  readonly options: Readonly<Record<string, { readonly text: string; readonly color: Colour }>>;
}

interface FieldDefaults {
  readonly unit: Unit;
  readonly min?: number;
  readonly max?: number;
  readonly decimals?: number;
  readonly noValue?: string;
  readonly thresholds?: { readonly mode: 'absolute'; readonly steps: readonly Threshold[] };
  readonly color?: { readonly mode: 'thresholds' | 'palette-classic' };
  readonly mappings?: readonly Mapping[];
  readonly custom?: Readonly<Record<string, unknown>>;
}

interface Override {
  readonly matcher: { readonly id: 'byName' | 'byRegexp'; readonly options: string };
  readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}

export interface Link {
  readonly title: string;
  readonly url: string;
  readonly targetBlank: true;
}

export interface Panel {
  readonly type: 'stat' | 'timeseries' | 'table' | 'bargauge' | 'state-timeline';
  readonly title: string;
  readonly description: string;
  readonly datasource: typeof datasource;
  readonly targets: readonly Target[];
  readonly fieldConfig: { readonly defaults: FieldDefaults; readonly overrides: readonly Override[] };
  readonly options: Readonly<Record<string, unknown>>;
  /** The least $__interval: several scrapes, or there is nothing to count. */
  readonly interval?: string;
  readonly transformations?: readonly {
    readonly id: string;
    readonly options: Readonly<Record<string, unknown>>;
  }[];
  readonly links?: readonly Link[];
}

/** A panel with its size on the grid of 24 columns. */
export interface Sized {
  readonly width: number;
  readonly height: number;
  readonly panel: Panel;
}

export const datasource = { type: 'prometheus', uid: '${datasource}' } as const;

/** A page of docs/runbooks; where these are published is a variable of the board. */
const runbook = (alert: string): Link => ({
  title: `Runbook: ${alert}`,
  url: `\${runbooks}/Letterlock${alert}.md`,
  targetBlank: true,
});

interface Common {
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  readonly steps?: readonly Threshold[];
  readonly min?: number;
  readonly max?: number;
  readonly noValue?: string;
  readonly mappings?: readonly Mapping[];
  readonly runbooks?: readonly string[];
}

/** `[expression, legend]`; a legend is a template such as `{{reason}}`. */
export type Line = readonly [expr: string, legend: string];

const frame = (
  { title, description, runbooks }: Common,
  targets: readonly Target[],
): Pick<Panel, 'title' | 'description' | 'datasource' | 'targets' | 'links'> => ({
  title,
  description,
  datasource,
  targets,
  ...(runbooks === undefined ? {} : { links: runbooks.map(runbook) }),
});

const field = (
  { unit, steps, min, max, noValue, mappings }: Common,
  custom: Readonly<Record<string, unknown>> | null = null,
): FieldDefaults => ({
  unit,
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
  ...(noValue === undefined ? {} : { noValue }),
  ...(mappings === undefined ? {} : { mappings }),
  color: { mode: steps === undefined ? 'palette-classic' : 'thresholds' },
  ...(steps === undefined ? {} : { thresholds: { mode: 'absolute', steps } }),
  ...(custom === null ? {} : { custom }),
});

const letter = (index: number): string => String.fromCodePoint(65 + index);

const instant = (expr: string, index: number): Target => ({
  refId: letter(index),
  expr,
  instant: true,
  range: false,
  format: 'table',
});

/** One number, as it is now. */
export const stat = (common: Common & { readonly width?: number }, expr: string): Sized => ({
  width: common.width ?? 4,
  height: 4,
  panel: {
    type: 'stat',
    ...frame(common, [{ refId: 'A', expr, instant: true, range: false, format: 'time_series' }]),
    fieldConfig: { defaults: field(common), overrides: [] },
    options: {
      colorMode: common.steps === undefined ? 'none' : 'value',
      graphMode: 'none',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    },
  },
});

/** Lines over time; `stack` fills and adds them up, `bars` draws one for each interval. */
export const chart = (
  common: Common & { readonly draw?: 'lines' | 'stack' | 'bars'; readonly width?: number },
  lines: readonly Line[],
): Sized => {
  const { draw = 'lines', width = 8 } = common;
  const stacked = draw !== 'lines';
  const custom = {
    drawStyle: draw === 'bars' ? 'bars' : 'line',
    fillOpacity: draw === 'bars' ? 80 : stacked ? 30 : 0,
    lineWidth: 1,
    showPoints: 'never',
    stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
  };
  const targets = lines.map(([expr, legendFormat], index): Target => ({
    refId: letter(index),
    expr,
    legendFormat,
    instant: false,
    range: true,
    format: 'time_series',
  }));
  return {
    width,
    height: 8,
    panel: {
      type: 'timeseries',
      ...frame(common, targets),
      ...(draw === 'bars' ? { interval: '2m' } : {}),
      fieldConfig: { defaults: field({ min: 0, ...common }, custom), overrides: [] },
      options: {
        legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'] },
        tooltip: { mode: 'multi', sort: 'desc' },
      },
    },
  };
};

/** One bar for each series, the lowest first. */
export const bars = (common: Common, [expr, legendFormat]: Line): Sized => ({
  width: 8,
  height: 8,
  panel: {
    type: 'bargauge',
    ...frame(common, [
      { refId: 'A', expr, legendFormat, instant: true, range: false, format: 'time_series' },
    ]),
    fieldConfig: { defaults: field(common), overrides: [] },
    options: {
      orientation: 'horizontal',
      displayMode: 'basic',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    },
  },
});

/** How a state changed over time, one band for each series. */
export const bands = (common: Common, [expr, legendFormat]: Line): Sized => ({
  width: 16,
  height: 8,
  panel: {
    type: 'state-timeline',
    ...frame(common, [
      { refId: 'A', expr, legendFormat, instant: false, range: true, format: 'time_series' },
    ]),
    fieldConfig: { defaults: field(common, { fillOpacity: 70, lineWidth: 0 }), overrides: [] },
    options: { showValue: 'never', mergeValues: true, rowHeight: 0.8, legend: { showLegend: true } },
  },
});

/** A column of a table: the label it shows, or the value of a query under a title. */
export interface Column {
  readonly field: string;
  readonly title: string;
  readonly unit?: Unit;
  readonly steps?: readonly Threshold[];
}

const columnOverride = ({ title, unit, steps }: Column): readonly Override[] =>
  unit === undefined
    ? []
    : [
        {
          matcher: { id: 'byName', options: title },
          properties: [
            { id: 'unit', value: unit },
            ...(steps === undefined
              ? []
              : [
                  { id: 'thresholds', value: { mode: 'absolute', steps } },
                  { id: 'custom.cellOptions', value: { type: 'color-text' } },
                ]),
          ],
        },
      ];

/** Rows of the queries' labels, merged over several queries; only `columns` are shown, in their order. */
export const table = (
  common: Common & { readonly columns: readonly Column[]; readonly width?: number; readonly height?: number },
  exprs: readonly string[],
): Sized => ({
  width: common.width ?? 8,
  height: common.height ?? 8,
  panel: {
    type: 'table',
    ...frame(common, exprs.map(instant)),
    fieldConfig: { defaults: field(common), overrides: common.columns.flatMap(columnOverride) },
    options: { showHeader: true, sortBy: [] },
    transformations: [
      { id: 'merge', options: {} },
      {
        id: 'filterFieldsByName',
        options: { include: { names: common.columns.map((column) => column.field) } },
      },
      {
        id: 'organize',
        options: {
          indexByName: Object.fromEntries(common.columns.map((column, index) => [column.field, index])),
          renameByName: Object.fromEntries(common.columns.map((column) => [column.field, column.title])),
        },
      },
    ],
  },
});

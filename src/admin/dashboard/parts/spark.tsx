// A sparkline, drawn by uPlot on a canvas: for the eye alone. The figures beside it say the same in words.

import { useEffect, useRef } from 'preact/hooks';
import type { VNode } from 'preact';
import uPlot from 'uplot';

interface SparkProps {
  /** Milliseconds since 1970, rising. */
  readonly times: readonly number[];
  readonly values: readonly number[];
  /** Name of the colour, a custom property of the style sheet. */
  readonly colour: string;
  /** Changes when the colours do. */
  readonly theme: string;
}

const height = 56;
const leastSeconds = 60;

export function Spark({ times, values, colour, theme }: SparkProps): VNode {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const drawn = new uPlot(optionsFor(element, colour), [[], []], element);
    chart.current = drawn;
    const watcher = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      drawn.destroy();
      chart.current = null;
    };
  }, [colour, theme]);
  useEffect(() => {
    chart.current?.setData([times.map((at) => at / 1000), [...values]]);
  }, [times, values, colour, theme]);
  return <div class="spark" ref={place} aria-hidden="true" />;
}

function optionsFor(element: HTMLElement, colour: string): uPlot.Options {
  const stroke = getComputedStyle(element).getPropertyValue(colour).trim();
  return {
    width: element.clientWidth,
    height,
    padding: [4, 0, 2, 0],
    legend: { show: false },
    cursor: { show: false },
    axes: [{ show: false }, { show: false }],
    scales: {
      // At least a minute, so that the first seconds do not look like a history.
      x: {
        time: true,
        range: (_chart, first, last) => [Math.min(first ?? 0, (last ?? 0) - leastSeconds), last ?? 0],
      },
      // The top never falls to the line itself: a quiet hour must not look like a busy one.
      y: { range: (_chart, _low, high) => [0, Math.max(high * 1.15, 1)] },
    },
    series: [{}, { stroke, width: 1.75, fill: `${stroke}22`, points: { show: false } }],
  };
}

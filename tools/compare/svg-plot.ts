/** An axis of a plot; a logarithmic one has powers of ten as its ticks. */
export interface Axis {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly isLogarithmic?: boolean;
  readonly ticks: readonly number[];
  readonly text: (value: number) => string;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export type Mark =
  | { readonly kind: 'line'; readonly points: readonly Point[]; readonly style: Style }
  | {
      readonly kind: 'dots';
      readonly points: readonly Point[];
      readonly style: Style;
      readonly radius: number;
    }
  | { readonly kind: 'label'; readonly at: Point; readonly text: string; readonly style: Style };

type Style = 'one' | 'two' | 'three' | 'other';

const WIDTH = 720;
const HEIGHT = 400;
const EDGE = { left: 70, right: 24, top: 44, bottom: 56 };
const LABEL_GAP = 14;

/** Fit for light and dark surroundings. */
const STYLES = `
  svg { font: 14px system-ui, sans-serif; background: #fff }
  text { fill: #1c2024 } .faint { fill: #60646c } .title { font-weight: 600; font-size: 16px }
  .grid { stroke: #d9d9e0 } .line { fill: none; stroke-width: 2 }
  .one { --c: #0d6efd } .two { --c: #b4530a } .three { --c: #18794e } .other { --c: #8b8d98 }
  .line { stroke: var(--c) } circle, .mark { fill: var(--c) }
  @media (prefers-color-scheme: dark) {
    svg { background: #16181b } text { fill: #edeef0 } .faint { fill: #b0b4ba } .grid { stroke: #3a3d42 }
    .one { --c: #70b8ff } .two { --c: #ffa057 } .three { --c: #3dd68c }
  }`;

/** A plot as SVG. */
export function svgPlot(title: string, x: Axis, y: Axis, marks: readonly Mark[]): string {
  const right = place(x, EDGE.left, WIDTH - EDGE.right);
  const up = place(y, HEIGHT - EDGE.bottom, EDGE.top);
  const drawn = marks.map((mark) => {
    if (mark.kind === 'line') {
      const path = mark.points.map((point) => `${right(point.x)},${up(point.y)}`).join(' ');
      return `<polyline class="line ${mark.style}" points="${path}"/>`;
    }
    if (mark.kind === 'label')
      return `<text class="mark ${mark.style}" x="${right(mark.at.x)}" y="${up(mark.at.y) - LABEL_GAP}" text-anchor="middle">${mark.text}</text>`;
    return mark.points
      .map(
        (point) =>
          `<circle class="${mark.style}" cx="${right(point.x)}" cy="${up(point.y)}" r="${mark.radius}"/>`,
      )
      .join('');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">`,
    `<style>${STYLES}</style>`,
    `<text class="title" x="${EDGE.left}" y="24">${title}</text>`,
    ...x.ticks.map(
      (tick) =>
        `<path class="grid" d="M${right(tick)} ${EDGE.top}V${HEIGHT - EDGE.bottom}"/><text class="faint" x="${right(tick)}" y="${HEIGHT - EDGE.bottom + 20}" text-anchor="middle">${x.text(tick)}</text>`,
    ),
    ...y.ticks.map(
      (tick) =>
        `<path class="grid" d="M${EDGE.left} ${up(tick)}H${WIDTH - EDGE.right}"/><text class="faint" x="${EDGE.left - 8}" y="${up(tick) + 5}" text-anchor="end">${y.text(tick)}</text>`,
    ),
    `<text x="${(EDGE.left + WIDTH - EDGE.right) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${x.label}</text>`,
    `<text transform="translate(16 ${(EDGE.top + HEIGHT - EDGE.bottom) / 2}) rotate(-90)" text-anchor="middle">${y.label}</text>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

/** Where a value lies between two places, to a tenth of a pixel. */
function place({ from, to, isLogarithmic = false }: Axis, start: number, end: number) {
  const scaled = (value: number): number => (isLogarithmic ? Math.log10(value) : value);
  return (value: number): number =>
    Number(
      (start + ((scaled(value) - scaled(from)) / (scaled(to) - scaled(from))) * (end - start)).toFixed(1),
    );
}

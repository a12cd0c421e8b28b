/** The picture of the README: bars for rates that several reach, and how `assemble` grows. Light and dark. Pure. */
import { assembleMemory, assembleRate } from '../metrics.ts';
import { isOurs, type Metric } from './summary.ts';
import { withUnit } from './table.ts';

const WIDTH = 860;
const MARGIN = 24;
const LABEL_WIDTH = 280;
const VALUE_WIDTH = 250;
const BAR_HEIGHT = 16;
const ROW_HEIGHT = 22;
const TITLE_HEIGHT = 26;
const PLOT_HEIGHT = 130;
const PLOT_GAP = 60;

/** Text and paper change with the reader's setting; what is ours stays the same colour in both. */
const STYLE = `
  .paper { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif }
  .title { font-weight: 600 } .small { font-size: 11px; fill: #59636e }
  .ours { fill: #1a7f5a } .other { fill: #8c959f } .axis { stroke: #8c959f; stroke-width: 1; fill: none }
  .growth { stroke: #1a7f5a; stroke-width: 2; fill: none }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } text { fill: #e6edf3 } .small { fill: #9198a1 }
    .ours { fill: #3fb68b } .other { fill: #6e7681 } .growth { stroke: #3fb68b }
  }`;

interface Drawing {
  readonly svg: string;
  readonly height: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** @param caption what machine this was */
export function picture(metrics: readonly Metric[], caption: string): string {
  const drawings = metrics.filter(isRace).map((metric) => (top: number) => bars(metric, top));
  const plots = growth(metrics);
  if (plots !== undefined) drawings.push(plots);
  let top = MARGIN;
  const parts: string[] = [];
  for (const draw of drawings) {
    const { svg, height } = draw(top);
    parts.push(svg);
    top += height;
  }
  parts.push(text(MARGIN, top + 4, caption, 'small'));
  const height = top + MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>ssblog and others: lines a second</title>
<style>${STYLE}</style>
<rect class="paper" width="${WIDTH}" height="${height}" rx="8"/>
${parts.join('\n')}
</svg>
`;
}

/** Text that may hold any character, as XML has it. */
export function escapeXml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function isRace({ unit, rows }: Metric): boolean {
  return unit === 'lines/s' && rows.length > 1;
}

function bars({ name, unit, rows }: Metric, top: number): Drawing {
  const most = Math.max(...rows.map((row) => row.median));
  const room = WIDTH - 2 * MARGIN - LABEL_WIDTH - VALUE_WIDTH;
  const lines = rows.map((row, index) => {
    const y = top + TITLE_HEIGHT + index * ROW_HEIGHT;
    // What is too slow to be seen still has a mark.
    const width = Math.max(1, (row.median / most) * room);
    const left = MARGIN + LABEL_WIDTH;
    const ratio =
      row.ratio === undefined || isOurs(row)
        ? ''
        : `, ssblog ${Number(row.ratio.toPrecision(2)).toLocaleString('en')} times`;
    return [
      text(left - 8, y + 12, row.contender, '', 'end'),
      `<rect class="${isOurs(row) ? 'ours' : 'other'}" x="${left}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`,
      text(left + width + 6, y + 12, `${withUnit(row.median, unit)}${ratio}`),
    ].join('\n');
  });
  const svg = [text(MARGIN, top + 12, name, 'title'), ...lines].join('\n');
  return { svg, height: TITLE_HEIGHT + rows.length * ROW_HEIGHT + 14 };
}

/** @returns undefined when fewer than two sizes were measured */
function growth(metrics: readonly Metric[]): ((top: number) => Drawing) | undefined {
  const rates = points(metrics, assembleRate);
  const memory = points(metrics, assembleMemory);
  if (rates.length < 2) return undefined;
  const width = (WIDTH - 2 * MARGIN - PLOT_GAP) / 2;
  return (top) => ({
    svg: [
      plot('assemble: lines a second', rates, { left: MARGIN, top, width }),
      plot('assemble: most memory, MB', memory, { left: MARGIN + width + PLOT_GAP, top, width }),
    ].join('\n'),
    height: PLOT_HEIGHT + 70,
  });
}

function points(metrics: readonly Metric[], nameOf: (lines: number) => string): Point[] {
  return [1e4, 1e5, 1e6, 1e7].flatMap((lines) => {
    const row = metrics.find(({ name }) => name === nameOf(lines))?.rows[0];
    return row === undefined ? [] : [{ x: lines, y: row.median }];
  });
}

/** Lines across in powers of ten, the other axis from 0. */
function plot(title: string, data: readonly Point[], place: { left: number; top: number; width: number }): string {
  const { left, top, width } = place;
  const [low, high] = [Math.log10((data[0] as Point).x), Math.log10((data.at(-1) as Point).x)];
  const most = Math.max(...data.map(({ y }) => y)) * 1.15;
  const bottom = top + TITLE_HEIGHT + PLOT_HEIGHT;
  const inset = 40;
  const at = ({ x, y }: Point): Point => ({
    x: left + inset + ((Math.log10(x) - low) / (high - low)) * (width - 2 * inset),
    y: bottom - (y / most) * PLOT_HEIGHT,
  });
  const marks = data.map((point) => {
    const { x, y } = at(point);
    const value = point.y >= 1000 ? `${Math.round(point.y / 1000)}k` : String(Math.round(point.y));
    return [
      `<circle class="ours" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="4"/>`,
      text(x, y - 10, value, 'small', 'middle'),
      text(x, bottom + 16, point.x.toLocaleString('en'), 'small', 'middle'),
    ].join('\n');
  });
  const path = data.map(at).map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`);
  return [
    text(left, top + 12, title, 'title'),
    `<path class="axis" d="M${left} ${bottom}H${left + width}"/>`,
    `<polyline class="growth" points="${path.join(' ')}"/>`,
    ...marks,
    text(left + width / 2, bottom + 32, 'lines in the log', 'small', 'middle'),
  ].join('\n');
}

function text(x: number, y: number, value: string, className = '', anchor = 'start'): string {
  const attributes = className === '' ? '' : ` class="${className}"`;
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${attributes}>${escapeXml(value)}</text>`;
}

import type { BusinessDate } from '../../lambda/card-settlement/domain/business-date.ts';
import type { Stage } from '../../lib/config.ts';
import type { Outputs } from '../shared/outputs.ts';
import type { Colors } from '../shared/screen.ts';
import type { WorkerName } from '../shared/workers.ts';

export interface RunningStage {
  readonly stage: Stage;
  readonly outputs: Outputs;
  readonly openDate: BusinessDate;
}

export function welcome(options: {
  readonly systems: readonly RunningStage[];
  /** Nobody works on their queues yet. */
  readonly leftOut: readonly WorkerName[];
  readonly outputsFile: string | undefined;
  readonly colors: Colors;
  readonly seconds: string;
  /** What the clock says, if it is not the machine's. */
  readonly startedAt: Date | undefined;
}): string {
  const { systems, leftOut, outputsFile, colors, seconds, startedAt } = options;
  const [first] = systems;
  if (first === undefined) throw new RangeError('No stage runs.');
  const named = [
    ...(outputsFile === undefined ? [] : [` --outputs ${outputsFile}`]),
    ...(systems.length > 1 ? [` --stage ${first.stage}`] : []),
  ].join('');
  const url = first.outputs.DuotempoCardSettlement.ApiUrl;
  const local = first.outputs.DuotempoLocal;
  const places = [
    ...systems.flatMap(({ stage, outputs }): [string, string][] => [
      ...(systems.length > 1 ? [[`stage ${stage}`, ''] satisfies [string, string]] : []),
      ['card settlement', outputs.DuotempoCardSettlement.ApiUrl],
      ['chat', outputs.DuotempoChat.ApiUrl],
      ['', outputs.DuotempoChat.WebSocketUrl],
      ['tokens', outputs.DuotempoIdentity.TokenUrl],
    ]),
    ...(local === undefined ? [] : [['AWS endpoint', local.AwsEndpoint] satisfies [string, string]]),
  ].map(([name, place]) => `  ${name.padEnd(16)} ${colors.cyan(place)}`.trimEnd());
  return [
    '',
    `${colors.bold('Duotempo')} is ready ${colors.dim(`after ${seconds}; Ctrl-C stops it`)}`,
    ...places,
    '',
    ...leftOut.flatMap((worker) => [
      `${worker} is left out: its messages wait for a worker of your own, in another terminal:`,
      `  npm run worker -- ${worker.toLowerCase()}${named}`,
      '',
    ]),
    'Try, in another terminal, and watch this one:',
    `  TOKEN=$(npm run -s token -- gateway${named})`,
    `  curl -s ${url}/transactions -H "authorization: Bearer $TOKEN" \\`,
    '    -H "idempotency-key: sale-$(date +%s)" -H "content-type: application/json" \\',
    `    -d "${saleForShell(startedAt)}"`,
    `  curl -s -X POST ${url}/business-days/${first.openDate}/reconcile \\`,
    `    -H "authorization: Bearer $(npm run -s token -- operator${named})"`,
    '',
    `or a day with attacks among its sales: npm run demo${named === '' ? '' : ` --${named}`}`,
    `or a whole file: npm run replay -- <transactions.csv> --shift-to-today --settle${named}`,
    `or move the clock${startedAt === undefined ? '' : `, which is ${startedAt.toISOString()}`}: npm run clock -- to 17:01${named}`,
    `or a chat, in two terminals: npm run chat -- alice bob${named}  and  npm run chat -- bob alice${named}`,
    '',
  ].join('\n');
}

function saleForShell(startedAt: Date | undefined): string {
  const sale = {
    merchantId: 'mer_corner_shop',
    terminalId: 'till-1',
    type: 'sale',
    cardToken: 'tok_1',
    amount: 497,
    currency: 'USD',
    merchantCategoryCode: '5411',
    occurredAt: 'NOW',
  };
  return JSON.stringify(sale)
    .replaceAll('"', '\\"')
    .replace('NOW', startedAt?.toISOString() ?? '$(date -u +%Y-%m-%dT%H:%M:%SZ)');
}

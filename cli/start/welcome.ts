import type { BusinessDate } from '../../lambda/card-settlement/domain/business-date.ts';
import type { Stage } from '../../lib/config.ts';
import type { Outputs } from '../shared/outputs.ts';
import type { Colors } from '../shared/screen.ts';

/** A stage that runs. */
export interface RunningStage {
  readonly stage: Stage;
  readonly outputs: Outputs;
  /** The business date that is open now. */
  readonly openDate: BusinessDate;
}

/** What the screen says when everything runs: what is where, and what to try. */
export function welcome(options: {
  /** What there is to try is of the first one. */
  readonly systems: readonly RunningStage[];
  /** As the other commands must name it; undefined for the default, which they find by themselves. */
  readonly outputsFile: string | undefined;
  readonly colors: Colors;
  /** How long it took, as text. */
  readonly seconds: string;
}): string {
  const { systems, outputsFile, colors, seconds } = options;
  const [first] = systems;
  if (first === undefined) throw new RangeError('No stage runs.');
  const named = [
    ...(outputsFile === undefined ? [] : [` --outputs ${outputsFile}`]),
    ...(systems.length > 1 ? [` --stage ${first.stage}`] : []),
  ].join('');
  const url = first.outputs.DuotempoCardSettlement.ApiUrl;
  const places = systems.flatMap(({ stage, outputs }) =>
    [
      ...(systems.length > 1 ? [[`stage ${stage}`, '']] : []),
      ['card settlement', outputs.DuotempoCardSettlement.ApiUrl],
      ['chat', outputs.DuotempoChat.ApiUrl],
      ['', outputs.DuotempoChat.WebSocketUrl],
      ['tokens', outputs.DuotempoIdentity.TokenUrl],
    ].map(([name = '', place = '']) => `  ${name.padEnd(16)} ${colors.cyan(place)}`.trimEnd()),
  );
  const local = first.outputs.DuotempoLocal;
  const endpoint =
    local === undefined ? [] : [`  ${'AWS endpoint'.padEnd(16)} ${colors.cyan(local.AwsEndpoint)}`];
  const commands = [
    `TOKEN=$(npm run -s token -- gateway${named})`,
    [
      `curl -s ${url}/transactions -H "authorization: Bearer $TOKEN"`,
      '  -H "idempotency-key: sale-$(date +%s)" -H "content-type: application/json"',
      `  -d "${saleForShell()}"`,
    ].join(' \\\n  '),
    [
      `curl -s -X POST ${url}/business-days/${first.openDate}/reconcile`,
      `  -H "authorization: Bearer $(npm run -s token -- operator${named})"`,
    ].join(' \\\n  '),
  ].map((command) => `  ${command}`);
  return [
    '',
    `${colors.bold('Duotempo')} is ready ${colors.dim(`after ${seconds}; Ctrl-C stops it`)}`,
    ...places,
    ...endpoint,
    '',
    'Try, in another terminal, and watch this one:',
    ...commands,
    '',
    `or a day with attacks among its sales: npm run demo${named === '' ? '' : ` --${named}`}`,
    `or a whole file: npm run replay -- <transactions.csv> --shift-to-today --settle${named}`,
    `or a chat, in two terminals: npm run chat -- alice bob${named}  and  npm run chat -- bob alice${named}`,
    '',
  ].join('\n');
}

/** A sale of this moment, as JSON within double quotes of a shell. */
function saleForShell(): string {
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
  return JSON.stringify(sale).replaceAll('"', '\\"').replace('NOW', '$(date -u +%Y-%m-%dT%H:%M:%SZ)');
}

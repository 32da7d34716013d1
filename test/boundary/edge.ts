import type { Interceptor } from '../../local/endpoint/index.ts';
import { startSystem, type System } from '../end-to-end/system.ts';
import { synthesized } from '../stack/templates.ts';
import { edgesOf, type Edges } from './routes.ts';
import { createWire, type Wire } from './wire.ts';

export interface Write {
  /** `dynamodb:PutItem` */
  readonly action: string;
  readonly roleArn: string;
}

/** The running app, seen from outside, and what its functions wrote. */
export interface Edge {
  readonly system: System;
  readonly edges: Edges;
  readonly wire: Wire;
  readonly apiUrl: (stackName: string) => string;
  /** What the functions behind routes have written since the start, and the authorizer: workers and pipes left out. */
  readonly writes: readonly Write[];
  readonly writesOf: (roleId: string) => number;
  readonly stop: () => Promise<void>;
}

const WRITES: ReadonlySet<string> = new Set([
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
  'dynamodb:BatchWriteItem',
  'dynamodb:TransactWriteItems',
  'sqs:SendMessage',
  'sqs:SendMessageBatch',
]);

export async function startEdge(): Promise<Edge> {
  const edges = edgesOf(await synthesized('test'));
  const writes: Write[] = [];
  const counts = new Map<string, number>();
  const watch: Interceptor = async (call, proceed) => {
    const answer = await proceed();
    const action = `${call.service}:${call.action}`;
    if (answer.status >= 300 || !WRITES.has(action) || call.caller.kind === 'operator') return answer;
    const { roleArn } = call.caller;
    if (edges.backgroundRoleIds.some((roleId) => isRole(roleArn, roleId))) return answer;
    writes.push({ action, roleArn });
    counts.set(roleArn, (counts.get(roleArn) ?? 0) + 1);
    return answer;
  };
  const system = await startSystem({ interceptors: [watch] });
  const wire = createWire();
  return {
    system,
    edges,
    wire,
    apiUrl: (stackName) => system.host.outputs[stackName]?.['ApiUrl'] ?? '',
    writes,
    writesOf: (roleId) =>
      [...counts].reduce((sum, [roleArn, count]) => sum + (isRole(roleArn, roleId) ? count : 0), 0),
    stop: async () => {
      wire.close();
      await system.stop();
    },
  };
}

/** Physical names are `<stack>-<logical id>-<suffix>`, cut to 64 characters. */
function isRole(roleArn: string, roleId: string): boolean {
  const [, name = ''] = /role\/[^-]+-(.*)-[0-9a-f]{6}$/.exec(roleArn) ?? [];
  return name !== '' && roleId.startsWith(name);
}
